"""The pages of docs/checks: a section for each check of the doctor, with an example, and an index."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dockpass.doctor.check import Check
from dockpass.doctor.symptoms import by_likelihood
from dockpass.doctor.table import TABLE

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "checks.toml"
PROBLEMS = CASES.with_name("problems.toml")
FAMILIES = {
    "SEC": ("secrets", "Secrets and values"),
    "TOK": ("tokens", "Tokens"),
    "REG": ("registries", "Registries and repositories"),
    "LOG": ("logins", "Logins"),
    "CFG": ("docker-config", "Docker's config"),
    "SCP": ("scopes", "Protection, scopes and what is not known"),
    "EXP": ("expansion", "Expansion"),
    "YML": ("ci-file", "The CI file"),
    "PRE": ("predefined", "Predefined variables"),
    "FMT": ("files", "Files with variables"),
    "BLD": ("build-files", "Build files"),
    "ENG": ("engines", "The docker daemon"),
    "GHA": ("github", "GitHub Actions"),
    "ACC": ("access", "What the registry answers"),
}
"""The letters of a family, its page, and its title."""
_SHOWN = {
    "env": "variables",
    "options": "options",
    "froms": "base images",
    "project": "project settings",
    "group": "group settings",
    "ref": "ref",
    "probe": "the registry's answer",
}
_LONGEST = 200


def check_pages() -> dict[str, str]:
    """Return the pages by their path below docs."""
    listed = tomllib.loads(CASES.read_text(encoding="utf-8"))["case"]
    cases = {case["finding"]: case for case in reversed(listed)}  # the first of each finding
    pages = {"checks/README.md": "\n".join(_index()) + "\n"}
    for letters, (page, title) in FAMILIES.items():
        rows = sorted((check for check in TABLE if _family(check) == letters), key=lambda check: check.id)
        lines = [f"# {title}", "", "Checks of `dockpass doctor`; [all of them](README.md).", ""]
        for check in rows:
            example = next((cases[name] for name in check.names if name in cases), None)
            lines += _section(check, example)
        pages[f"checks/{page}.md"] = "\n".join(lines).rstrip() + "\n"
    return pages


def _family(check: Check) -> str:
    return check.id.split("-")[1]


def _section(check: Check, example: Mapping[str, Any] | None) -> Iterator[str]:
    names = ", ".join(f"`{name}`" for name in check.names)
    yield f"## {check.id}"
    yield ""
    yield f"**{check.title}** {check.matters}"
    yield ""
    yield f"To fix it: {_code(check.fix)}"
    yield ""
    source = (
        f"[source]({check.source})" if check.source.startswith("http") else f"[source](../{check.source[5:]})"
    )
    yield f"Level: {check.level}. Looks at: {check.need}. Finding: {names}. {source}"
    yield ""
    if example is not None:
        yield "An example that fires it:"
        yield ""
        yield "```"
        yield from _example(example["fires"])
        yield "```"
        yield ""


def _code(text: str) -> str:
    """Return a text in which GitHub's Markdown takes nothing for a tag or a formula."""
    return text.replace("<<", "`<<`").replace("$$", "`$$`")


def _example(fires: Mapping[str, Any]) -> Iterator[str]:
    if "yaml" in fires:
        yield "# .gitlab-ci.yml"
        yield from fires["yaml"].strip().splitlines()
    for path, text in fires.get("files", {}).items():
        yield f"# {path}"
        shown = text.strip("\n").translate({0: "␀", 0xFEFF: "(byte order mark)"}).replace("\r\n", "␍\n")
        yield from shown.splitlines()
    for name, title in _SHOWN.items():
        value = fires.get(name)
        if value is None:
            continue
        yield f"# {title}"
        if name in {"env", "options"}:
            yield from (f"{key}={_short(text)}" for key, text in value.items())
        else:
            yield _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    shown = text if text.isprintable() and text == text.strip() else json.dumps(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _index() -> Iterator[str]:
    yield "# The checks of the doctor"
    yield ""
    yield "`dockpass doctor` runs them. Each has an id, an example and a source."
    yield "`dockpass doctor --error TEXT` finds those that explain an error message, as the index below does."
    yield ""
    yield "| check | level | what it finds |"
    yield "|---|---|---|"
    for check in sorted(TABLE, key=lambda check: check.id):
        yield f"| [{check.id}]({_link(check)}) | {check.level} | {check.title} |"
    yield ""
    yield "## By symptom"
    yield ""
    yield "| an error message with | can mean |"
    yield "|---|---|"
    symptoms: dict[str, list[Check]] = {}
    for check in TABLE:
        for symptom in check.symptoms:
            symptoms.setdefault(_words(symptom), []).append(check)
    for words, checks in sorted(symptoms.items(), key=lambda each: each[0].lower()):
        links = ", ".join(f"[{check.id}]({_link(check)})" for check in by_likelihood(words, checks))
        yield f"| `{words}` | {links} |"
    yield from _by_problem()


def _by_problem() -> Iterator[str]:
    by_id = {check.id: check for check in TABLE}
    yield ""
    yield "## By problem"
    yield ""
    yield "What people report in public, the checks that find it, and what they cannot see, and why."
    yield ""
    yield "| problem | found by | what is not seen |"
    yield "|---|---|---|"
    for row in tomllib.loads(PROBLEMS.read_text(encoding="utf-8"))["problem"]:
        links = ", ".join(f"[{name}]({_link(by_id[name])})" for name in row["told"])
        yield f"| {row['is']} | {links or '—'} | {row.get('also', '')} |"


def _words(symptom: str) -> str:
    """Return a regular expression of a message as people read it."""
    text = re.sub(r"\((?:\?:)?[^()|]*\)\?|[\":]\?", "", symptom)  # what a message need not have
    text = re.sub(r"(?:\[\^[^\]]*\]|\.|\\S)(?:\{\d+,\d+\}|[*+])|\[- \]", " … ", text.replace("(?:", "("))
    text = re.sub(r"(?<!\\)[()]", "", text).replace(r"\d", "N").replace(r"\b", "")
    text = re.sub(r"\\(.)", r"\1", text).replace("non … TTY", "non TTY")
    return re.sub(r"\s+", " ", text).strip().replace("|", "/")


def _link(check: Check) -> str:
    return f"{FAMILIES[_family(check)][0]}.md#{check.id.lower()}"

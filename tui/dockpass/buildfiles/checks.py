"""What BuildKit refuses in an instruction by itself, wherever it stands in the file."""

from __future__ import annotations

import re

from dockpass.buildfiles.lines import Instruction, split_flags
from dockpass.buildfiles.mounts import mounts
from dockpass.text import clean

KEYWORDS = frozenset(
    {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"}
    | {"MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)

_FLAGS = {
    "FROM": {"platform"},
    "COPY": {"from", "chown", "chmod", "link", "parents", "exclude"},
    "ADD": {"chown", "chmod", "link", "checksum", "keep-git-dir", "exclude", "unpack"},
    "RUN": {"mount", "network", "security", "device"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
_MODES = {"network": {"default", "none", "host"}, "security": {"sandbox", "insecure"}}
_SWITCHES = frozenset({"link", "parents", "keep-git-dir", "unpack"})
_REPEATED = frozenset({"mount", "exclude", "device"})
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_LEAST_WORDS = {"COPY": 2, "ADD": 2, "ARG": 1, "ENV": 1, "LABEL": 1, "EXPOSE": 1, "VOLUME": 1}
_TEXT_NEEDED = frozenset({"WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER", "ONBUILD", "HEALTHCHECK", "SHELL"})


def why_refused(at: Instruction) -> str:
    """Return why BuildKit refuses the instruction as it stands there; empty where it does not."""
    if not at.keyword:
        return "it is continued, and nothing follows"
    if at.keyword not in KEYWORDS:
        return f"unknown instruction {clean(at.keyword, 40)}"
    return _why_flags(at) or _why_words(at) or _why_heredoc(at)


def stage_name(at: Instruction) -> str:
    """Return the name that a FROM gives to its stage, in lower case."""
    return at.words[2].lower() if len(at.words) == 3 else ""


def _why_flags(at: Instruction) -> str:
    known, seen = _FLAGS.get(at.keyword, set()), set()
    for flag in at.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        shown = f"--{clean(name, 40)}"
        if name not in known:
            return f"{shown} is not one of its flags"
        if name in seen and name not in _REPEATED:
            return f"{shown} is given twice"
        seen.add(name)
        if name in _SWITCHES:
            if equals and value not in {"true", "false"}:
                return f"{shown} is true or false"
        elif not equals:
            return f"{shown} has no value"
        elif "$" not in value and value not in _MODES.get(name, {value}):
            return f"{shown} is {' or '.join(sorted(_MODES[name]))}, not {clean(value, 40)}"
    return next((why for _, why in mounts(at) if why), "")


def _why_words(at: Instruction) -> str:
    words = at.words
    if at.keyword == "FROM":
        return _why_from(words)
    if len(words) < _LEAST_WORDS.get(at.keyword, 0) and not at.text.startswith("["):
        return "it needs another word"
    if not at.text and at.keyword in _TEXT_NEEDED:
        return "it has no arguments"
    if at.keyword == "ARG" and any(word.startswith("=") for word in words):
        return "a name is missing before the `=`"
    if at.keyword == "ONBUILD":
        return _why_trigger(at.text)
    return ""


def _why_from(words: tuple[str, ...]) -> str:
    if len(words) == 3 and words[1].upper() == "AS":
        if _STAGE_NAME.fullmatch(words[2].lower()):
            return ""
        return f"{clean(words[2], 80)} is not a valid name for a stage"
    if len(words) == 1:
        return ""
    return "it must be FROM IMAGE or FROM IMAGE AS NAME, with nothing after it"


def _why_trigger(text: str) -> str:
    keyword = (split_flags(text)[1].split() or [""])[0].upper()
    if keyword in {"ONBUILD", "FROM", "MAINTAINER"}:
        return f"{keyword} cannot be a trigger"
    return ""


def _why_heredoc(at: Instruction) -> str:
    for heredoc in at.heredocs:
        if not heredoc.is_closed:
            return f"the document {clean(heredoc.name, 80)} has no end"
    return ""

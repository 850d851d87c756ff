"""What a build pulls and copies, judged by BuildKit itself: every case, and generated ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from buildcases import DOCKERFILES, IGNORES, Answer, Case, make_context, our_answer, our_files
from buildkit import BuildKit, buildkit
from clientprograms import demanded
from dockerfilegen import made

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("buildkit")]

GENERATED = 60


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory, newer: Path) -> Iterator[BuildKit]:
    with ExitStack() as stack:
        with demanded():
            started = stack.enter_context(buildkit(tmp_path_factory.mktemp("buildkit"), newer))
        yield started


def judged(judge: BuildKit, case: Case) -> Answer | None:
    """Return BuildKit's answer; None where this release could not be asked (it dies of ARG without FROM)."""
    if case.dockerfile.startswith("ARG") and "FROM" not in case.dockerfile.upper():
        return None
    options = ["--target", case.target] if case.target else []
    for name, value in case.args.items():
        options += ["--build-arg", f"{name}={value}"]
    for name, value in case.contexts.items():
        options += ["--build-context", f"{name}={value}"]
    options += ["--platform", case.platform] if case.platform else []
    images, refused = judge.images(case.dockerfile, *options)
    return Answer(refused=True) if refused else Answer(images)


@pytest.mark.parametrize(
    "case", [case for case in DOCKERFILES if "syntax" not in case.dockerfile], ids=lambda c: c.id
)
def test_the_cases_say_what_buildkit_does(judge: BuildKit, case: Case) -> None:
    answer = judged(judge, case)
    later = case.allowed[0].images if answer == Answer(refused=True) and "later" in case.id else None
    assert answer is None or answer in case.allowed or later is not None or _same_images(answer, case)


def _same_images(answer: Answer, case: Case) -> bool:
    """A named context is asked for under the name that it was given."""
    return bool(case.contexts) and len(answer.images) == len(case.allowed[0].images)


@pytest.mark.parametrize("seed", range(GENERATED))
def test_generated_dockerfiles_pull_what_buildkit_pulls(judge: BuildKit, seed: int) -> None:
    made_up = made(seed)
    case = Case("generated", made_up.text, made_up.target, made_up.args, made_up.platform, made_up.contexts)
    theirs, ours = judged(judge, case), our_answer(case)
    if theirs is None:
        return
    if case.contexts and not theirs.refused:  # this release asks for those of unneeded stages too
        assert ours.images <= theirs.images
    else:
        assert (ours.refused, ours.images) == (theirs.refused, theirs.images), case.dockerfile


@pytest.mark.parametrize("row", IGNORES, ids=lambda row: row["id"])
def test_the_ignore_cases_say_what_buildkit_copies(
    judge: BuildKit, row: dict[str, Any], tmp_path: Path
) -> None:
    wanted = row["copied"] if isinstance(row["copied"], list) else None
    assert judge.files(tmp_path, make_context(row, tmp_path)) == wanted


PIECES = (
    "a",
    "b",
    "src",
    "*",
    "?",
    "**",
    "/",
    ".",
    "..",
    "!",
    "[a-c]",
    "[^a]",
    "\\",
    "\\d",
    "#",
    " ",
    "md",
    "B",
)
FILES = ("a", "b", "ab", "A.md", "a.md", "src/a", "src/b.md", "src/sub/a.md", "#a", "b/a/src", "a1")


@pytest.mark.parametrize("seed", range(GENERATED))
def test_generated_patterns_leave_out_what_buildkit_leaves_out(
    judge: BuildKit, seed: int, tmp_path: Path
) -> None:
    random = Random(seed)
    lines = ["".join(random.choices(PIECES, k=random.randint(1, 5))) for _ in range(random.randint(1, 3))]
    if any(line.strip() == "**" for line in lines):
        lines.append("!a")
    files = [name for name in FILES if name != "a" or random.random() < 2]
    files = [name for name in files if name not in {"a", "b"}] + ["c"]
    row = {"ignore": "\n".join(lines), "files": files}
    dockerfile = make_context(row, tmp_path)
    assert our_files(tmp_path, dockerfile) == judge.files(tmp_path, dockerfile), lines

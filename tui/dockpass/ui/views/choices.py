"""The answers to “which job, which ref, which environment, what starts it?”. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dockpass.marks import GLYPH_NOW
from dockpass.text import clean
from dockpass.ui.views.words import Line, cell, fitted
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.model import Definition, Ref, RefType
from dockpass.variables.inwords import SOURCES, ref_words

EVERY_JOB = "every"
OWN_ENVIRONMENT = "own"
NO_ENVIRONMENT = "none"

_TITLE = 34
_MOST = 500

Answer = tuple[str, Line]


def _answer(answer: str, title: str, words: str, now: str) -> Answer:
    mark = (f"{GLYPH_NOW} ", "accent") if answer == now else ("  ", "text")
    return answer, (mark, (f"{cell(title, _TITLE)} ", "text"), (fitted(words, 60), "label"))


def job_id(name: str, instance: int) -> str:
    """Return the id of a job's answer."""
    return f"job:{instance}:{name}"


def job_of(answer: str) -> tuple[str, int]:
    """Return the job and the matrix instance that an answer stands for."""
    if answer == EVERY_JOB:
        return "", 0
    _, instance, name = answer.split(":", 2)
    return name, int(instance)


def titled_jobs(config: Config) -> Iterator[tuple[str, str, Job]]:
    """Yield each job, or each instance of its matrix, with the id of its answer and its clean name."""
    for job in (config.jobs or {}).values():
        for number in range(max(len(job.instances), 1)):
            title = clean(job.instance_name(number) if job.instances else job.name, 255)
            yield job_id(job.name, number), title, job


def job_answers(config: Config, now: str, text: str) -> list[Answer]:
    """Return the jobs whose name or stage holds a text; a job with a matrix once for each instance."""
    answers = [_answer(EVERY_JOB, "every job", "what all jobs get, without a job's own variables", now)]
    answers += [_answer(answer, title, _job_words(job), now) for answer, title, job in titled_jobs(config)]
    return _holding(answers, text)[:_MOST]


def _job_words(job: Job) -> str:
    words = [f"stage {clean(job.stage, 60)}"]
    if job.environment:
        words.append(f"environment {clean(job.environment, 60)}")
    if job.rules is None and job.when != "on_success":
        words.append(clean(job.when, 20))
    return ", ".join(words)


def _holding(answers: Iterable[Answer], text: str) -> list[Answer]:
    wanted = text.casefold()
    return [each for each in answers if wanted in "".join(part for part, _ in each[1]).casefold()]


_KINDS = {RefType.BRANCH: "branch", RefType.TAG: "tag", RefType.MERGE_REQUEST: "merge"}


def ref_id(ref: Ref) -> str:
    """Return the id of a ref's answer."""
    return f"{_KINDS[ref.type]}:{ref.name}"


def ref_of(answer: str, protected: bool | None = None) -> Ref:
    """Return the ref that an answer stands for."""
    kind, _, name = answer.partition(":")
    ref_type = next(each for each, word in _KINDS.items() if word == kind)
    return Ref(type=ref_type, name=name, protected=protected)


def ref_answers(refs: Sequence[Ref], now: Ref, text: str) -> list[Answer]:
    """Return the refs that hold a text, merge requests of the present branch, and what was typed itself."""
    known = list(refs)
    if now.type is RefType.BRANCH and now.name:
        known.append(Ref(type=RefType.MERGE_REQUEST, name=now.name))
    if ref_id(now) not in {ref_id(each) for each in known}:
        known.insert(0, now)
    answers = [_answer(ref_id(each), ref_words(each), "", ref_id(now)) for each in known]
    found = _holding(answers, text)
    if text and not any(each.name == text for each in known):
        found += [
            _answer(ref_id(Ref(type=kind, name=text)), ref_words(Ref(type=kind, name=text)), "as typed", "")
            for kind in RefType
        ]
    return found[:_MOST]


def environment_answers(
    config: Config, definitions: Iterable[Definition], own: str, now: str, text: str
) -> list[Answer]:
    """Return the environments that jobs and scopes name, and what was typed itself."""
    names = {clean(job.environment, 255) for job in (config.jobs or {}).values() if job.environment}
    names |= {clean(each.scope, 255) for each in definitions if "*" not in each.scope}
    answers = [
        _answer(OWN_ENVIRONMENT, "the job's own", own, now),
        _answer(NO_ENVIRONMENT, "none", "only variables for every environment are there", now),
        *(_answer(f"name:{name}", name, "", now) for name in sorted(names) if "$" not in name),
    ]
    found = _holding(answers, text)
    if text and text not in names:
        found.append(_answer(f"name:{text}", clean(text, 255), "as typed", ""))
    return found


def source_answers(now: str, text: str) -> list[Answer]:
    """Return what can start a pipeline."""
    return _holding((_answer(source, source, words, now) for source, words in SOURCES.items()), text)

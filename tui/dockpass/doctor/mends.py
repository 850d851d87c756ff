"""What would mend a finding, as edits or changes that can be tried, from the value that was found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Edit, EditKind
from dockpass.auth.rules import DOCKER_CONFIG, EXTERNAL_CONFIG, IGNORE_AUTOLOGIN
from dockpass.doctor.check import Fix, Patient
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.references.address import DOCKER_HUB_HOST, host_of_registry
from dockpass.references.reference import parse_reference
from dockpass.secrets import Secret
from dockpass.text import clean

_OPTIONS = {"--registry-username": "registry-username", "--registry-password": "registry-password"}
_AROUND = r"^[\s\u200b\u200e\u200f\u2060\ufeff\xa0]+|[\s\u200b\u200e\u200f\u2060\ufeff\xa0]+$"
_INVISIBLE = "[\0-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
_AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
_MOST_TOLD = 3


def cleaned(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the value without what does not belong to it."""
    before = _value(patient, finding.about)
    after = re.sub(_INVISIBLE, "", re.sub(_AROUND, "", before))
    if len(after) > 1 and after[0] + after[-1] in {"''", '""', "“”", "‘’"}:
        after = after[1:-1]
    after = re.sub(r"^(authorization:\s*)?(basic|bearer|token) ", "", after, flags=re.IGNORECASE)
    if after and after != before:
        yield _set(patient, finding.about, after, f"store {finding.about} without what does not belong to it")


def _value(patient: Patient, name: str) -> str:
    options = patient.facts.options
    if name == "--registry-username":
        return options.registry_username or ""
    if name == "--registry-password":
        return options.registry_password.reveal() if options.registry_password else ""
    return patient.facts.text(name)


def _set(patient: Patient, name: str, value: str, words: str = "") -> Fix:
    """Return a fix that gives a variable or an option another value; a secret stays one."""
    option = _OPTIONS.get(name) or ("repo" if name == "--repo" else "")
    known = patient.facts.variables.get(name)
    is_secret = name == "--registry-password" or (known is not None and isinstance(known.value, Secret))
    kind = EditKind.GIVE if option else EditKind.SET
    return Fix(words=words, edits=(Edit(kind, option or name, Secret(value) if is_secret else value),))


def _unset(name: str) -> Fix:
    return Fix(edits=(Edit(EditKind.UNSET, name),))


def without_it(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the variables without the one that the finding is about."""
    if finding.about in patient.facts.variables:
        yield _unset(finding.about)


def without_auth_config(patient: Patient, finding: Finding) -> Iterator[Fix]:  # noqa: ARG001
    """Yield the variables without `DOCKER_AUTH_CONFIG`."""
    yield _unset(_AUTH_CONFIG)


def without_external(patient: Patient, finding: Finding) -> Iterator[Fix]:  # noqa: ARG001
    """Yield the variables without the external docker config."""
    yield _unset(EXTERNAL_CONFIG)


def without_ignoring(patient: Patient, finding: Finding) -> Iterator[Fix]:  # noqa: ARG001
    """Yield the variables with the automatic login switched on again."""
    yield _unset(IGNORE_AUTOLOGIN)


def bare_host(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the registry as host and port."""
    host = host_of_registry(patient.facts.text(finding.about))
    if host:
        yield _set(patient, finding.about, host)


def at_docker_hub(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the address under the name that docker uses for Docker Hub."""
    if finding.about == GITLAB.registry:
        yield _set(patient, finding.about, DOCKER_HUB_HOST)
    else:
        yield _set(patient, finding.about, f"{DOCKER_HUB_HOST}/{patient.facts.repo.partition('/')[2]}")


def lower_case(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the repository in lower case."""
    name, rest = split_tag(patient.facts.repo)
    yield _set(patient, finding.about, f"{name.lower()}{rest}")


def split_tag(text: str) -> tuple[str, str]:
    """Return a repository, valid or not, and the tag and digest behind it, which may have capital letters."""
    end = text.find("@") if "@" in text else len(text)
    tag = text.find(":", text.rfind("/", 0, end) + 1, end)
    end = tag if tag >= 0 and "/" in text[:end] else end
    return text[:end], text[end:]


def without_tag(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the repository without tag and digest."""
    try:
        yield _set(patient, finding.about, parse_reference(patient.facts.repo).repository.familiar)
    except UsageError:
        return


def at_registry(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the repository at the host of `CI_REGISTRY`."""
    host, repo = patient.facts.text(GITLAB.registry), patient.facts.repo
    if finding.id == "hub-name":
        yield _set(patient, finding.about, f"{host}/{repo}")
    else:
        yield _set(patient, finding.about, f"{host}/{repo.partition('/')[2]}")


def as_repository(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield what is only in another tool's variable as the option."""
    if finding.about in {"WERF_REPO", "WERF_IMAGES_REPO"}:
        yield Fix(edits=(Edit(EditKind.GIVE, "repo", patient.facts.text(finding.about)),))


def as_user(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the user name that the token needs."""
    wanted = re.search(r"needs the user name (\S+),|accepts it as (\S+) only", finding.message)
    if finding.about == "--registry-password" and wanted and patient.facts.options.registry_username:
        yield Fix(edits=(Edit(EditKind.GIVE, "registry-username", wanted[1] or wanted[2]),))


def its_directory(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the directory of a docker config in place of its file, and the home in place of `~`."""
    value = patient.facts.text(finding.about)
    if finding.id == "names-a-file" and Path(value).name == "config.json":
        yield _set(patient, finding.about, str(Path(value).parent))
    elif finding.id == "tilde" and value.startswith("~/"):
        yield _set(patient, finding.about, str(Path(patient.facts.home, value[2:])))
    elif finding.id == "configs-differ":
        yield _set(patient, DOCKER_CONFIG, patient.facts.text(EXTERNAL_CONFIG))


def without_override(patient: Patient, finding: Finding) -> Iterator[Fix]:
    """Yield the job without what overrides one of GitLab's own variables."""
    from dockpass.variables.changes import Change, ChangeKind, can_be_written  # only a job needs YAML

    names = (GITLAB.registry, GITLAB.image) if finding.id == "image-elsewhere" else (finding.about,)
    for name in names:
        found = patient.view.variables.get(name) if patient.view else None
        if found is not None and can_be_written(found.winner):
            yield Fix(changes=(Change(kind=ChangeKind.REMOVE, definition=found.winner),))


def together(fixes: Sequence[Fix]) -> Fix:
    """Return several fixes as one."""
    edits = tuple(dict.fromkeys(edit for fix in fixes for edit in fix.edits))
    changes = tuple(dict.fromkeys(change for fix in fixes for change in fix.changes))
    words = [fix.words for fix in fixes]
    if not all(words):
        words = [change.in_words() for change in changes] + [edit.in_words() for edit in edits]
    told = [
        f"{each}, for each of the {count}" if count > 1 else each for each, count in Counter(words).items()
    ]
    if len(told) > _MOST_TOLD:
        told = [f"{told[0]}, and the other {len(told) - 1} in the same way"]
    return Fix(words=clean(" and ".join(told), 400), edits=edits, changes=changes)


def shown(fix: Fix) -> str:
    """Return a fix as an instruction; no secret is in it."""
    if fix.words:
        return fix.words
    return clean(
        " and ".join([*(each.in_words() for each in fix.changes), *(each.in_words() for each in fix.edits)]),
        400,
    )

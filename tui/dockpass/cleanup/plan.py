"""What may be deleted of a repository. Pure: made from a survey, carried out elsewhere.

Deleting a digest takes every tag on it, so a digest goes only if all of its tags go. What a kept image
needs is kept with it: an index its manifests, an image its signatures and attestations, an artifact the
image that it refers to. Tags with a name of their own stay or go by the rules, whatever they refer to; the
fallback names (`sha256-HEX`, `sha256-HEX.sig`) are no names of their own and go with their image. In doubt,
a tag is kept: while it is not known what a kept tag needs, no digest loses its last tag.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dockpass.cleanup.options import CleanupOptions
from dockpass.text import clean, plural
from dockpass.units import age, exact_span

YOUNG = timedelta(hours=2)
"""Nothing younger is deleted: a running pipeline may need it."""

# The fallback tag of the distribution specification, and cosign's tags.
_REFERRER_TAG = re.compile(r"(sha256)-([0-9a-f]{64})(\.[A-Za-z]+)?")


@dataclass(frozen=True, slots=True)
class TagInfo:
    """One tag. `created` is None where it is not known, `problem` says why the image cannot be read.

    `children` are all digests that it needs, at any depth; `doubt` says why these may not be all.
    `subject` is the digest that the image refers to; `twin` is its sha256 where `digest` is none.
    """

    tag: str
    digest: str
    created: datetime | None = None
    size: int = 0
    children: tuple[str, ...] = ()
    subject: str = ""
    twin: str = ""
    problem: str = ""
    doubt: str = ""

    @property
    def belongs_to(self) -> str:
        """The digest of the image that the tag's name is made of; empty for a name of its own."""
        return referred_digest(self.tag)

    @property
    def refers_to(self) -> tuple[str, ...]:
        """The digests of the images that this one signs or describes; none for an ordinary image."""
        return tuple(dict.fromkeys(filter(None, (self.subject, self.belongs_to))))

    @property
    def needs(self) -> tuple[str, ...]:
        """Every digest that has to stay while this tag stays, but its own."""
        return tuple(dict.fromkeys((*self.children, *self.refers_to, *filter(None, [self.twin]))))


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides about the tags: the rules that a person gave, and what the registry's own rules protect.

    `protected` are tags that the registry does not let this login delete, each with its rule; with `by_tag`
    no digest is deleted as a whole, which such a registry refuses.
    """

    now: datetime
    rules: CleanupOptions = field(default_factory=CleanupOptions)
    protected: Mapping[str, str] = field(default_factory=dict)
    by_tag: bool = False


@dataclass(frozen=True, slots=True)
class TagRow:
    """The fate of one tag, and why."""

    info: TagInfo
    deletes: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """One request: the whole digest, or single tags of it where other tags on it are kept."""

    digest: str
    tags: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """The rows, newest first, and what is deleted: what needs others goes before them.

    In this order a cleanup that is interrupted leaves nothing that refers to what is gone. `doubts` are the
    kept tags of which it is not known what they need, each with the reason.
    """

    rows: tuple[TagRow, ...]
    deletions: tuple[Deletion, ...]
    doubts: Mapping[str, str] = field(default_factory=dict)


def plan_deletion(tags: Sequence[TagInfo], policy: Policy, *, single_tags: bool | None) -> DeletionPlan:
    """Decide the fate of every tag.

    `single_tags` tells whether the registry can delete one tag alone; None if that is not known.
    """
    ordered = sorted(tags, key=_newest_first)
    reasons = _own_reasons(ordered, policy)
    _keep_what_is_needed(ordered, reasons)
    doubts = {info.tag: info.doubt for info in ordered if info.doubt and reasons[info.tag]}
    if doubts:
        _keep_in_doubt(ordered, reasons, doubts)
        _keep_what_is_needed(ordered, reasons)
        doubts = {info.tag: info.doubt for info in ordered if info.doubt and reasons[info.tag]}
    if not single_tags:
        _keep_shared(ordered, reasons, known=single_tags is not None)
    rows = tuple(
        TagRow(info, not reasons[info.tag], reasons[info.tag] or _reason_to_go(info, policy))
        for info in ordered
    )
    return DeletionPlan(rows, _deletions(rows, by_tag=policy.by_tag and bool(single_tags)), doubts)


def needs_single_tags(tags: Sequence[TagInfo], policy: Policy) -> bool:
    """Tell whether some digest would lose only a part of its tags."""
    plan = plan_deletion(tags, policy, single_tags=True)
    return any(not deletion.whole for deletion in plan.deletions)


def _newest_first(info: TagInfo) -> tuple[float, str]:
    return (-info.created.timestamp() if info.created else float("inf"), info.tag)


def _own_reasons(ordered: Sequence[TagInfo], policy: Policy) -> dict[str, str]:
    """Return for each tag why it stays for its own sake; the empty string if nothing keeps it."""
    newest = _newest(ordered, policy)
    reasons = {}
    for info in ordered:
        reason = _reason_to_stay(info, policy)
        if not reason and not info.belongs_to:
            reason = _reason_of_rules(info, policy, newest)
        reasons[info.tag] = reason
    return reasons


def _newest(ordered: Sequence[TagInfo], policy: Policy) -> Mapping[str, str]:
    """Return the digests of the newest N images among those that the match is about, each in words.

    Artifacts that refer to an image are counted apart, so that they take no image's place.
    """
    images: dict[str, int] = {}
    artifacts: dict[str, int] = {}
    for info in ordered:
        if info.created and _matches(info, policy) and not info.belongs_to:
            counted = artifacts if info.subject else images
            counted[info.digest] = counted.get(info.digest, 0) + 1
    found: dict[str, str] = {}
    for counted, name in ((images, "images"), (artifacts, "artifacts")):
        newest = list(counted)[: policy.rules.keep_last or 0]
        tags = sum(counted[digest] for digest in newest)
        words = f"among the newest {policy.rules.keep_last}"
        if tags > len(newest):
            words += f" {name}, which have {tags:,} tags"
        found |= dict.fromkeys(newest, words)
    return found


def _matches(info: TagInfo, policy: Policy) -> bool:
    return policy.rules.match is None or re.fullmatch(policy.rules.match, info.tag) is not None


def _reason_to_stay(info: TagInfo, policy: Policy) -> str:
    """Return what keeps any tag, be it an image's or a signature's."""
    if info.problem:
        return f"cannot be read: {info.problem}"
    if not policy.rules.has_rule:
        return "no rule selects tags to delete"
    if info.tag in policy.protected:
        return f"protected by the registry's tag rules: {clean(policy.protected[info.tag], 80)}"
    for pattern in policy.rules.keep:
        if re.fullmatch(pattern, info.tag):
            return f"kept by --keep {clean(pattern)}"
    if info.created is not None and policy.now - info.created < YOUNG:
        return "younger than 2 hours"
    return ""


def _reason_of_rules(info: TagInfo, policy: Policy, newest: Mapping[str, str]) -> str:
    if not _matches(info, policy):
        return f"does not match --match {clean(policy.rules.match or '')}"
    if info.created is None:
        return "its age is unknown"
    if info.digest in newest:
        return newest[info.digest]
    least = policy.rules.older_than
    if least is not None and (policy.now - info.created).total_seconds() < least:
        return f"younger than {exact_span(least)}"
    return ""


def _reason_to_go(info: TagInfo, policy: Policy) -> str:
    if info.belongs_to:
        return f"belongs to {info.belongs_to[:19]}, which is deleted"
    reasons = []
    if policy.rules.match is not None:
        reasons.append(f"matches --match {clean(policy.rules.match)}")
    if policy.rules.keep_last is not None:
        reasons.append(f"not among the newest {policy.rules.keep_last}")
    if policy.rules.older_than is not None and info.created is not None:
        reasons.append(f"{age(policy.now - info.created)} old")
    return ", ".join(reasons)


def _keep_what_is_needed(tags: Sequence[TagInfo], reasons: dict[str, str]) -> None:
    """Keep what kept tags need and what refers to kept images, until nothing more follows."""
    listed = {digest for info in tags for digest in (info.digest, *info.children)}
    images: dict[str, str] = {}
    needed: dict[str, TagInfo] = {}
    waiting = [info for info in tags if reasons[info.tag]]
    while waiting:
        for info in waiting:
            if info.digest:
                images.setdefault(info.digest, info.tag)
            for digest in info.needs:
                needed.setdefault(digest, info)
        waiting = []
        for info in tags:
            reason = "" if reasons[info.tag] else _reason_of_others(info, listed, images, needed)
            if reason:
                reasons[info.tag] = reason
                waiting.append(info)
        if not waiting:
            return


def _reason_of_others(
    info: TagInfo, listed: set[str], images: Mapping[str, str], needed: Mapping[str, TagInfo]
) -> str:
    """Return why others need this one; `images` are the kept ones, `needed` what they need, by digest."""
    if info.twin in images:
        return f"the kept {images[info.twin]} is the same image"
    for digest in {info.digest, info.twin} & needed.keys():
        by = needed[digest]
        if digest == by.twin:
            return f"the kept {by.tag} is the same image"
        if digest in by.refers_to:
            return f"the kept tag {by.tag} refers to it"
        return f"part of the kept {'artifact' if by.refers_to else 'index'} {by.tag}"
    for subject in info.refers_to:
        if subject in images:
            return f"refers to the kept image {images[subject]}"
        if subject in needed:
            return f"refers to what the kept {needed[subject].tag} needs"
    if info.belongs_to and info.belongs_to not in listed:
        return f"refers to {info.belongs_to[:19]}, which has no tag here and is not deleted"
    return ""


def _keep_in_doubt(tags: Sequence[TagInfo], reasons: dict[str, str], doubts: Mapping[str, str]) -> None:
    """Keep each digest that would lose its last tag: a tag of which little is known may need it."""
    tag = next(iter(doubts))
    others = f" and {plural(len(doubts) - 1, 'other')}" if len(doubts) > 1 else ""
    for shared in _by_digest(tags).values():
        if not any(reasons[info.tag] for info in shared):
            for info in shared:
                reasons[info.tag] = f"{tag}{others} cannot be read and may need it"


def _keep_shared(tags: Iterable[TagInfo], reasons: dict[str, str], *, known: bool) -> None:
    """Where only whole digests can be deleted, a tag that shares its digest with a kept one stays."""
    why = "this registry cannot" if known else "it is unknown whether this registry can"
    for digest, shared in _by_digest(tags).items():
        kept = [info.tag for info in shared if reasons[info.tag]]
        for info in shared:
            if kept and not reasons[info.tag]:
                reasons[info.tag] = (
                    f"shares {digest[:19]} with the kept {', '.join(kept[:3])}, and {why} delete a single tag"
                )


def _deletions(rows: Sequence[TagRow], *, by_tag: bool) -> tuple[Deletion, ...]:
    fates = {row.info.tag: row.deletes for row in rows}
    found: list[Deletion] = []
    needs: dict[str, set[str]] = {}
    content: dict[str, set[str]] = {}
    for digest, shared in _by_digest(row.info for row in rows).items():
        going = tuple(info.tag for info in shared if fates[info.tag])
        if going:
            found.append(Deletion(digest, going, len(going) == len(shared) and not by_tag))
            needs[digest] = {other for info in shared for other in info.needs}
            content[digest] = {other for info in shared for other in (*info.children, info.subject) if other}

    def order(deletion: Deletion) -> tuple[int, int]:
        """By names digests may need each other in a circle, by content never: that decides then."""
        return -_reach(deletion.digest, needs), -_reach(deletion.digest, content)

    return tuple(sorted(found, key=order))


def _reach(digest: str, needs: Mapping[str, set[str]]) -> int:
    """Count what hangs on a digest, at any depth: it is always more than what hangs on a part of it."""
    found = {digest}
    waiting = [digest]
    while waiting:
        new = needs.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return len(found)


def _by_digest(tags: Iterable[TagInfo]) -> dict[str, list[TagInfo]]:
    found: dict[str, list[TagInfo]] = defaultdict(list)
    for info in tags:
        if info.digest:
            found[info.digest].append(info)
    return found


def referred_digest(tag: str) -> str:
    """Return the digest that a fallback or signature tag (`sha256-HEX`, `sha256-HEX.sig`) refers to."""
    found = _REFERRER_TAG.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else ""

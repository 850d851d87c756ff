"""Which tags a cleanup deletes, as a person asks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CleanupOptions:
    """The rules of a cleanup: a tag is deleted only if every rule allows it, and at least one is given.

    `older_than` in seconds. `match` and `keep` are Python regular expressions over the whole tag. `keep_last`
    counts images, however many tags they have, and separately the artifacts that refer to an image.
    """

    keep_last: int | None = None
    older_than: float | None = None
    match: str | None = None
    keep: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of all rules."""
        return (*self.keep, *(() if self.match is None else (self.match,)))

    @property
    def has_rule(self) -> bool:
        """Without a rule nothing is deleted."""
        return self.keep_last is not None or self.older_than is not None or self.match is not None

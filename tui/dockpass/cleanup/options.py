"""Which tags a cleanup deletes, as a person asks for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CleanupOptions:
    """Which tags go. Ages in seconds, patterns are Python regular expressions over the whole tag."""

    keep_last: int | None = None
    older_than: float | None = None
    match: str | None = None
    keep: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def has_rule(self) -> bool:
        """Without a rule nothing is deleted."""
        return self.keep_last is not None or self.older_than is not None or self.match is not None

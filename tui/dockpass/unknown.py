"""The value of a variable that is there and cannot be known here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that exists and cannot be known here; never the same as an empty text.

    `why` gives the reason in a few clean words. `is_set` is true if the value is known not to be empty, as of
    a masked one (GitLab masks values of at least 8 characters only). `may_be_missing` is true if the job may
    not get the variable at all.
    """

    why: str = ""
    is_set: bool = False
    may_be_missing: bool = False

    def in_words(self) -> str:
        """Return `not known here`, with the reason if there is one."""
        return f"not known here ({self.why})" if self.why else "not known here"

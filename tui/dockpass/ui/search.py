"""A search in many lines, letter by letter."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.ui.views.words import Line, plain


class Search:
    """Lines, of which those are found that hold a text, without regard to case.

    The words of each line are made once, and a longer text is looked for only in what a shorter one has left.
    """

    def __init__(self, lines: Sequence[Line] = (), most: int | None = None) -> None:
        """`most` is how many lines are kept: the last ones."""
        self._lines = list(lines)
        self._most = most
        self._words: list[str] = []
        self._text = ""
        self._left: list[int] | None = None
        """What holds the last text; None for all lines."""

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, lines: Sequence[Line]) -> None:
        """Append lines; the oldest go where there are too many."""
        known = len(self._lines)
        self._lines += lines
        if self._left is not None:
            self._left += self._holding(self._text, range(known, len(self._lines)))
        over = len(self._lines) - self._most if self._most is not None else 0
        if over > 0:
            del self._lines[:over], self._words[:over]
            if self._left is not None:
                self._left = [at - over for at in self._left if at >= over]

    def prepare(self) -> None:
        """Make the words of all lines now, so that the first letter does not wait for them."""
        self._words += (words.casefold() for words in plain(self._lines[len(self._words) :]))

    def find(self, text: str) -> list[Line]:
        """Return the lines that hold a text, which is casefolded; all of them for an empty one."""
        if not text:
            self._text, self._left = "", None
        elif self._left is None or self._text not in text:
            self._left = self._holding(text, range(len(self._lines)))
        elif text != self._text:
            self._left = self._holding(text, self._left)
        self._text = text
        return self._lines if self._left is None else [self._lines[at] for at in self._left]

    def _holding(self, text: str, among: Sequence[int]) -> list[int]:
        self.prepare()
        words = self._words
        return [at for at in among if text in words[at]]

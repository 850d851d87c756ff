"""What would be imported: format, level, names with lengths, and problems; no value."""

from __future__ import annotations

from dockpass.marks import GLYPH_DONE, GLYPH_LOOK
from dockpass.session.importing import Draft
from dockpass.text import clean, plural
from dockpass.ui.views.words import Line, cell, fitted, hanging
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Level
from dockpass.variables.inwords import flag_words

MOST_NAMES = 200
MOST_PROBLEMS = 20

LEVEL_WORDS = {
    Level.PROJECT: "variables of the project",
    Level.GROUP: "variables of its group",
    Level.INSTANCE: "variables of the instance",
    Level.PIPELINE: "variables of the pipeline, as given to a manual run",
    Level.DOTENV: "a dotenv report of an earlier job",
}


def draft_lines(draft: Draft, width: int) -> list[Line]:
    """Return the preview."""
    taken = draft.taken
    lines: list[Line] = [
        *hanging(((cell("format", 12), "label"),), f"{draft.format}, because {draft.because}", "text", width),
        *hanging(((cell("imported as", 12), "label"),), LEVEL_WORDS[draft.level], "text", width),
        (),
        ((f"{GLYPH_DONE} ", "good"), (f"{plural(len(taken), 'variable')} found", "text")),
    ]
    for problem in draft.reading.problems[:MOST_PROBLEMS]:
        where = f"line {problem.line}: " if problem.line else ""
        words = f"{where}{problem.message} {problem.hint}"
        lines += hanging(((f"{GLYPH_LOOK} ", "look"),), words, "text", width)
    if more := len(draft.reading.problems) - MOST_PROBLEMS:
        lines += [((f"  {more:,} more problems", "look"),)] if more > 0 else []
    lines.append(())
    for each in taken[:MOST_NAMES]:
        value, flags = each.value, flag_words(each.definition(draft.level, draft.label))
        size = "value not known" if isinstance(value, Unknown) else plural(len(value), "character")
        name = min(33, max(width // 2, 16))
        words = fitted(f"{size}{f', {flags}' if flags else ''}", max(width - name - 2, 8))
        lines.append((("  ", "text"), (cell(clean(each.key, 255), name - 1) + " ", "text"), (words, "label")))
    if len(taken) > MOST_NAMES:
        lines.append(((f"  … and {len(taken) - MOST_NAMES:,} more", "label"),))
    return lines

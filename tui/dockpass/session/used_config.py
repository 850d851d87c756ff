"""What is wrong with the entries of the config.json that a decision uses."""

from __future__ import annotations

import os
from pathlib import Path

from dockpass.auth.decision import Decision
from dockpass.findings import Finding, Severity
from dockpass.text import clean


def find_in_used_config(decided: Decision) -> tuple[Finding, ...]:
    """Return a finding for each entry whose `auth` is wrong.

    A temporary config has none, and nothing is known of one that lies elsewhere.
    """
    if decided.config_dir is None or decided.elsewhere:
        return ()
    path = Path(decided.config_dir) / "config.json"
    if not os.path.lexists(path):
        return ()
    from dockpass.dockerconfig.readers.files import FileKind, RealFileSystem  # only a file needs a reader

    file = RealFileSystem().read(path)
    if file.kind is not FileKind.FILE:
        return ()
    from dockpass.configtext import problems_in  # only a config that is there needs it

    return tuple(
        Finding(problem.id, clean(str(path), 300), problem.in_words, hint=problem.do, severity=Severity.ERROR)
        for problem in problems_in(file.raw.decode("utf-8", "replace"))
    )

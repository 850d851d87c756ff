"""Work beside the screen, in threads that hold no exit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_BACKGROUND = "dockpass-background"


def in_thread(work: Callable[[], None]) -> None:
    """Do work in a thread that holds no exit."""
    threading.Thread(target=work, name=_BACKGROUND, daemon=True).start()


def background_has_ended(seconds: float) -> bool:
    """Wait for the work that `in_thread` began; tell whether none goes on."""
    deadline = time.monotonic() + seconds
    at_work = [thread for thread in threading.enumerate() if thread.name == _BACKGROUND]
    for thread in at_work:
        thread.join(max(deadline - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in at_work)

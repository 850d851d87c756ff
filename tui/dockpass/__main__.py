"""`python -m dockpass` and the `dockpass` command."""

import _signal as signal  # type: ignore[import-not-found]
import os

# `_signal` is built in: `signal` brings `enum` along, and an interrupt meanwhile would print a traceback.


def _end(number: int, _frame: object) -> None:
    """End without a word: nothing was begun yet, or everything is over."""
    os._exit(128 + number)


# As soon as it is loaded: Ctrl-C during the imports that follow would print a traceback out of one of them.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _end)


def main() -> None:
    """Run the command line."""
    import gc

    # Nearly all that a command makes stays: looking for cycles in it every 700 objects takes a tenth of it.
    gc.set_threshold(100_000)
    from dockpass.cli.main import run

    try:
        run()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            _leave(ended.code or 0)
        raise


def _leave(status: int) -> None:
    """End at once: Python would take itself apart first, which is a tenth of a short command's time.

    What has to happen at the end happens before. Where another thread goes on or a stream cannot be written,
    this returns, and Python ends in its own way.
    """
    import atexit
    import sys
    import threading

    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        return
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    os._exit(status & 0xFF)


if __name__ == "__main__":
    main()

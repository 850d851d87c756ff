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
    from dockpass.cli.main import run

    run()


if __name__ == "__main__":
    main()

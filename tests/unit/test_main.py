"""The program ends at once, and leaves nothing out that belongs to its end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
import dockpass.__main__, dockpass.cli.main

class Late:
    def __del__(self):
        print("taken apart")

late = Late()
atexit.register(print, "at exit")
late_thread = threading.Thread(target=lambda: (time.sleep(0.05), print("thread")))

def run():
    print("said")
    {begin}
    sys.exit({code})

dockpass.cli.main.run = run
dockpass.__main__.main()
"""


@pytest.mark.parametrize(
    ("begin", "code", "status", "said"),
    [
        ("pass", "3", 3, "said\nat exit\n"),
        ("pass", "None", 0, "said\nat exit\n"),
        ("pass", "130", 130, "said\nat exit\n"),
        ("late_thread.start()", "4", 4, "said\nthread\nat exit\ntaken apart\n"),
        ("pass", "'words'", 1, "said\nat exit\ntaken apart\n"),
    ],
)
def test_the_end(begin: str, code: str, status: int, said: str) -> None:
    script = PROGRAM.format(begin=begin, code=code)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (status, said)
    assert ended.stderr == ("words\n" if code == "'words'" else "")

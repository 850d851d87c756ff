"""The command that would start an engine, for a person who has none that answers."""

from __future__ import annotations

import sys


def how_to_start(url: str, platform: str = sys.platform) -> str:
    """Return a sentence's beginning such as "Start one with `sudo systemctl start docker`"."""
    if url.startswith(("tcp://", "http://", "https://", "ssh://")):
        return "Start the engine on that machine"
    if platform == "darwin":
        return "Start one with `open -a Docker`"
    if "podman" in url:
        rootless = "/user/" in url
        return f"Start one with `{'systemctl --user' if rootless else 'sudo systemctl'} start podman.socket`"
    if "/user/" in url:
        return "Start one with `systemctl --user start docker`"
    return "Start one with `sudo systemctl start docker`"

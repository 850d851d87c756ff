"""Images for tests in a real engine: made from nothing, removed by their names."""

from __future__ import annotations

import io
import os
import platform
import struct
import subprocess
import tarfile
from dataclasses import dataclass, field

from needed import missing
from servers import program


@dataclass
class Images:
    """The images that a test makes. `remove` takes away their names, and nothing else."""

    docker_host: str
    made: list[str] = field(default_factory=list)

    def docker(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        """Call the docker command; return what it prints."""
        return self.docker_bytes(*arguments, stdin=stdin, check=check).decode().strip()

    def docker_bytes(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """Call the docker command; return what it prints, as it is."""
        ended = subprocess.run(
            [program("docker"), "-H", self.docker_host, *arguments],
            input=stdin,
            capture_output=True,
            timeout=300,
        )
        assert ended.returncode == 0 or not check, ended.stderr.decode()
        return ended.stdout

    def make(self, tag: str, size: int = 0) -> str:
        """Make an image of one layer with `size` random bytes; return its id."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in (("name", tag.encode()), ("random", os.urandom(size))):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        self.made.append(tag)
        return self.docker("import", "-", tag, stdin=buffer.getvalue())

    def has(self, reference: str) -> bool:
        """Tell whether there is a local image."""
        return bool(self.docker("images", "-q", reference))

    def forget(self, *references: str) -> None:
        """Remove names; where it is the last one, with the image."""
        if references:
            self.docker("rmi", "--force", *references, check=False)

    def containers(self) -> set[str]:
        """The ids of all containers."""
        return set(self.docker("ps", "-aq").split())

    def remove(self) -> None:
        """Remove what was made."""
        self.forget(*self.made)


def tiny_program(text: str = "", status: int = 0, *, waits: bool = False) -> bytes:
    """Return a static x86-64 program that prints `text`, and then exits with `status` or waits.

    An image that holds it needs no shell. On other machines the test is skipped.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        missing("Linux on x86-64")
    message = text.encode()
    write = b"\xb8\x01\x00\x00\x00\xbf\x01\x00\x00\x00\x48\x8d\x35%b\xba%b\x0f\x05"
    end = (
        b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7"
        if waits
        else b"\xb8\x3c\x00\x00\x00\xbf%b\x0f\x05" % (struct.pack("<I", status))
    )
    after = 5 + 2 + len(end)  # the rest of `write` behind the address, then `end`, then the message
    code = write % (struct.pack("<i", after), struct.pack("<I", len(message))) + end + message
    base, headers = 0x400000, 64 + 56
    size = headers + len(code)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return header + segment + code

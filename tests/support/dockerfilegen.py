"""Dockerfiles made up at random, of the pieces in which readers differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

NAMES = ("a", "b", "Base", "app-1", "x.y")  # a stage `scratch` with a mount kills the judge's dockerd
IMAGES = (
    "alpine:3",
    "busybox",
    "ghcr.io/o/t:1",
    "reg.example.com:5000/p/q",
    "a/b",
    "scratch",
    "quay.io/x/y@",
)
ARGS = ("V", "W", "TARGETARCH", "BUILDPLATFORM", "TARGETVARIANT", "N")
FORMS = (
    "${%s}", "$%s", "${%s:-1}", "${%s-2}", "${%s:+x}", "${%s+y}", "${%s#v}", "${%s##*-}", "${%s%%.*}",
    "${%s%%%%-*}", "${%s/a/b}", "${%s//a/}", "${%s:-${V:-3}}", "${%s#?}", "${%s:?no}", "'$%s'", '"${%s}"',
    "${%s/\\/}", "${%s=1}", "\\$%s", "${%s", "${%s:-'a'}", "${%s/\\*/z}", "${%s%%\\?}",
)  # fmt: skip
VALUES = ("1", "v1.2.3", "foo-bar-1", "''", '"a"', "$V", "${V}0", "${W:-a}", "amd64", "a*b", "", "'v$W'")


@dataclass(frozen=True)
class Made:
    """A Dockerfile and how it is built."""

    text: str
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    contexts: dict[str, str] = field(default_factory=dict)


def made(seed: int) -> Made:
    """Return the Dockerfile of a number."""
    random = Random(seed)
    lines = [f"{random.choice(('#', '# ', '#  '))}{_directive(random)}"] if random.random() < 0.12 else []
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        name = random.choice(ARGS)  # releases differ on a predefined one that is declared without a value
        values = [f"={random.choice(VALUES)}"] * 2 + [""] * (len(name) < 3)
        lines.append(f"ARG {name}{random.choice(values)}")
    stages = random.choice((1, 1, 2, 2, 3, 4))
    names: list[str] = []
    for _ in range(stages):
        lines += _stage(random, names)
    if random.random() < 0.06:
        lines.insert(
            random.randrange(len(lines) + 1), random.choice(("", "# note", "FOO x", "\\", "RUN <<E"))
        )
    end = "\r\n" if random.random() < 0.05 else "\n"
    given = {
        random.choice(ARGS): random.choice(("", "2", "v9-a.b", "linux/arm64"))
        for _ in range(random.choice((0, 0, 0, 1, 2)))
    }
    target = random.choice([None, None, None, *(name.upper() for name in names), *names, "0"])
    platform = random.choice(("", "", "", "", "linux/arm64", "linux/arm/v6", "arm64", "linux/amd64"))
    contexts = {}
    if random.random() < 0.1:
        contexts[random.choice(("a", "alpine:3", "busybox", "docker.io/library/busybox", "b"))] = (
            "docker-image://quay.io/named/one:1"
        )
    return Made(end.join([*lines, ""]), target, given, platform, contexts)


def _directive(random: Random) -> str:
    return random.choice(("escape=`", "escape=x", "check=skip=all", "Escape = \\", "note", "syntax"))


def _stage(random: Random, names: list[str]) -> list[str]:
    flag = random.choice(
        ("",) * 8 + ("--platform=$BUILDPLATFORM ", "--platform=linux/arm64 ", "--platform=x/ ")
    )
    name = random.choice(("", f" AS {random.choice(NAMES)}", f" as {random.choice(NAMES)}"))
    keyword = random.choice(("FROM",) * 6 + ("from",))
    lines = [f"{keyword} {flag}{_base(random, names)}{name}"]
    if name:
        names.append(name.split()[1])
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        lines.append(_work(random, names))
    return lines


def _base(random: Random, names: list[str]) -> str:
    base = random.choice([*IMAGES, *names, *names, *NAMES[:2], "UP/x"])
    if base.endswith("@"):
        base += "sha256:" + "e" * random.choice((64, 64, 63))
    if random.random() < 0.35:
        form = random.choice(FORMS) % random.choice(ARGS)
        base = random.choice((form, f"{base}{form}", f"x/y:{form}", f"x/y:1{form}", f"a/{form}"))
    return base


def _work(random: Random, names: list[str]) -> str:
    source = random.choice(
        [*NAMES, *names, *names, "0", "1", "2", "busybox:2", "$V", "BASE", "r.io/x/y:1", "01"]
    )
    return random.choice(
        (
            f"COPY --from={source} / /",
            f"COPY --from={source} / /",
            f"copy --chown=1 --from={source} a b /",
            f"RUN --mount=type=bind,from={source},target=/x true",
            f"RUN --mount=from={source},target=/x --mount=type=cache,target=/y true",
            f"ONBUILD COPY --from={source} / /",
            f"RUN echo \\\n  # from\n\n --from={source}",
            f"RUN cat <<E\nFROM {source}\nE",
            'RUN ["cat", "<<E"]\nENV A=<<E\nRUN echo "<<E" $((1<<2))',
            "ENV A=1 B='x y'",
            "WORKDIR /x",
            "ARG V=7",
            "LABEL a=b",
        )
    )

"""The embedded engine's builds, judged by Docker: the same files, the same config, the same history."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from builds import Case, Judge, Link, Mode, Same, base_tar, tar_of
from servers import registry

from dockpass.engines.docker import open_engine
from dockpass.engines.embedded.engine import open_embedded
from dockpass.engines.endpoint import Endpoint
from dockpass.errors import DockpassError
from engine import Images

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.xdist_group("engine")]

ARCHIVE = tar_of(
    [
        ("d", {"type": tarfile.DIRTYPE, "mode": 0o750, "uid": 5, "gid": 6}, b""),
        ("d/x", {"mode": 0o640, "uid": 5, "gid": 6}, b"x"),
        ("d/h", {"type": tarfile.LNKTYPE, "linkname": "d/x", "mode": 0o640, "uid": 5, "gid": 6}, b""),
        ("d/l", {"type": tarfile.SYMTYPE, "linkname": "x", "mode": 0o777}, b""),
        ("late/y", {"mode": 0o600}, b"y"),
    ]
)


def gzipped(raw: bytes, mode: str = "gz") -> bytes:
    """Return an archive compressed anew."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(raw)) as old, tarfile.open(fileobj=buffer, mode=f"w:{mode}") as new:
        for member in old:
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    return buffer.getvalue()


def differences(ours: dict[str, object], theirs: dict[str, object]) -> list[str]:
    """Return what is not the same, a line each."""
    names = sorted(ours.keys() | theirs.keys())
    return [
        f"{name}: ours {ours.get(name)}, docker's {theirs.get(name)}"
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


TREE = {
    "a": "A",
    "b.txt": "B",
    "run.sh": Mode(0o755, "run"),
    "dir/one": "1",
    "dir/two.txt": "2",
    "dir/sub/three": Mode(0o600, "3"),
    "dir/link": Link("one"),
    "dir/out": Link("/etc/passwd"),
    "dir/empty": None,
    "dir/tight": Mode(0o700),
    "to-dir": Link("dir"),
    "to-a": Link("a"),
}

CASES = [
    Case("scratch", "FROM scratch\nCOPY a /\n"),
    Case("scratch-config", "FROM scratch\nLABEL only=config\n"),
    Case("copy-file", "FROM {base}\nCOPY a /new/file\n"),
    Case("copy-into", "FROM {base}\nCOPY a /new/\n"),
    Case("copy-over", "FROM {base}\nCOPY a /usr/bin/tool\n"),
    Case("copy-existing-directory", "FROM {base}\nCOPY a /tmp\n"),
    Case("copy-through-link", "FROM {base}\nCOPY a /bin/\nCOPY a /bin/b\n"),
    Case("copy-through-upward-link", "FROM {base}\nCOPY a /up/bin/c\n"),
    Case("copy-to-link", "FROM {base}\nCOPY a /srv/link\n"),
    Case("copy-directory", "FROM {base}\nCOPY dir /dst\n", TREE),
    Case("copy-directory-twice", "FROM {base}\nCOPY dir /dst\nCOPY dir/sub /dst/sub\n", TREE),
    Case("copy-all", "FROM {base}\nCOPY . /all/\n", TREE),
    Case("copy-all-workdir", "FROM {base}\nWORKDIR /w/x\nCOPY . .\n", TREE),
    Case("copy-directory-into-shared", "FROM {base}\nCOPY dir /tmp\n", TREE),
    Case("copy-directory-with-rights", "FROM {base}\nCOPY dir/tight /srv\n", TREE),
    Case("copy-several", "FROM {base}\nCOPY a b.txt dir/one /many/\n", TREE),
    Case("copy-json", 'FROM {base}\nCOPY ["a", "b.txt", "/with blank/"]\n', TREE),
    Case("copy-wild", "FROM {base}\nCOPY *.txt d*/on* /w/\n", TREE),
    Case("copy-wild-question", "FROM {base}\nCOPY ? /w/\n", TREE),
    Case("copy-wild-class", "FROM {base}\nCOPY [ab]* dir/[^so]* /w/\n", TREE),
    Case("copy-link-source", "FROM {base}\nCOPY to-a /x\nCOPY to-dir /y\n", TREE),
    Case("copy-rights", "FROM {base}\nCOPY run.sh /run.sh\nCOPY dir/tight /t\n", TREE),
    Case(
        "hard-links", "FROM {base}\nCOPY . /h/\n", {"x/one": "1", "x/two": Same("x/one"), "y": Same("x/one")}
    ),
    Case("chown-numbers", "FROM {base}\nCOPY --chown=7:8 dir /d/e\n", TREE),
    Case("chown-user-only", "FROM {base}\nCOPY --chown=7 a /d/\n"),
    Case("chown-names", "FROM {base}\nCOPY --chown=mia:team a /d\n"),
    Case("chown-variable", "FROM {base}\nARG who=3\nCOPY --chown=$who:4 a /d\n"),
    Case("add-file", "FROM {base}\nADD a /new/\n"),
    Case("add-tar", "FROM {base}\nADD x.tar /un\n", {"x.tar": ARCHIVE}),
    Case("add-tar-gz", "FROM {base}\nADD x.tgz /un/\n", {"x.tgz": gzipped(ARCHIVE)}),
    Case("add-tar-bz2", "FROM {base}\nADD x /un\n", {"x": gzipped(ARCHIVE, "bz2")}),
    Case("add-tar-xz", "FROM {base}\nADD x.xz /\n", {"x.xz": gzipped(ARCHIVE, "xz")}),
    Case("copy-tar-stays", "FROM {base}\nCOPY x.tar /un/\n", {"x.tar": ARCHIVE}),
    Case("add-not-an-archive", "FROM {base}\nADD x.tar /un/\n", {"x.tar": "just text"}),
    Case("workdir", "FROM {base}\nWORKDIR /a/b\nWORKDIR c\nWORKDIR ../d\n"),
    Case("workdir-there", "FROM {base}\nWORKDIR /tmp\nWORKDIR /bin\n"),
    Case("workdir-variable", "FROM {base}\nENV where=/q\nWORKDIR $where/r\n"),
    Case(
        "config",
        'FROM {base}\nENV a=1 b="two words" c=$PATH\nENV old the rest of it\nLABEL x=y "long name"=\'v $a\' z="$a"\n'
        'EXPOSE 80 443/tcp 53/udp 8000-8002\nVOLUME /data /more\nVOLUME ["/json"]\nUSER mia:team\n'
        "STOPSIGNAL SIGINT\nMAINTAINER Some Body\n",
    ),
    Case(
        "env-before",
        "FROM {base}\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=${abc}-${none:-dflt}${abc:+set}\n",
    ),
    Case("env-escapes", 'FROM {base}\nENV a=one\\ two b="q\\"q" c=\'$x\' d=\\$x\n'),
    Case("cmd-shell", "FROM {base}\nCMD echo  hi && ls\n"),
    Case("cmd-json", 'FROM {base}\nCMD ["x", "y"]\n'),
    Case("entrypoint-clears-nothing", 'FROM {base}\nCMD ["x"]\nENTRYPOINT ["e"]\n'),
    Case("entrypoint-shell", 'FROM {base}\nSHELL ["/bin/bash", "-lc"]\nENTRYPOINT run me\nCMD and me\n'),
    Case("health", "FROM {base}\nHEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD check it\n"),
    Case("health-json", 'FROM {base}\nHEALTHCHECK --start-period=5s CMD ["check", "it"]\n'),
    Case("health-none", "FROM {base}\nHEALTHCHECK NONE\n"),
    Case("onbuild", "FROM {base}\nONBUILD COPY a /later\nONBUILD ENV x=y\n"),
    Case(
        "args", "ARG V=1\nFROM {base}\nARG V\nARG W=w$V\nARG X\nLABEL v=$V w=$W x=$X\n", args={"X": "given"}
    ),
    Case("arg-not-declared", "ARG V=1\nFROM {base}\nLABEL v=-$V-\n"),
    Case("env-wins-over-arg", "FROM {base}\nARG V=arg\nENV V=env\nLABEL v=$V\n", args={"V": "given"}),
    Case("stages", "FROM {base} AS one\nCOPY a /f\nENV k=v\nFROM one\nCOPY a /g\n"),
    Case("from-stage", "FROM {base} AS one\nCOPY dir /dst\nFROM scratch\nCOPY --from=one /dst /got\n", TREE),
    Case(
        "from-stage-number",
        "FROM {base}\nCOPY dir /dst\nFROM scratch\nCOPY --from=0 /dst/sub/three /t\n",
        TREE,
    ),
    Case(
        "from-stage-owned",
        "FROM {base} AS one\nCOPY --chown=7:8 dir /dst\nFROM {base}\nCOPY --from=one /dst /got\n",
        TREE,
    ),
    Case(
        "from-stage-base-files",
        "FROM {base} AS one\nFROM scratch\nCOPY --from=one /srv /got\nCOPY --from=one /bin/same /s\n",
    ),
    Case("from-image", "FROM scratch\nCOPY --from={base} /usr/bin/tool /usr/bin/same /t/\n"),
    Case("target", "FROM {base} AS one\nCOPY a /one\nFROM one AS two\nCOPY a /two\n", target="one"),
    Case("continued", "FROM {base}\nENV a=1 \\\n  # a comment\n    b=2\nCOPY a \\\n  /x\n"),
    Case("escape-directive", "# escape=`\nFROM {base}\nENV a=1 `\n  b=2\nCOPY a /x`y\n"),
    Case("comments-and-case", "# hi\nfrom {base}\ncopy a /x\nlabel a=b\n"),
    Case("ignore", "FROM {base}\nCOPY . /all/\n", {**TREE, ".dockerignore": "*.txt\n**/sub\n!b.txt\n"}),
    Case(
        "ignore-dockerfile",
        "FROM {base}\nCOPY . /all/\n",
        {"a": "A", ".dockerignore": "Dockerfile\n.dockerignore\n"},
    ),
    Case("replace-in-own-layer", "FROM {base}\nCOPY a /x\nCOPY b.txt /x\n", TREE),
    Case("long-names", "FROM {base}\nCOPY . /l/\n", {"n" * 120 + "/" + "m" * 130: "x", "ü/ñ": "y"}),
    Case("chmod", "FROM {base}\nCOPY --chmod=640 dir /d\nCOPY --chmod=0711 a /e/\n", TREE, buildkit=True),
    Case(
        "from-stage-owned-kit",
        "FROM {base} AS one\nCOPY --chown=7:8 dir /dst\nFROM {base}\nCOPY --from=one /dst /got\n",
        TREE,
        buildkit=True,
    ),
    Case("directory-rights-kit", "FROM {base}\nCOPY dir/tight /t\nCOPY dir /srv\n", TREE, buildkit=True),
]

CLASHES = {
    "a": "A",
    "a b": "blank",
    "file/x": "a file",
    "dir/x/deep": "a directory",
    "link/x": Link("/srv"),
    "x.tar": tar_of([("x", {"mode": 0o644}, b"archived")]),
}
CASES += [
    Case(f"copy-{new}-over-{old}", f"FROM {{base}}\nCOPY {old} /q\nCOPY {new} /q\n", CLASHES)
    for new in ("file", "dir", "link")
    for old in ("file", "dir", "link")
    if new != old
] + [
    Case("copy-directory-over-base-file", "FROM {base}\nCOPY data /\n", {"data/usr/bin/tool/x": "x"}),
    Case("copy-file-over-directory-within", "FROM {base}\nCOPY dir /q\nCOPY file/x /q/\n", CLASHES),
    Case("add-file-over-directory", "FROM {base}\nCOPY dir /q\nADD x.tar /q\n", CLASHES),
    Case("copy-blank-json", 'FROM {base}\nCOPY ["a b", "/x y"]\n', CLASHES),
    Case("copy-quotes-that-join-nothing", "FROM {base}\nCOPY \"a\" fi'le'/x /q/\n", CLASHES),
    Case("copy-variable-with-blank", 'FROM {base}\nENV v="a b"\nCOPY $v /x/\n', CLASHES),
    Case("user-blank", "FROM {base}\nUSER ${a:-mia x}\n"),
    Case("variable-words-quoted", 'FROM {base}\nENV x="${a:-words with blanks}"\n'),
]


@pytest.fixture(scope="module")
def judge(docker_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Both engines, a registry, and a base image there."""
    images = Images(docker_host)
    with ExitStack() as stack:
        host = stack.enter_context(registry("none")).host
        base = f"{host}/base:1"
        by_docker = open_engine(Endpoint(docker_host, "the test"))
        stack.callback(by_docker.close)
        images.docker("import", "-c", 'CMD ["base"]', "-c", "ENV PATH=/usr/bin", "-", base, stdin=base_tar())
        images.made.append(base)
        images.docker("push", base)
        store = tmp_path_factory.mktemp("store")
        yield Judge(images, by_docker, open_embedded(store, "the test", {}), host, base)
        images.forget(*images.made)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_docker_and_we_build_the_same(judge: Judge, tmp_path: Path, case: Case) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "ours").mkdir()
    theirs = judge.docker_builds(case, tmp_path / "docker")
    ours = judge.we_build(case, tmp_path / "ours")
    assert differences(judge.files(ours), judge.files(theirs)) == []
    assert differences(judge.config(ours), judge.config(theirs)) == []


def generated(seed: int) -> Case:
    """Return a build that a seed makes up; the same one each time."""
    dice = random.Random(seed)
    lines = ["FROM {base} AS one", "ARG v=w", "ENV e=f"]
    for _ in range(dice.randint(3, 7)):
        lines.append(dice.choice(STEPS))
    if dice.random() < 0.5:
        lines += [dice.choice(["FROM one", "FROM scratch", "FROM {base}"]), "COPY --from=one /srv /got"]
        lines += [dice.choice(STEPS) for _ in range(dice.randint(1, 3))]
    ignored = "\n".join(dice.sample(["*.txt", "dir/sub", "!b.txt", "**/one", "to-*"], 2))
    return Case(f"seed-{seed}", "\n".join(lines) + "\n", {**TREE, ".dockerignore": ignored})


STEPS = [
    *("COPY a /x", "COPY a /x/", "COPY dir /dst", "COPY d*/t* /w/", "COPY . /all/", "COPY a $e/$v/"),
    *("ADD a /y", "COPY --chown=3:4 dir/ti* /o", "WORKDIR /w/z", "WORKDIR r", "USER mia", "ARG v=2"),
    *(
        "ENV g=${v:-h} e=i",
        "LABEL l=$v m=${e}",
        "CMD run $v",
        'CMD ["c"]',
        'ENTRYPOINT ["e"]',
        "EXPOSE 80 9/udp",
    ),
    *(
        "VOLUME /vol",
        "HEALTHCHECK --timeout=3s CMD x",
        'SHELL ["/s", "-c"]',
        "STOPSIGNAL 9",
        "ONBUILD COPY a /z",
    ),
]
SEEDS = 18


@pytest.mark.parametrize("seed", range(SEEDS))
def test_generated_builds_are_the_same(judge: Judge, tmp_path: Path, seed: int) -> None:
    case = generated(seed)
    outcomes: list[tuple[object, object] | None] = []
    for build, place in ((judge.docker_builds, "docker"), (judge.we_build, "ours")):
        (tmp_path / place).mkdir()
        try:
            name = build(case, tmp_path / place)
            outcomes.append((judge.files(name), judge.config(name)))
        except DockpassError:
            outcomes.append(None)
    assert outcomes[1] == outcomes[0], case.dockerfile

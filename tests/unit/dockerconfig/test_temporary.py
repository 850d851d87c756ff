"""The temporary config: what is in it, who may read it, and that it goes away."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needed import missing

from dockpass.dockerconfig import guardian, places, temporary
from dockpass.dockerconfig.configfile import read_config
from dockpass.dockerconfig.places import Place, is_in_memory
from dockpass.dockerconfig.temporary import DUMMY_HOST, TemporaryConfig, config_json
from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

HOST = "registry.example"
ENTRIES = {HOST: Credential("me", Secret("canary-secret"))}


def create(directory: Path, entries: dict[str, Credential] | None = None, **more: object) -> TemporaryConfig:
    where = (Place(directory, "the test"),)
    return TemporaryConfig.create(ENTRIES if entries is None else entries, environ={}, where=where, **more)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_modes_are_the_same_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        config = create(tmp_path)
    finally:
        os.umask(before)
    assert mode(config.path) == 0o700
    assert mode(config.config_file) == 0o600
    assert config.remove().gone


def test_a_set_group_bit_of_the_place_is_not_taken_over(tmp_path: Path) -> None:
    tmp_path.chmod(0o2700)
    config = create(tmp_path)
    assert mode(config.path) == 0o700
    config.remove()


def test_it_holds_exactly_the_entries_and_removal_looks_again(tmp_path: Path) -> None:
    config = create(tmp_path)
    assert read_config(config.path).entries[HOST].credential == ENTRIES[HOST]
    assert read_config(config.path).findings == ()
    assert config.hosts == (HOST,)
    assert config.where == "the test"
    assert re.fullmatch(rf"dockpass-{os.getpid()}-[0-9a-f]{{12}}", config.path.name)
    removal = config.remove()
    assert (removal.gone, removal.detail) == (True, "removed and verified")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("entries", [{}, ENTRIES], ids=["without entries", "with entries"])
def test_a_dummy_in_every_config_keeps_docker_from_looking_elsewhere(
    tmp_path: Path, entries: dict[str, Credential]
) -> None:
    config = create(tmp_path, entries)
    assert list(read_config(config.path).entries) == [*entries, DUMMY_HOST]
    assert DUMMY_HOST.endswith(".invalid")
    assert config.hosts == tuple(entries)
    config.remove()


def test_docker_asks_no_keychain_after_a_logout_with_this_config(tmp_path: Path) -> None:
    """The docker CLI picks `docker-credential-secretservice` or `pass` for a config without entries."""
    if shutil.which("docker") is None:
        missing("the docker command line is the judge")
    helpers, asked = tmp_path / "bin", tmp_path / "asked"
    helpers.mkdir()
    for name in ("docker-credential-secretservice", "docker-credential-pass", "pass"):
        (helpers / name).write_text(f"#!/bin/sh\necho {name} $1 >> {asked}\ncat > /dev/null\necho '{{}}'\n")
        (helpers / name).chmod(0o755)
    config = create(tmp_path)
    environ = {
        "PATH": f"{helpers}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(config.path),
    }
    try:
        for host in (HOST, "other.example"):
            subprocess.run(
                ["docker", "logout", host], env=environ, check=True, capture_output=True, timeout=20
            )
        assert list(read_config(config.path).entries) == [DUMMY_HOST]
        assert not asked.exists()
        # The judge sees a difference: without the dummy entry it does ask a keychain.
        config.config_file.write_text('{"auths": {}}')
        subprocess.run(["docker", "logout", HOST], env=environ, check=False, capture_output=True, timeout=20)
        assert asked.exists()
    finally:
        config.remove()


def test_other_sections_are_kept_and_credentials_among_them_refused(tmp_path: Path) -> None:
    proxies = {"default": {"httpProxy": "http://proxy.example"}}
    config = create(tmp_path, extra={"proxies": proxies})
    assert json.loads(config.config_file.read_text())["proxies"] == proxies
    config.remove()
    for name in ("auths", "credsStore", "CredHelpers"):
        with pytest.raises(ValueError, match=name):
            create(tmp_path, extra={name: {}})
    assert list(tmp_path.iterdir()) == []


def test_no_secret_shows_in_it(tmp_path: Path) -> None:
    config = create(tmp_path)
    assert "canary" not in repr(config) + repr(vars(config))
    config.remove()


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_USER = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":"), min_size=1)
_SECRET = _TEXT.filter(lambda text: text.strip("\0") == text).map(Secret)
_TOKEN = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(Secret)
_CREDENTIALS = st.builds(Credential, _USER, _SECRET) | st.builds(
    Credential, st.just("") | _USER, st.just(Secret("")), _TOKEN
)


@given(st.dictionaries(_TEXT, _CREDENTIALS, min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(entries: dict[str, Credential]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.json")
        file.write_text(config_json(entries, {}))
        file.chmod(0o600)
        read = read_config(Path(directory))
    found = {key: entry.credential for key, entry in read.entries.items() if key != DUMMY_HOST}
    assert found == entries
    assert read.findings == ()


def test_bytes_of_the_environment_that_are_no_text_are_written_as_they_were() -> None:
    value = b"p\xffw".decode("utf-8", "surrogateescape")
    written = json.loads(config_json({HOST: Credential("me", Secret(value))}, {}))
    assert written["auths"][HOST]["auth"] == "bWU6cP93"


@pytest.mark.parametrize(
    "credential",
    [
        Credential("a:b", Secret("canary")),
        Credential("", Secret("canary")),
        Credential("me", Secret("canary\ud800")),
        Credential("", Secret(""), Secret("canary\ud800")),
    ],
)
def test_what_docker_could_not_read_back_is_refused_before_anything_is_created(
    tmp_path: Path, credential: Credential
) -> None:
    with pytest.raises(DockpassError) as caught:
        create(tmp_path, {HOST: credential})
    assert caught.value.id == "credential-not-written"
    assert HOST in caught.value.message
    assert "canary" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_fails_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    where = (
        Place(tmp_path / "none", "the first"),
        Place(tmp_path, "the second", "it is not liked"),
        Place(tmp_path, "the third"),
    )
    config = TemporaryConfig.create(ENTRIES, environ={}, where=where)
    assert config.where == (
        f"the third; not {tmp_path}/none: No such file or directory; not the second: it is not liked"
    )
    config.remove()


def test_without_any_place_the_error_names_each(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DockpassError) as caught:
        TemporaryConfig.create(ENTRIES, environ={}, where=(Place(tmp_path / "none", "a"), Place(file, "b")))
    assert caught.value.id == "config-not-created"
    assert str(file) in caught.value.message
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    script = """if True:
        import resource, sys
        from pathlib import Path
        from dockpass.references.credential import Credential
        from dockpass.dockerconfig.places import Place
        from dockpass.dockerconfig.temporary import TemporaryConfig
        from dockpass.errors import DockpassError
        from dockpass.secrets import Secret
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))  # no file may grow further
        try:
            entries = {"a.example": Credential("me", Secret("canary-secret"))}
            TemporaryConfig.create(entries, environ={}, where=(Place(Path(sys.argv[1]), "the test"),))
        except DockpassError as error:
            print(error.id, error.message)
    """
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.startswith("config-not-created"), done.stderr
    assert "File too large" in done.stdout
    assert "canary" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_it_is_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(temporary, "write_private", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_link_under_its_name_is_neither_followed_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "precious").write_text("")
    name = "dockpass-1-000000000000"
    (tmp_path / name).symlink_to(victim)
    monkeypatch.setattr(temporary, "new_name", lambda: name)
    with pytest.raises(DockpassError):
        create(tmp_path)
    assert (tmp_path / name).is_symlink()
    assert [path.name for path in victim.iterdir()] == ["precious"]


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_what_took_its_place_is_not_removed(tmp_path: Path, kind: str) -> None:
    config = create(tmp_path)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "precious").write_text("")
    config.path.rename(tmp_path / "moved")
    if kind == "link":
        config.path.symlink_to(victim)
    else:
        victim.rename(config.path)
        victim = config.path
    removal = config.remove()
    assert not removal.gone
    assert str(config.path) in removal.detail
    assert "something else is in its place" in removal.detail
    assert [path.name for path in victim.iterdir()] == ["precious"]


def test_links_in_it_are_removed_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("")
    config = create(tmp_path)
    (config.path / "plugins").symlink_to(victim)
    (config.path / "buildx" / "deep").mkdir(parents=True)
    (config.path / "buildx" / "deep" / "state").write_text("")
    assert config.remove().gone
    assert [path.name for path in victim.iterdir()] == ["precious"]


def test_removing_twice_tells_the_same_and_one_that_is_gone_is_told(tmp_path: Path) -> None:
    config = create(tmp_path)
    assert config.remove() is config.remove()
    config = create(tmp_path)
    config.path.rename(tmp_path / "elsewhere")
    assert config.remove().detail == "it was already gone"


def test_many_threads_may_remove_it_at_once(tmp_path: Path) -> None:
    config = create(tmp_path)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(config.remove())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(seen) == 8
    assert all(removal.gone for removal in seen)


def test_without_a_guardian_it_stands_all_the_same_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for executable in ("/no/such/python", "/bin/false"):
        monkeypatch.setattr(guardian.sys, "executable", executable)
        config = create(tmp_path)
        assert "no guardian" in config.where
        assert config.config_file.is_file()
        assert config.remove().gone


def test_a_relative_place_becomes_an_absolute_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = create(Path())
    assert config.path.is_absolute()
    monkeypatch.chdir("/")
    assert config.remove().gone
    assert list(tmp_path.iterdir()) == []


def test_places_are_private_or_refused_with_the_reason(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o755)
    found = places.places({"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(tmp_path)})
    assert [place.path for place in found] == [
        runtime, Path("/dev/shm"), tmp_path, Path("/tmp"), Path("/var/tmp"),
    ]  # fmt: skip
    assert found[0].refused == "its mode is 0755, not 0700"
    assert found[2].refused == ""
    runtime.chmod(0o700)
    expected = "" if is_in_memory(runtime) else "it is not in memory"
    assert places.places({"XDG_RUNTIME_DIR": str(runtime)})[0].refused == expected
    link = tmp_path / "link"
    link.symlink_to(runtime)
    assert places.places({"XDG_RUNTIME_DIR": str(link)})[0].refused == "it is not a directory"
    assert places.places({"XDG_RUNTIME_DIR": "/no/such"})[0].refused == "it does not exist"


def test_a_temp_directory_in_which_everybody_may_rename_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    refused = {place.path: place.refused for place in places.places({"TMPDIR": str(tmp_path)})}
    assert refused[tmp_path] == "everybody may rename what is in it"
    tmp_path.chmod(0o1777)
    refused = {place.path: place.refused for place in places.places({"TMPDIR": str(tmp_path)})}
    assert refused[tmp_path] == ""
    tmp_path.chmod(0o700)


def test_memory_is_told_from_disk_by_the_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(places, "_MOUNTS", mounts)
    for kind, expected in (("tmpfs", True), ("ramfs", True), ("ext4", False)):
        mounts.write_text(f"junk\n1 2 0:0 / /x rw - tmpfs x rw\n1 2 {number} / / rw shared:1 - {kind} x rw\n")
        assert is_in_memory(tmp_path) is expected
    mounts.unlink()
    assert is_in_memory(tmp_path) is False
    assert is_in_memory(tmp_path / "none") is False


def test_a_real_shared_memory_is_in_memory() -> None:
    config = TemporaryConfig.create({}, environ={})
    assert config.on_tmpfs is is_in_memory(config.path.parent)
    if config.path.parent == Path("/dev/shm"):
        assert config.where == "shared memory, as XDG_RUNTIME_DIR is not set"
    assert config.remove().gone

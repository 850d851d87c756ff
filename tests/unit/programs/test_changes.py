"""What a login inside changed is told by its host, and never by its value."""

from __future__ import annotations

import json
from pathlib import Path

from dockpass.dockerconfig.configfile import ConfigFile, read_config
from dockpass.dockerconfig.temporary import config_json
from dockpass.programs.changes import changes
from dockpass.programs.events import ConfigChanged
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

ONE, TWO = Credential("me", Secret("one-secret")), Credential("me", Secret("two-secret"))


def read(directory: Path, text: str) -> ConfigFile:
    (directory / "config.json").write_text(text)
    return read_config(directory)


def test_logins_that_were_added_replaced_and_removed(tmp_path: Path) -> None:
    before = read(tmp_path, config_json({"a.example": ONE, "b.example": ONE}, {}))
    same = read(tmp_path, config_json({"b.example": ONE, "a.example": ONE}, {"proxies": {}}))
    assert changes(1.0, before, same) is None
    after = read(
        tmp_path,
        json.dumps({"auths": json.loads(config_json({"b.example": TWO, "c.example": ONE}, {}))["auths"]}),
    )
    found = changes(1.0, before, after)
    assert found == ConfigChanged(1.0, ("c.example",), ("b.example",), ("a.example",))
    assert "secret" not in repr(found)


def test_a_config_that_is_gone_or_broken_has_lost_its_logins(tmp_path: Path) -> None:
    before = read(tmp_path, config_json({"a.example": ONE}, {}))
    for text in ("", "[", "{}"):
        found = changes(1.0, before, read(tmp_path, text))
        assert found == ConfigChanged(1.0, (), (), ("a.example",))


def test_the_dummy_is_no_login(tmp_path: Path) -> None:
    before = read(tmp_path, config_json({}, {}))
    assert changes(1.0, before, read(tmp_path, "{}")) is None

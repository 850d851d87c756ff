"""--env-file takes any format; what was recognised and what was left out is told, without any value."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.unknown import Unknown
from dockpass.variables.envsource import read_env_source
from dockpass.variables.formats.catalogue import FORMATS

CANARY = "canary-0123456789"


def file(folder: Path, text: str | bytes, name: str = "job.env") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_job_log_is_recognised_and_what_it_masks_is_there_without_its_value(tmp_path: Path) -> None:
    stamp = "2026-05-22T12:43:46.962646Z 01O "
    path = file(tmp_path, f'{stamp}export CI_REGISTRY="r.example"\n{stamp}export CI_JOB_TOKEN="[MASKED]"\n')
    found, notes = read_env_source(path, {})
    masked = Unknown("masked in the log", is_set=True)
    assert {name: each.value for name, each in found.items()} == {
        "CI_REGISTRY": "r.example", "CI_JOB_TOKEN": masked,
    }  # fmt: skip
    assert found["CI_REGISTRY"].source.detail == f"{path}:1"
    assert [(note.id, note.about) for note in notes] == [
        ("env-file-format", str(path)), ("value-unknown", "CI_JOB_TOKEN"),
    ]  # fmt: skip
    assert "job-log" in notes[0].message
    assert f"{path}:2" in notes[1].message


def test_a_scoped_and_a_file_variable_are_left_out_and_a_hidden_one_is_not_known(tmp_path: Path) -> None:
    rows = (
        '[{"key":"A","value":"%s"},{"key":"B","value":"%s","environment_scope":"prod"},'
        '{"key":"F","value":"%s","variable_type":"file"},{"key":"H","value":null,"hidden":true}]'
    ) % ((CANARY,) * 3)
    found, notes = read_env_source(file(tmp_path, rows), {})
    assert {name: each.value for name, each in found.items() if name != "A"} == {
        "H": Unknown("GitLab does not show it", is_set=True)
    }
    assert [(note.about, note.id) for note in notes[1:]] == [
        ("B", "env-file-left-out"), ("F", "env-file-left-out"), ("H", "value-unknown"),
    ]  # fmt: skip
    assert CANARY not in "".join(f"{note.about}{note.message}{note.hint}" for note in notes)


def test_a_file_of_dockers_and_a_dump_are_read_as_ever(tmp_path: Path) -> None:
    found, notes = read_env_source(file(tmp_path, "K='a b'\n"), {})
    assert (found["K"].value, notes) == ("'a b'", ())
    found, notes = read_env_source(file(tmp_path, "export K='a b'\nexport L=$(id)\n"), {})
    assert ([found[name].value for name in "KL"], notes) == (["a b", "$(id)"], ())
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        read_env_source(file(tmp_path, "A=" + "x" * (1 << 20)), {})


def test_a_named_format_overrides(tmp_path: Path) -> None:
    path = file(tmp_path, "K='a b'\nexport L=$(id)\n")
    assert read_env_source(path, {}, "shell")[0]["K"].value == "a b"
    assert isinstance(read_env_source(path, {}, "shell")[0]["L"].value, Unknown)
    found, _ = read_env_source(file(tmp_path, "CI_JOB_TOKEN\n"), {"CI_JOB_TOKEN": "t"}, "docker")
    assert found["CI_JOB_TOKEN"].value == Secret("t")
    with pytest.raises(UsageError) as caught:
        read_env_source(path, {}, "nonsense")
    assert caught.value.id == "env-format"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("CI_JOB_TOKEN=[MASKED]\n", None),
        ("CI_JOB_TOKEN=[MASKED]\n", "docker"),
        ("CI_JOB_TOKEN=[MASKED]\n", "env"),
        ("export CI_JOB_TOKEN='[MASKED]'\n", None),
        ('declare -x CI_JOB_TOKEN="[MASKED]"\n', "shell"),
        ("+ CI_JOB_TOKEN='[MASKED]'\n++ export CI_JOB_TOKEN\n", None),
        ('CI_JOB_TOKEN="[MASKED]xxxx"\n', "node-dotenv"),
    ],
)
def test_a_mask_is_no_value_in_any_format(tmp_path: Path, text: str, named: str | None) -> None:
    found, notes = read_env_source(file(tmp_path, text), {}, named)
    assert found["CI_JOB_TOKEN"].value == Unknown("masked in the log", is_set=True)
    assert [note.about for note in notes if note.id == "value-unknown"] == ["CI_JOB_TOKEN"]


def test_a_value_that_only_looks_like_a_mask_stays(tmp_path: Path) -> None:
    found, _ = read_env_source(file(tmp_path, "A=[masked]\nB=MASKED\nC=a[MASKED]b\nD=****\n"), {})
    assert [str(found[name].value) for name in "ABCD"] == ["[masked]", "MASKED", "a[MASKED]b", "****"]


def test_env_0_is_recognised(tmp_path: Path) -> None:
    assert read_env_source(file(tmp_path, "A=1\0B=x\ny\0"), {})[0]["B"].value == "x\ny"


def test_the_documentation_names_every_format() -> None:
    page = (Path(__file__).parents[3] / "docs/command-line.md").read_text()
    assert not [name for name in FORMATS if f"`{name}`" not in page]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["A=1\nB=zo\u00eb\n", "export A='1'\nexport B='zo\u00eb'\n"])
def test_utf16_with_its_mark_is_read_and_told_once(encoding: str, text: str, tmp_path: Path) -> None:
    found, notes = read_env_source(file(tmp_path, f"\ufeff{text}".encode(encoding)), {})
    assert {name: each.value for name, each in found.items()} == {"A": "1", "B": "zo\u00eb"}
    assert [note.id for note in notes] == ["env-file-encoding"]


def test_utf16_in_a_format_that_is_named_is_told_once(tmp_path: Path) -> None:
    _, notes = read_env_source(file(tmp_path, "\ufeffA=1\r\n".encode("utf-16-le")), {}, "compose")
    assert [note.id for note in notes] == ["env-file-format", "env-file-encoding", "env-file-crlf"]


@pytest.mark.parametrize("raw", [b"\xff\xfeA\x00=\x00\x01", b"A\0=\x001\0"])
def test_what_only_looks_like_utf16_is_no_text(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_env_source(file(tmp_path, raw), {})
    assert caught.value.id == "env-file-binary"

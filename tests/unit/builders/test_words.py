"""A build as the words that buildx, podman and buildah take alike."""

from __future__ import annotations

from pathlib import Path

from dockpass.builders.options import cache_reference
from dockpass.builders.words import build_words
from dockpass.engines.base import BuildExtras, BuildRequest, BuildSecret
from dockpass.secrets import Secret

CANARY = "canary-value-of-a-secret"


def request(tmp_path: Path, extras: BuildExtras) -> BuildRequest:
    return BuildRequest(tmp_path, tmp_path / "Dockerfile", ("a:1", "a:2"), extras=extras)


def test_a_secret_goes_by_a_variable_unless_it_is_kept_in_a_file(tmp_path: Path) -> None:
    secrets = (BuildSecret(id="key", file=tmp_path / "key"), BuildSecret(id="tok", value=Secret(CANARY)))
    asked = request(tmp_path, BuildExtras(secrets=secrets))
    words, environ = build_words(asked, {"PATH": "/bin"})
    assert ("id=key,src=" + str(tmp_path / "key"), "id=tok,env=DOCKPASS_BUILD_SECRET_1") == (
        words[1],
        words[3],
    )
    assert environ == {"PATH": "/bin", "DOCKPASS_BUILD_SECRET_1": CANARY}
    kept: list[tuple[str, str]] = []

    def keep(name: str, value: Secret) -> str:
        kept.append((name, value.reveal()))
        return f"/run/{name}"

    words, environ = build_words(asked, {"PATH": "/bin"}, keep=keep)
    assert words[3] == "id=tok,src=/run/secret-1"
    assert (kept, environ) == ([("secret-1", CANARY)], {"PATH": "/bin"})


def test_what_is_not_asked_for_is_no_word(tmp_path: Path) -> None:
    words, _ = build_words(request(tmp_path, BuildExtras()), {})
    assert words == ["--tag", "a:1", "--tag", "a:2", "--file", str(tmp_path / "Dockerfile")]


def test_a_cache_is_spelled_as_the_program_takes_it(tmp_path: Path) -> None:
    asked = request(tmp_path, BuildExtras(cache_from=("type=registry,ref=a/b",), cache_to=("a/c",)))
    assert {"type=registry,ref=a/b", "a/c"} <= set(build_words(asked, {})[0])
    assert {"a/b", "a/c"} <= set(build_words(asked, {}, cache=cache_reference)[0])

"""References are parsed as docker does, and what is wrong is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import UsageError
from dockpass.references.reference import is_repository_path, parse_reference, parse_repository

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("alpine", "docker.io/library/alpine", "alpine"),
        ("alpine:3.9", "docker.io/library/alpine:3.9", "alpine:3.9"),
        ("me/app", "docker.io/me/app", "me/app"),
        ("docker.io/me/app:1", "docker.io/me/app:1", "me/app:1"),
        ("index.docker.io/alpine", "docker.io/library/alpine", "alpine"),
        ("library/alpine", "docker.io/library/alpine", "alpine"),
        ("library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("docker.io/localhost/x", "docker.io/localhost/x", "docker.io/localhost/x"),
        ("localhost/app", "localhost/app", "localhost/app"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("REG.example.org/a/b", "reg.example.org/a/b", "reg.example.org/a/b"),
        (
            "registry.myhost.com/web/backend",
            "registry.myhost.com/web/backend",
            "registry.myhost.com/web/backend",
        ),
        ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
        ("registry.myhost.com", "docker.io/library/registry.myhost.com", "registry.myhost.com"),
        (f"r.io/a@{DIGEST}", f"r.io/a@{DIGEST}", f"r.io/a@{DIGEST}"),
        (f"r.io/a:v1@{DIGEST}", f"r.io/a:v1@{DIGEST}", f"r.io/a:v1@{DIGEST}"),
        ("r.io/a__b/c--d/e.f", "r.io/a__b/c--d/e.f", "r.io/a__b/c--d/e.f"),
    ],
)
def test_a_reference_has_a_full_and_a_familiar_form(text: str, canonical: str, familiar: str) -> None:
    parsed = parse_reference(text)
    assert str(parsed) == canonical
    assert parsed.familiar == familiar
    assert parse_reference(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("https://evil@good", "scheme"),
        ("https://registry.myhost.com/web", "scheme"),
        ("user@host/app", "the digest “host/app”"),
        ("a b", "“a b”"),
        ("r.io/a b", "“a b”"),
        (" r.io/a", "the host “ r.io”"),
        ("r.io/a ", "“a ”"),
        ("r.io/a\n", "may hold only"),
        ("-oX", "the part “-oX” begins"),
        ("r.io/-oX", "the part “-oX” begins"),
        ("-r.io/x", "the host “-r.io”"),
        ("registry。myhost.com/x", "the host “registry。myhost.com”"),
        ("r．io/x", "the part “r．io”"),
        ("r.io/İ", "may hold only"),
        ("r.io/Web", "the part “Web” has upper-case"),
        ("FOO/bar", "the part “FOO” has upper-case"),
        ("r.io//x", "between two slashes"),
        ("r.io/x/", "between two slashes"),
        ("/x", "between two slashes"),
        ("r.io/", "between two slashes"),
        ("r.io/a...b", "may hold only"),
        ("r.io/a_", "begins or ends with a separator"),
        ("r.io:99999/x", "port 99999"),
        ("r.io:0/x", "port 0"),
        ("r.io:/x", "the host “r.io:”"),
        ("r.io:5000x/y", "the host “r.io:5000x”"),
        ("[::1]", "no path behind it"),
        ("[::1]:5000", "no path behind it"),
        ("r.io/a:", "the tag “” is empty"),
        ("r.io/a:-x", "begins with “-”"),
        ("r.io/a:" + "t" * 129, "129 characters"),
        ("r.io/a:b c", "the tag “b c”"),
        ("r.io/a@sha256:123", "the digest “sha256:123”"),
        ("r.io/a@", "the digest “”"),
        ("a1" * 32, "image id"),
        ("r.io/" + "a" * 260, "265 characters"),
        ("r.io/a\x1b[31mb", "part"),
    ],
)
def test_what_is_wrong_is_named(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert caught.value.id == "reference-invalid"
    assert part in caught.value.message
    assert caught.value.hint
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("r.io/a:v1", "the tag v1"),
        (f"r.io/a@{DIGEST}", "a digest"),
        ("registry.myhost.com:5000", "the path of the repository is missing"),
    ],
)
def test_a_repository_has_neither_tag_nor_digest(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_repository(text)
    assert words in caught.value.message


def test_the_hint_says_what_to_give_in_place_of_a_tagged_repository() -> None:
    with pytest.raises(UsageError) as caught:
        parse_repository("me/app:1")
    assert caught.value.hint == "Give me/app."


@pytest.mark.parametrize(
    "text",
    [
        "https://me:canary-pw@r.io/x",
        "me:canary-pw@r.io/x",
        "http://me:canary-pw@r.io:5000/a:b",
        "me:p@canary-pw@host/x",
        "me:p/canary-pw@host/x",
        ":canary-pw@host/x",
        "me:canary-pw@host",
        "me:canary-pw@host/x@sha256:0",
        "https://me:p@canary-pw@host/x",
    ],
)
def test_a_password_in_an_address_is_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"
    assert "user name with a password" in caught.value.message or "scheme" in caught.value.message


@pytest.mark.parametrize("text", ["host:5000/app@v1", "host.example/app:v1@latest", "[::1]:5000/a@v1"])
def test_a_port_or_a_tag_is_no_password(text: str) -> None:
    with pytest.raises(UsageError, match="the digest “") as caught:
        parse_reference(text)
    assert f"“{text}”" in caught.value.message


@given(st.text(alphabet="ab.:/@-_A[]0 \x00\u2024", max_size=40))
def test_any_text_is_parsed_or_refused_and_a_parsed_one_is_stable(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except UsageError as error:
        refused = error
    else:
        assert parse_reference(str(parsed)) == parsed
        assert parse_reference(parsed.familiar) == parsed
        return
    assert refused.message.isprintable()


@pytest.mark.parametrize(
    ("path", "valid"),
    [
        ("a", True),
        ("web/backend-1/a__b.c", True),
        ("a" * 255, True),
        ("a" * 256, False),
        ("", False),
        ("a//b", False),
        ("/a", False),
        ("a/", False),
        ("A", False),
        ("a/..", False),
        ("a:b", False),
        ("a\n", False),
    ],
)
def test_the_path_of_a_repository(path: str, valid: bool) -> None:
    assert is_repository_path(path) is valid

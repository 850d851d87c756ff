"""A login in a program's output is masked wherever the output is cut, and nothing else is changed."""

from __future__ import annotations

import base64
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.programs.masking import Filter, MaskedPipe, spellings
from dockpass.programs.outputs import Mask, Outputs
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

PASSWORD = 'pa"ss/wörd+0123'
LOGIN = Credential("me", Secret(PASSWORD))
RAW = PASSWORD.encode()


def filtered(secrets: set[bytes], chunks: list[bytes]) -> bytes:
    made = Filter(secrets)
    return b"".join([*map(made, chunks), made.rest()])


@pytest.mark.parametrize(
    "form",
    [
        RAW,
        base64.b64encode(RAW),
        base64.b64encode(b"me:" + RAW),
        base64.b64encode(b'{"p":"' + RAW + b'"}'),
        base64.urlsafe_b64encode(b"xx" + RAW + b"yy"),
        b"pa%22ss%2Fw%C3%B6rd%2B0123",
        b'pa\\"ss/w\\u00f6rd+0123',
    ],
)
def test_every_spelling_is_masked_in_equal_length(form: bytes) -> None:
    text = b"before " + form + b" after"
    shown = filtered(spellings(LOGIN), [text])
    assert len(shown) == len(text)
    assert shown.startswith(b"before ")
    assert shown.endswith(b" after")
    assert not any(secret in shown for secret in spellings(LOGIN))
    assert b"****" in shown


@given(
    st.lists(
        st.sampled_from([b"secretone", b"secretoneandtwo", b"twosecrets", b"s", b"secret", b"\n"]), max_size=8
    ),
    st.lists(st.integers(1, 12), min_size=1, max_size=30),
)
def test_where_it_is_cut_makes_no_difference(parts: list[bytes], sizes: list[int]) -> None:
    secrets, text = {b"secretone", b"secretoneandtwo", b"twosecrets"}, b"".join(parts)
    cuts, at, turn = [], 0, 0
    while at < len(text):
        cuts.append(text[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    assert filtered(secrets, cuts) == filtered(secrets, [text])
    assert not any(secret in filtered(secrets, cuts) for secret in secrets)


def test_a_prompt_without_a_line_end_comes_at_once_and_a_beginning_is_held_back() -> None:
    made = Filter({b"secretone"})
    assert made(b"Password: ") == b"Password: "
    assert made(b"the sec") == b"the "
    assert made(b"ond") == b"second"
    assert made(b" se") + made.rest() == b" se"


def test_random_data_is_left_as_it_is() -> None:
    data = random.Random(1).randbytes(1 << 20)
    assert filtered(spellings(LOGIN), [data[at : at + 65536] for at in range(0, len(data), 65536)]) == data


def test_short_secrets_are_no_reason_to_change_anything() -> None:
    assert spellings(Credential("me", Secret("1234567"))) == set()
    assert spellings(Credential("", Secret(""), Secret("identity-token")))


def test_a_daemon_that_keeps_the_pipe_open_is_not_waited_for() -> None:
    reading, target = os.pipe()
    pipe = MaskedPipe(target, {b"secretone"})
    daemon = os.dup(pipe.writing)
    os.write(daemon, b"a secretone")
    pipe.start()
    pipe.finish()
    assert os.read(reading, 100) == b"a *********"
    with pytest.raises(BrokenPipeError):
        os.write(daemon, b"more")
    for handle in (reading, target, daemon):
        os.close(handle)


def test_a_reader_that_went_away_is_told_to_the_program() -> None:
    reading, target = os.pipe()
    os.close(reading)
    pipe = MaskedPipe(target, {b"secretone"})
    program = os.dup(pipe.writing)
    pipe.start()
    os.write(program, b"nobody reads this")
    pipe.finish()
    with pytest.raises(BrokenPipeError):
        os.write(program, b"nor this")
    os.close(program)
    os.close(target)


@pytest.mark.parametrize(("mask", "masked"), [(Mask.AUTO, [2]), (Mask.ALL, [1, 2]), (Mask.NONE, [])])
def test_data_is_masked_on_request_only(mask: Mask, masked: list[int]) -> None:
    before = [os.dup(number) for number in (1, 2)]
    pipes = [os.pipe(), os.pipe()]
    try:
        for number, (_, writing) in zip((1, 2), pipes, strict=True):
            os.dup2(writing, number)
        outputs = Outputs(mask, {b"secretone"})
        assert [target for _, _, target in outputs.actions] == masked
        os.dup2(1, 2)
        both = Outputs(mask, {b"secretone"})
        assert len({source for _, source, _ in both.actions}) == (0 if mask is Mask.NONE else 1)
        for each in (outputs, both):
            each.start()
            each.finish()
    finally:
        for number, handle in zip((1, 2), before, strict=True):
            os.dup2(handle, number)
        for handle in (*before, *(each for pipe in pipes for each in pipe)):
            os.close(handle)


def test_without_a_secret_nothing_is_between() -> None:
    assert Outputs(Mask.ALL, set()).actions == []

"""In whatever spelling a program prints a secret, at two layers of encoding, and wherever it is cut: nothing is left."""

from __future__ import annotations

import base64
import html
import json
import quopri
import shlex
import time
from collections.abc import Callable, Iterator
from unicodedata import normalize
from urllib.parse import quote, quote_plus

import pytest
from bounds import counted
from hypothesis import example, given
from hypothesis import strategies as st

from dockpass.secrets import MASK, Redactor, Secret
from dockpass.text import clean, clean_bytes, cut, inert, mask_before_cutting

HARD = "Cän\"ary/7'x+y z&<é"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"


def go_json(text: str) -> str:
    """As Go's encoding/json writes text: letters as they are, and what HTML could misread as escapes."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    for letter in "<>&\u2028\u2029":
        shown = shown.replace(letter, f"\\u{ord(letter):04x}")
    return shown


def python_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def capital_json(text: str) -> str:
    shown = [f"\\u{int.from_bytes(pair):04X}" for pair in _units(text)]
    return "".join(shown)


def javascript(text: str) -> str:
    return "".join(
        letter if letter.isalnum() and letter.isascii() else f"\\u{{{ord(letter):x}}}" for letter in text
    )


def _units(text: str) -> Iterator[bytes]:
    raw = text.encode("utf-16-be")
    return (raw[at : at + 2] for at in range(0, len(raw), 2))


def small_percent(text: str) -> str:
    return "".join(part.lower() if part.startswith("%") else part for part in _percent_parts(text))


def _percent_parts(text: str) -> Iterator[str]:
    for letter in text:
        encoded = quote(letter, safe="")
        yield from (
            [encoded[at : at + 3] for at in range(0, len(encoded), 3)] if "%" in encoded else [encoded]
        )


def every_byte_percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def partial_percent(text: str) -> str:
    return quote(text, safe="/+'&<é ä\"!*()$,;:@=~")


def go_quoted(text: str) -> str:
    return "".join(f"\\x{byte:02x}" if byte > 0x7E or byte in b'"\\' else chr(byte) for byte in text.encode())


def bash_quoted(text: str) -> str:
    return "".join(letter if letter.isalnum() else "\\" + letter for letter in text)


def entities(text: str) -> str:
    return "".join(f"&#x{ord(letter):X};" if not letter.isalnum() else letter for letter in text)


def decimal_entities(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


def named_entities(text: str) -> str:
    return html.escape(text).replace("é", "&eacute;").replace("ä", "&auml;").replace("'", "&apos;")


def perl(text: str) -> str:
    return "".join(
        letter if letter.isalnum() and letter.isascii() else f"\\x{{{ord(letter):x}}}" for letter in text
    )


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode(), quotetabs=True).decode()


def every_byte_equals(text: str) -> str:
    return "".join(f"={byte:02x}" for byte in text.encode())


def of_header(text: str) -> str:
    return f"=?utf-8?q?{quopri.encodestring(text.encode(), header=True).decode().replace('?', '=3F')}?="


def octal(text: str) -> str:
    return "".join(f"\\{byte:03o}" if byte > 0x7E or byte in b'"\\' else chr(byte) for byte in text.encode())


LETTERWISE: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, small": small_percent,
    "percent, plus for blank": quote_plus,
    "percent of every byte": every_byte_percent,
    "percent in parts": partial_percent,
    "JSON by Go": go_json,
    "JSON by Python": python_json,
    "JSON by PHP": lambda text: python_json(text).replace("/", "\\/"),
    "JSON, all escaped": capital_json,
    "JavaScript": javascript,
    "Python's repr": lambda text: repr(text)[1:-1],
    "Python's repr of bytes": lambda text: repr(text.encode())[2:-1],
    "Go's %q": go_quoted,
    "octal": octal,
    "Perl": perl,
    "quoted-printable": quoted_printable,
    "quoted-printable of every byte": every_byte_equals,
    "entities": entities,
    "decimal entities": decimal_entities,
    "named entities": named_entities,
    "shell": lambda text: shlex.quote(text)[1:-1] if shlex.quote(text) != text else text,
    "shell, double": lambda text: text.replace("'", "'\\''"),
    "bash's %q": bash_quoted,
    "quotes doubled": lambda text: text.replace("'", "''"),
}
WRITTEN: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "accents apart": lambda text: normalize("NFD", text),
}
PACKED: dict[str, Callable[[str], str]] = {
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "Base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "Base64 of the pair": lambda text: base64.b64encode(f"someone:{text}".encode()).decode(),
    "Base64 at another place": lambda text: base64.b64encode(f"..{text}.".encode()).decode(),
    "Base64 of an object by Go": lambda text: base64.urlsafe_b64encode(
        f'{{"username":"u","password":"{go_json(text)}"}}'.encode()
    ).decode(),
    "Base64 of an object by Python": lambda text: base64.urlsafe_b64encode(
        json.dumps({"username": "u1", "password": text}).encode()
    ).decode(),
    "Base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    "hexadecimal with colons": lambda text: text.encode().hex(":"),
    "hexadecimal with blanks": lambda text: text.encode().hex(" ").upper(),
    "hexadecimal in twos": lambda text: text.encode().hex(" ", -2),
    "bytes by Python": lambda text: str(list(text.encode())),
    "bytes by Go": lambda text: f"[{' '.join(map(str, text.encode()))}]",
    "bytes by Go's %#v": lambda text: ", ".join(map(hex, text.encode())),
    "bytes by Java": lambda text: str([byte - 256 if byte > 127 else byte for byte in text.encode()]),
    "code points": lambda text: str([ord(letter) for letter in text]),
}
ENCODERS = LETTERWISE | PACKED
INNER = ENCODERS | WRITTEN


def _turned(raw: bytes, size: int) -> str:
    whole = raw[: len(raw) - len(raw) % size]
    return " ".join(whole[at : at + size][::-1].hex() for at in range(0, len(whole), size))


def _letter(byte: int) -> str:
    return f"{chr(byte) if 0x20 <= byte < 0x7F else f'{byte:03o}':>4}"


def _column(raw: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in raw)


MISREAD: dict[str, Callable[[str], str]] = {
    "UTF-8 as Latin-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 as Windows-1252": lambda text: text.encode().decode("cp1252", "replace"),
    "Latin-1 as UTF-8": lambda text: text.encode("latin-1").decode("utf-8", "replace"),
    "as ASCII": lambda text: text.encode("ascii", "replace").decode(),
    "without what is not ASCII": lambda text: text.encode("ascii", "ignore").decode(),
    "UTF-16 as bytes": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "UTF-16 as UTF-8": lambda text: text.encode("utf-16-be").decode("utf-8", "replace"),
    "repr of UTF-16": lambda text: repr(text.encode("utf-16-le")),
    "Base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-be").hex(),
    "Base64 of Latin-1": lambda text: base64.b64encode(text.encode("latin-1")).decode(),
    "hexadecimal of Latin-1": lambda text: text.encode("latin-1").hex("-"),
    "percent of Latin-1": lambda text: quote(text.encode("latin-1"), safe="").lower(),
    "encoded word of a header": of_header,
    "Base32 in small letters": lambda text: base64.b32encode(text.encode()).decode().lower().rstrip("="),
    "Base32 of the pair": lambda text: base64.b32encode(f"someone:{text}".encode()).decode(),
    "Base32 at another place": lambda text: base64.b32encode(f"...{text}..".encode()).decode(),
    "Base32 of the other alphabet": lambda text: base64.b32hexencode(text.encode()).decode(),
    "hexadecimal with semicolons": lambda text: text.encode().hex(";"),
    "hexadecimal with bars": lambda text: text.encode().hex("|"),
    "bytes with semicolons": lambda text: ";".join(f"0x{byte:02X}" for byte in text.encode()),
    "code points by Go's %U": lambda text: f"[{' '.join(f'U+{ord(letter):04X}' for letter in text)}]",
    "escapes in capitals": lambda text: "".join(f"\\X{byte:02X}" for byte in text.encode()),
    "words turned": lambda text: _turned(text.encode(), 2),
    "long words turned": lambda text: _turned(text.encode() + b"\0\0\0", 4),
    "octal by od": lambda text: " ".join(f"{byte:03o}" for byte in text.encode()),
    "letters by od": lambda text: "".join(_letter(byte) for byte in text.encode()),
    "folded": lambda text: f"{text[:9]}\n    {text[9:]}",
}


def windows(text: str, width: int) -> set[str]:
    return {text[at : at + width] for at in range(max(len(text) - width, 0) + 1)}


@pytest.mark.parametrize("outer", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize(
    "value", [HARD, "glpat-AbCdEf0123456789_x", JWT, 'p$w/"ö+canary-0123456789', 'x😀y\\z"w/äöü']
)
def test_no_spelling_of_a_secret_comes_through(value: str, outer: Callable[[str], str]) -> None:
    redact = Redactor()
    redact.learn(Secret(value), "someone")
    for inner in INNER.values():
        spelled = outer(inner(value))
        shown = redact(f'denied: password="{spelled}" is wrong')
        assert shown.startswith("denied: ")
        assert MASK in shown, spelled
        assert not windows(spelled, 8) & windows(shown, 8), (spelled, shown)


@pytest.mark.parametrize("spell", MISREAD.values(), ids=MISREAD)
@pytest.mark.parametrize("value", [HARD, "pässwört-0123456789", "glpat-AbCdEf0123456789_x"])
def test_a_secret_is_masked_in_another_encoding_too(value: str, spell: Callable[[str], str]) -> None:
    redact = Redactor([Secret(value)])
    for spelled in (spell(value), inert(spell(value))):
        shown = redact(f"denied: password={spelled} is wrong")
        assert shown.startswith("denied: password=")
        assert MASK in shown
        assert not windows(spelled, 8) & windows(shown, 8), (spelled, shown)


LINES: dict[str, tuple[int, Callable[[bytes], str]]] = {
    "Base64": (57, lambda raw: base64.b64encode(raw).decode()),
    "Base64 of PEM": (48, lambda raw: base64.b64encode(raw).decode()),
    "hexadecimal": (16, lambda raw: raw.hex()),
    "hexadecimal with blanks": (16, lambda raw: raw.hex(" ")),
    "Base32": (45, lambda raw: base64.b32encode(raw).decode()),
    "xxd": (16, lambda raw: f"{raw[0] * 16:08x}: {raw.hex(' ', -2):<39}  {_column(raw)}"),
    "hexdump": (16, lambda raw: f"0000{raw[0]:02x}0 {_turned(raw, 2)}"),
    "hexdump -C": (
        16,
        lambda raw: f"000000{raw[0]:02x}  {raw[:8].hex(' ')}  {raw[8:].hex(' ')}  |{_column(raw)}|",
    ),
    "curl --trace": (16, lambda raw: f"{raw[0] * 16:04x}: {raw.hex(' ')} {_column(raw)}"),
    "od -c": (16, lambda raw: "0000020" + "".join(map(_letter, raw))),
    "bytes": (12, lambda raw: ", ".join(map(str, raw)) + ","),
}


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=9, max_size=200),
    st.integers(0, 100),
    st.sampled_from(list(LINES)),
)
def test_a_secret_is_masked_in_each_of_the_lines_over_which_its_encoding_is_broken(
    value: str, before: int, how: str
) -> None:
    """`base64` and `xxd` break lines, and each line of an engine's output comes by itself."""
    redact = Redactor([Secret(value)])
    width, encoded = LINES[how]
    raw = b'{"auths": {"registry.example": {"username": "someone", "password": "'.ljust(before + 80)[
        -before - 8 :
    ]
    whole = raw + value.encode() + b'"}}}' + b" " * 60
    for at in range(0, len(whole), width):
        held = len(range(max(at, len(raw)), min(at + width, len(raw) + len(value))))
        line = encoded(whole[at : at + width])
        shown = redact(line)
        assert held < 8 or MASK in shown, (held, line)
        assert held < width or not windows(line[-width:], 8) & windows(shown, 8), (line, shown)


def test_a_secret_in_folded_base64_is_masked_in_one_text_too() -> None:
    config = json.dumps({"auths": {"registry.example": {"username": "someone", "password": JWT}}})
    folded = base64.encodebytes(config.encode()).decode()
    for text in (folded, folded.replace("\n", "\r\n"), json.dumps(folded), inert(folded), quote(folded)):
        assert not windows(folded, 40) & windows(Redactor([Secret(JWT)])(f"it says {text}"), 40)


VALUES = st.text(
    st.characters(min_codepoint=33, exclude_categories=["C", "Z", "M", "Lm"]), min_size=9, max_size=24
)
CONTEXT = st.text(st.sampled_from("§¶ ,;§¶"), max_size=30)


@given(
    VALUES.filter(lambda value: len(set(value)) > 3 and value.upper().casefold() == value.casefold()),
    st.sampled_from(list(INNER)),
    st.sampled_from(list(ENCODERS)),
    CONTEXT,
    CONTEXT,
    st.floats(0, 1),
)
@example(HARD, "Base64 of an object by Go", "as it is", "", "", 0.7)
def test_wherever_a_text_is_cut_no_part_of_a_secret_is_left(
    value: str, inner: str, outer: str, before: str, after: str, at: float
) -> None:
    redact = Redactor([Secret(value)])
    spelled = ENCODERS[outer](INNER[inner](value))
    whole = f"{before} {spelled} {after}"
    assert not windows(spelled, 8) & windows(redact(whole), 8)
    mask_before_cutting(redact)
    limit = max(int(len(whole) * at), 1)
    assert not windows(spelled, 8) & windows(redact(clean(whole, limit)), 8)
    assert not windows(spelled, 8) & windows(redact(cut(whole, limit)), 8)
    # What was cut where it came from ends in the middle of something: eight letters and the rest of an escape.
    beginning = len(before) + 1 + len(ENCODERS[outer](INNER[inner](value[:8]))) + 24
    shown = redact(whole[:limit], is_cut=True)
    if limit >= beginning:
        assert spelled[: limit - len(before) - 1] not in shown
        assert value[:8] not in shown


def test_a_body_that_is_cut_in_the_middle_of_a_secret_keeps_none_of_it() -> None:
    mask_before_cutting(Redactor([Secret("canary-0123456789-abcdef")]))
    for end in range(9, 24):
        raw = b"x" * (4096 + 80 - end + 0) + b"canary-0123456789-abcdef" + b"z" * 5000
        assert "canary-0" not in clean_bytes(raw, 10)
    shown = Redactor([Secret("canary-0123456789-abcdef")])("the password canary-01234", is_cut=True)
    assert shown == f"the password {MASK}"
    assert Redactor([Secret("canary-0123456789")])("the password canary-01234") == "the password canary-01234"


def test_the_limit_never_falls_into_a_secret() -> None:
    mask_before_cutting(Redactor([Secret("CutCanary-4f7Kq2-999")]))
    for before in range(90):
        shown = clean("!" * before + "CutCanary-4f7Kq2-999" + "zzzz" * 30, 80)
        assert "CutCanar" not in shown


@pytest.mark.parametrize(
    "spelled",
    ["test", "Test", "dGVzdA==", "dGVzdA", "dTp0ZXN0", "74657374", "%74%65%73%74", "&#116;est", "\\u0074est"],
)
def test_a_short_secret_is_masked_as_a_word_in_each_spelling(spelled: str) -> None:
    redact = Redactor()
    redact.learn(Secret("test"), "u")
    assert redact(f"sent: {spelled}, refused") == f"sent: {MASK}, refused"


@pytest.mark.parametrize("text", ["testing", "contest", "sha256:" + "0123456789abcdef" * 4, "latest/tested"])
def test_a_short_secret_masks_no_part_of_a_word(text: str) -> None:
    assert Redactor([Secret("test")])(text) == text


def test_each_place_of_the_same_encoding_is_masked() -> None:
    token = base64.b64encode(b"user:canary-0123456789").decode()
    shown = Redactor([Secret("canary-0123456789")])(f"{token} and {token}, {token}")
    assert shown == f"{MASK} and {MASK}, {MASK}"


def test_the_passwords_in_a_config_and_in_an_address_are_secrets_too() -> None:
    auth = base64.b64encode(b"someone:canary-one").decode()
    config = json.dumps(
        {"auths": {"a.example": {"auth": auth}, "b.example": {"identitytoken": "canary-token"}}}
    )
    redact = Redactor([Secret(config), Secret("postgres://me:canary%2Faddress@db.example/x")])
    for canary in (auth, "canary-one", "canary-token", "canary/address", "canary%2Faddress"):
        assert canary not in redact(f"it says {canary}")
    assert redact("the user someone at a.example") == "the user someone at a.example"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:PASSWORD@k.example/v1/", f"https://{MASK}@k.example/v1/"),
        ("tcp://u:PASSWORD@h:1", f"tcp://{MASK}@h:1"),
        ("https://TOKEN@h/x and http://a:b@c", f"https://{MASK}@h/x and http://{MASK}@c"),
        ("https://u:p@ss@h/x", f"https://{MASK}@h/x"),
        ("https://u:p/w@h/x", f"https://{MASK}@h/x"),
        ("//u:PASSWORD@h", f"//{MASK}@h"),
        ("ssh://me@box", "ssh://me@box"),
        ("ssh://me:PASSWORD@box", f"ssh://{MASK}@box"),
        ("https://h:443/a@b", "https://h:443/a@b"),
        ("docker://h.example/app@sha256:0123", "docker://h.example/app@sha256:0123"),
        ("https://npm.example/@scope/name", "https://npm.example/@scope/name"),
        ("me@h.example", "me@h.example"),
        ("tcp://h:1?token=PASSWORD", f"tcp://h:1?token={MASK}"),
        ("https://h/x?n=1&access_token=PASSWORD&last=b", f"https://h/x?n=1&access_token={MASK}&last=b"),
        ("https://h/x?X-Amz-Signature=PASSWORD#f", f"https://h/x?X-Amz-Signature={MASK}#f"),
        ("/x?PRIVATE_TOKEN=PASSWORD, and", f"/x?PRIVATE_TOKEN={MASK} and"),
        ("https://h/t?offline_token=true&scope=a", "https://h/t?offline_token=true&scope=a"),
        ("a ? b : c && token=d", "a ? b : c && token=d"),
    ],
)
def test_the_user_and_password_of_an_address_are_masked_though_nobody_knows_them(
    text: str, shown: str
) -> None:
    assert Redactor()(text) == shown
    assert Redactor([Secret("canary-0123456789")])(text) == shown


def test_ordinary_lines_stay_as_they_are_and_cost_next_to_nothing() -> None:
    redact = Redactor()
    for value in ("glpat-abcDEF1234567890xyz", JWT, "hunter2", "correct horse battery staple", HARD):
        redact.learn(Secret(value), "gitlab-ci-token")
    lines = [
        "Step 3/9 : RUN apt-get update && apt-get install -y libssl-dev curl=7.88",
        f"sha256:{'0123456789abcdef' * 4}: Pulling fs layer 12kB",
        "copying build/lib/dockpass/registry/transport.py -> /usr/local/lib/python3.11/site-packages",
        "Get:7 http://packages.example/debian bookworm/main amd64 libpython3.11 3.11.2-6+deb12u2 [813 kB], 45%",
    ]
    for line in lines:
        with counted() as cost:
            assert redact(line) == line
        assert cost.calls < 75


@pytest.mark.parametrize(
    "text",
    [
        "%25" * 8000,
        "\\\\" * 12000,
        "%25&amp;\\u0041''" * 1500,
        "QUJDREVGR0hJSktM " * 1500,
        "MFRGGZDFMZTUHQ5E " * 1500,
        "=41=3D=?u?q?=3D?=" * 1500,
        "00000010  61 62 63 64 65 66 67 68  69 6a  |abcdefgh|\n" * 600,
        "   a    " * 4000,
        "a" * 65536 + "//@",
        "//a:b" * 8000 + " @",
    ],
    ids=[
        "percent",
        "backslash",
        "mixed",
        "Base64",
        "Base32",
        "mail",
        "dump",
        "columns",
        "letters",
        "addresses",
    ],
)
def test_a_hostile_text_takes_no_more_steps_than_its_length_allows(text: str) -> None:
    redact = Redactor([Secret(HARD), Secret("glpat-abcDEF1234567890xyz"), Secret("hunter2")])
    with counted() as cost:
        redact(text)
    assert cost.calls < 50 * len(text)


@pytest.mark.parametrize("text", ["a" * 40_000, "a" * 40_000 + "b", base64.b64encode(b"a" * 30_000).decode()])
def test_a_long_secret_that_repeats_itself_takes_no_time(text: str) -> None:
    """A token server chooses the token, and what it says in its next answer."""
    redact = Redactor([Secret("a" * 50_000)])
    began = time.process_time()
    redact(text, is_cut=True)
    assert time.process_time() - began < 0.5

"""The real commands at servers that answer as no registry should: words, times and exit statuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from plainserver import HTML, Give, Got, PlainServer, bearer
from program import Program

LOGIN = ("--registry-username", "someone", "--registry-password", "canary-password-4711")
FORBIDDEN = Give(403, b"Forbidden", {"Content-Type": "text/plain"})
NGINX = (
    b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
    b"<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center></body></html>"
)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    assert made.left == []
    made.remove()


def at_manifests(give: Give) -> object:
    return lambda _, got: give if "/manifests/" in got.path else Give(200, b"{}")


def token_of(give: Give) -> object:
    return lambda server, got: give if got.path == "/token" else bearer(server)


def run(program: Program, answer: object, *arguments: str) -> tuple[int, str, str, PlainServer]:
    with PlainServer(answer) as server:  # type: ignore[arg-type]
        ended = program.run(*(word.replace("REG", server.host) for word in arguments))
        told = ended.stdout + ended.stderr
        assert "Traceback" not in told
        assert "fault of dockpass" not in told
        assert "canary" not in told
        return ended.returncode, ended.stdout, ended.stderr, server


def test_a_web_page_is_no_registry(program: Program) -> None:
    page = Give(200, HTML, {"Content-Type": "text/html"})
    status, out, _, server = run(program, lambda *_: page, "probe", "pull", "--repo", "REG/web/app", *LOGIN)
    assert status == 1
    assert "✗ not a registry" in out
    assert "granted" not in out
    assert not any(got.authorization for got in server.got)


@pytest.mark.parametrize("give", [Give(200, HTML), Give(302, b"", {"Location": "https://x.example/"})])
def test_a_login_without_a_usable_answer_stops_what_follows(program: Program, give: Give) -> None:
    arguments = ("probe", "push", "--repo", "REG/web/app", *LOGIN)
    status, out, _, _ = run(program, token_of(give), *arguments)
    assert status == 1
    assert "▲ sent; no usable answer" in out
    assert "login sent" in out
    status, out, _, _ = run(program, token_of(give), *arguments, "--json")
    [found] = json.loads(out)["probes"]
    assert (status, found["login"]["state"]) == (1, "unknown")


def test_what_a_registry_asks_for_is_named(program: Program) -> None:
    negotiate = Give(401, b"", {"WWW-Authenticate": "Negotiate"})
    status, out, _, _ = run(program, lambda *_: negotiate, "probe", "push", "--repo", "REG/web/app", *LOGIN)
    assert status == 1
    assert "a kind of login that dockpass does not support: Negotiate" in out


def test_a_life_of_four_hundred_digits_is_bounded(program: Program) -> None:
    raw = b'{"token": "T", "expires_in": ' + b"9" * 400 + b"}"

    def answer(server: PlainServer, got: Got) -> Give:
        if got.path == "/token":
            return Give(200, raw)
        listing = Give(200, {"name": "web/app", "tags": []})
        return listing if got.authorization.startswith("Bearer ") else bearer(server)

    status, out, _, _ = run(program, answer, "probe", "push", "--repo", "REG/web/app", *LOGIN, "--json")
    [found] = json.loads(out)["probes"]
    assert (status, found["login"]["state"], found["token"]["kind"]) == (0, "accepted", "opaque")


@pytest.mark.parametrize(
    "arguments",
    [
        ("probe", "--repo", "REG/web/app"),
        ("deploy", "--repo", "REG/web/app", "--tag", "t1"),
        ("deploy", "--repo", "REG/web/app", "--tag", "t1", *LOGIN),
        ("cleanup", "--repo", "REG/web/app", "--keep-last", "1", "--dry-run"),
        ("pull", "--repo", "REG/web/app", "--tag", "t1", "--engine", "embedded"),
        ("pull", "--repo", "REG/web/app", "--tag", "t1", "--engine", "embedded", *LOGIN),
    ],
    ids=lambda words: " ".join(words[:1] + words[3:4]),
)
@pytest.mark.parametrize(
    ("give", "words"),
    [
        (FORBIDDEN, "a proxy, a firewall or an IP ban"),
        (Give(407), "although no proxy is used"),
        (Give(404, b"registry not enabled"), "switched off there"),
        (Give(429, b"", {"Retry-After": "900"}), "asks to wait 15 minutes"),
    ],
    ids=["403", "407", "off", "429"],
)
def test_what_it_usually_is_is_said_in_every_command(
    program: Program, arguments: tuple[str, ...], give: Give, words: str
) -> None:
    status, out, err, _ = run(program, lambda *_: give, *arguments)  # the 15 minutes are not waited for
    assert status == 1
    assert words in out + err


@pytest.mark.parametrize("body", [b"{}", b'{"status": "ok"}', b'{"tags": "a"}', b"[]", b"", HTML])
def test_a_cleanup_takes_nothing_else_for_a_list_of_tags(program: Program, body: bytes) -> None:
    def answer(_: PlainServer, got: Got) -> Give:
        return Give(200, b"{}") if got.path == "/v2/" else Give(200, body)

    arguments = ("cleanup", "--repo", "REG/web/app", "--keep-last", "1", "--yes")
    status, _, err, server = run(program, answer, *arguments)
    assert status == 1
    assert " rejected: " in err
    assert {got.method for got in server.got} == {"GET"}


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (FORBIDDEN, "a proxy, a firewall or an IP ban"),
        (Give(200, HTML), "does not answer as a registry: 200: a web page (Sign in to the network)"),
        (Give(200, HTML + b"x" * 300_000), "does not answer as a registry: 200: a web page"),
        (Give(404, b"registry not enabled"), "switched off there"),
        (Give(401, b"", {"WWW-Authenticate": "NTLM"}), "does not support: NTLM"),
    ],
    ids=["403", "page", "large page", "off", "ntlm"],
)
def test_a_build_says_it_of_the_registry_of_its_base_image(program: Program, give: Give, words: str) -> None:
    with PlainServer(lambda *_: give) as server:
        (program.work / "Dockerfile").write_text(f"FROM {server.host}/web/base:1\n")
        ended = program.run("build", "--engine", "embedded")
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wait_is_told_when_it_begins_and_the_work_goes_on(program: Program) -> None:
    answers = [Give(429, b"", {"Retry-After": "1"}), Give(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})]

    def answer(_: PlainServer, got: Got) -> Give:
        if "/manifests/" not in got.path:
            return Give(200, b"{}")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    status, out, _, server = run(program, answer, "deploy", "--repo", "REG/web/app", "--tag", "t1", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    [waiting] = [event for event in events if event["event"] == "waiting"]
    assert (waiting["seconds"], waiting["host"]) == (1.0, server.host)
    assert "waiting 1 second, then asking again (1 of 2)" in waiting["text"]
    assert waiting["at"] < events[-1]["at"] - 0.9
    assert (status, events[-1]["id"]) == (1, "not-found")


def test_what_is_no_manifest_is_not_described(program: Program) -> None:
    answer = at_manifests(Give(200, b'{"status": "ok"}'))
    status, out, err, _ = run(program, answer, "deploy", "--repo", "REG/web/app", "--tag", "t1")
    assert (status, out) == (1, "")
    assert "is no manifest of an image" in err


def test_a_limit_on_the_size_of_requests_is_told_with_its_setting(program: Program) -> None:
    (program.work / "Dockerfile").write_text("FROM scratch\nCOPY file /file\n")
    (program.work / "file").write_bytes(b"x" * 2000)
    built = program.run("build", "--engine", "embedded")
    assert built.returncode == 0, built.stderr

    def answer(server: PlainServer, got: Got) -> Give:
        if got.path == "/v2/":
            return Give(200, b"{}")
        if got.method == "POST":
            return Give(202, b"", {"Location": f"{got.path}upload", "Range": "0-0"})
        return (
            Give(413, NGINX, {"Content-Type": "text/html"}) if got.method in {"PUT", "PATCH"} else Give(404)
        )

    status, out, err, _ = run(
        program,
        answer,
        "push",
        "--engine",
        "embedded",
        "--repo",
        "REG/web/app",
        "--tag",
        "t",
        "--image",
        built.stdout.strip(),
    )
    assert status == 1
    assert "413: a web page (413 Request Entity Too Large)" in err
    assert "client_max_body_size" in err
    assert "<html" not in out + err
    assert "log may say more" not in err


def test_a_fault_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    meddling = (
        "import dockpass.cli.probe as p\n"
        "def broken(*a, **k): raise OverflowError('int too large to convert to float')\n"
        "p.plan_access = broken"
    )
    program = Program(tmp_path, meddling=meddling)
    ended = program.run("probe", "--repo", "registry.example/a", "--json")
    program.remove()
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["id"] == "fault"
    assert "Traceback" not in ended.stderr
    assert program.run("probe", "--repo", "registry.example/a").stdout == ""

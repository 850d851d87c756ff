"""Where the token comes from, and which ones are refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.errors import UsageError
from dockpass.gitlabapi.token import LONGEST, Token, find_token
from dockpass.variables.gitlabplace import GitlabPlace

PLACE = GitlabPlace("https://gitlab.example.com", "acme/shop", "")
PAT = "glpat-Canary-1234"


def token(home: Path, reference: str | None = None, place: GitlabPlace = PLACE, **environ: str) -> Token:
    return find_token(reference, place, {"PATH": "/usr/bin:/bin", **environ}, home, home, lambda: f" {PAT}\n")


def refused(home: Path, reference: str | None = None, **environ: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        token(home, reference, **environ)
    assert "Canary" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    return caught.value


def glab(home: Path, text: str, folder: str = ".config") -> Path:
    path = home / folder / "glab-cli" / "config.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_variable_comes_before_glab(tmp_path: Path) -> None:
    glab(tmp_path, "hosts: {gitlab.example.com: {token: glpat-other}}")
    found = token(tmp_path, GITLAB_TOKEN=PAT)
    assert (found.secret.reveal(), found.origin) == (PAT, "GITLAB_TOKEN")
    assert PAT not in repr(found)


@pytest.mark.parametrize(
    ("reference", "origin"),
    [
        ("env:MINE", "the variable MINE"),
        ("file:token", "the file "),
        ("file:~/token", "the file "),
        ("cmd:cat token", "the command cat"),
        ("cmd:printf '%s\\n' glpat-Canary-1234", "the command printf"),
        ("prompt", "what you typed"),
    ],
)
def test_a_reference_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, origin: str
) -> None:
    (tmp_path / "token").write_text(f"{PAT}\n")
    monkeypatch.chdir(tmp_path)
    found = token(tmp_path, reference, GITLAB_TOKEN="glpat-other", MINE=PAT)
    assert found.secret.reveal() == PAT
    assert found.origin.startswith(origin)


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        (PAT, "gitlab-token-reference"),
        ("env:", "gitlab-token-reference"),
        ("", "gitlab-token-reference"),
        ("keyring:x", "gitlab-token-reference"),
        (f"token:{PAT}", "gitlab-token-reference"),
        ("env:NOT_SET", "gitlab-token-missing"),
        ("file:none", "token-file-missing"),
        ("file:.", "token-file-kind"),
        ("cmd:no-such-program-here", "gitlab-token-command"),
        ("cmd:./here", "gitlab-token-command"),
        ("cmd:'", "gitlab-token-command"),
        ("cmd:false", "gitlab-token-command"),
        (f"cmd:ls {PAT}", "gitlab-token-command"),
        ("cmd:true", "gitlab-token-unusable"),
        ("cmd:printf '\\377'", "gitlab-token-unusable"),
        ("cmd:printf 'glpat-Canary one\\ntwo'", "gitlab-token-unusable"),
    ],
)
def test_a_reference_that_gives_nothing_is_told(tmp_path: Path, reference: str, error: str) -> None:
    assert refused(tmp_path, reference).id == error


def test_a_command_is_run_by_no_shell(tmp_path: Path) -> None:
    assert refused(tmp_path, "cmd:echo $(touch made); touch made").id == "gitlab-token-unusable"
    assert not (tmp_path / "made").exists()


def test_nobody_is_asked_without_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_token("prompt", PLACE, {}, tmp_path, tmp_path, None)
    assert caught.value.id == "gitlab-token-prompt"


@pytest.mark.parametrize(
    "value",
    ["", " ", "two words", "line\nend", "tab\there", "clef-é", "x" * (LONGEST + 1), "\x1b[31m", "\x7f"],
)
def test_what_no_token_can_be_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "token").write_text(value or "\n")
    assert refused(tmp_path, "file:token").id == "gitlab-token-unusable"


@pytest.mark.parametrize(
    "environ",
    [
        {"GITLAB_TOKEN": "glcbt-64_abcdefgh"},
        {"GITLAB_TOKEN": "glcbt-eyJhbGciOi.eyJpc3Mi.c2ln"},
        {"GITLAB_TOKEN": "oldJobToken123", "CI_JOB_TOKEN": "oldJobToken123"},
        {"GITLAB_TOKEN": "oldJobToken123", "CI_REGISTRY_PASSWORD": "oldJobToken123"},
    ],
)
def test_a_job_token_is_refused_with_the_reason(tmp_path: Path, environ: dict[str, str]) -> None:
    error = refused(tmp_path, **environ)
    assert error.id == "gitlab-job-token"
    assert "GITLAB_TOKEN holds a job token" in error.message
    assert "not sent" in error.message
    assert "read_api" in error.hint


@pytest.mark.parametrize(
    "value",
    ["gldt-abc", "glrt-abc", "glptt-abc", "glft-abc", "ghp_abc", "dckr_pat_abc", "ya29.abc", "gloas-a"],
)
def test_another_kind_of_token_is_refused(tmp_path: Path, value: str) -> None:
    assert refused(tmp_path, GITLAB_TOKEN=value).id == "gitlab-token-kind"


@pytest.mark.parametrize(
    "value", ["glpat-abc.01.xyz", "companyprefix-abc", "a" * 64, "eyJhbGci.eyJpc3Mi.c2ln"]
)
def test_access_tokens_and_oauth_tokens_are_taken(tmp_path: Path, value: str) -> None:
    assert token(tmp_path, GITLAB_TOKEN=f"{value}\n").secret.reveal() == value


@pytest.mark.parametrize(
    "text",
    [
        f"hosts:\n  gitlab.example.com:\n    token: {PAT}\n    is_oauth2: 'true'\n",
        f"hosts:\n  GitLab.Example.com:\n    token: !!null {PAT}\n",
        f"hosts:\n  other.example: {{token: glpat-other}}\n  gitlab.example.com: {{token: '{PAT}'}}\n",
        f"hosts:\n  ssh.example.com:\n    api_host: gitlab.example.com\n    token: {PAT}\n",
    ],
)
def test_glabs_login_for_this_host_is_found(tmp_path: Path, text: str) -> None:
    path = glab(tmp_path, text)
    found = token(tmp_path)
    assert found.secret.reveal() == PAT
    assert found.origin == f"glab's login in {path}"


@pytest.mark.parametrize(
    "text",
    [
        f"hosts:\n  other.example: {{token: {PAT}}}\n",
        f"hosts:\n  example.com: {{token: {PAT}}}\n",
        f"hosts:\n  gitlab.example.com:8443: {{token: {PAT}}}\n",
        "hosts:\n  gitlab.example.com: {use_keyring: 'true'}\n",
        f"token: {PAT}\n",
        f"hosts: [{PAT}]\n",
        "hosts: &a {b: *a}\n",
        "hosts: {gitlab.example.com: {token: [1]}}\n",
        "{" * 5000,
        "\x00",
        "",
    ],
)
def test_a_login_of_glab_for_another_host_is_not_used(tmp_path: Path, text: str) -> None:
    glab(tmp_path, text)
    error = refused(tmp_path)
    assert error.id == "gitlab-token-missing"
    assert "There is no token for gitlab.example.com" in error.message


def test_glabs_configuration_may_lie_elsewhere(tmp_path: Path) -> None:
    glab(tmp_path, f"hosts: {{gitlab.example.com: {{token: {PAT}}}}}", "xdg")
    assert token(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "xdg")).secret.reveal() == PAT
    folder = str(tmp_path / "xdg" / "glab-cli")
    assert token(tmp_path, GLAB_CONFIG_DIR=folder).secret.reveal() == PAT
    assert refused(tmp_path, XDG_CONFIG_HOME="xdg").id == "gitlab-token-missing"


def test_a_command_gets_no_secret_but_its_own(tmp_path: Path) -> None:
    program = tmp_path / "vault"
    program.write_text('#!/bin/sh\nprintf %s "glpat-$VAULT_TOKEN-${CI_JOB_TOKEN:-none}"\n')
    program.chmod(0o700)
    given = {"PATH": f"{tmp_path}:/usr/bin:/bin", "VAULT_TOKEN": "mine", "CI_JOB_TOKEN": "canary-of-a-job"}
    assert token(tmp_path, "cmd:vault", **given).secret.reveal() == "glpat-mine-none"

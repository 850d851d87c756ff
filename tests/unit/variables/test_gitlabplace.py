"""Which server and which project: by what is named, by the remote, by a job's variables."""

from __future__ import annotations

import pytest

from dockpass.errors import UsageError
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlabplace import find_place, known_place, ref_of_job

HERE = {"CI_SERVER_URL": "http://127.0.0.1:4000", "CI_PROJECT_PATH": "workshop/shop"}


@pytest.mark.parametrize(
    ("asked", "remote", "environ", "url", "project"),
    [
        (None, "git@gitlab.example.com:acme/web/Shop.git", {}, "https://gitlab.example.com", "acme/web/Shop"),
        (
            None,
            "ssh://git@gitlab.example.com:2222/acme/shop.git",
            {},
            "https://gitlab.example.com",
            "acme/shop",
        ),
        (None, "https://GitLab.com/acme/shop", {}, "https://gitlab.com", "acme/shop"),
        (None, "https://oauth2:glpat-x@gitlab.com/acme/shop.git", {}, "https://gitlab.com", "acme/shop"),
        (
            None,
            "https://gitlab.example.com:8443/acme/shop",
            {},
            "https://gitlab.example.com:8443",
            "acme/shop",
        ),
        (None, "https://gitlab.example.com:443/acme/shop", {}, "https://gitlab.example.com", "acme/shop"),
        (None, "http://127.0.0.1:3000/acme/shop", {}, "http://127.0.0.1:3000", "acme/shop"),
        (None, "http://localhost/acme/shop", {}, "http://localhost", "acme/shop"),
        (None, "", HERE, "http://127.0.0.1:4000", "workshop/shop"),
        (None, "/srv/git/shop.git", HERE, "http://127.0.0.1:4000", "workshop/shop"),
        (None, "git@gitlab.example.com:acme/shop.git", HERE, "https://gitlab.example.com", "acme/shop"),
        (
            None,
            "git@gitlab.example.com:acme/shop.git",
            {"CI_SERVER_URL": "https://gitlab.example.com:8443/"},
            "https://gitlab.example.com:8443",
            "acme/shop",
        ),
        (
            None,
            "https://host.example/gitlab/acme/shop.git",
            {"CI_SERVER_URL": "https://host.example/gitlab"},
            "https://host.example/gitlab",
            "acme/shop",
        ),
        ("other/app", "git@gitlab.example.com:acme/shop.git", {}, "https://gitlab.example.com", "other/app"),
        ("42", "git@gitlab.example.com:acme/shop.git", {}, "https://gitlab.example.com", "42"),
        ("other/app", "", HERE, "http://127.0.0.1:4000", "other/app"),
        ("https://gl.example/a/b/-/settings/ci_cd", "git@x.example:a/b", {}, "https://gl.example", "a/b"),
        ("https://gl.example/a/b.git", "", {}, "https://gl.example", "a/b"),
        (
            "https://host.example/gitlab/a/b",
            "",
            {"CI_SERVER_URL": "https://host.example/gitlab"},
            "https://host.example/gitlab",
            "a/b",
        ),
    ],
)
def test_the_project_is_found(
    asked: str | None, remote: str, environ: dict[str, str], url: str, project: str
) -> None:
    place = find_place(asked, remote, environ)
    assert (place.url, place.project) == (url, project)
    assert place.because
    assert place.api == f"{url}/api/v4"


@pytest.mark.parametrize(
    ("asked", "remote", "environ", "error"),
    [
        (None, "", {}, "gitlab-project-unknown"),
        (None, "/srv/git/shop.git", {}, "gitlab-project-unknown"),
        (None, "file:///srv/git/shop.git", {}, "gitlab-project-unknown"),
        (None, "", {"CI_PROJECT_PATH": "a/b"}, "gitlab-project-unknown"),
        (None, "http://gitlab.example.com/acme/shop", {}, "gitlab-plain-http"),
        (None, "", {**HERE, "CI_SERVER_URL": "http://gitlab.example.com"}, "gitlab-plain-http"),
        (None, "", {**HERE, "CI_SERVER_URL": "ftp://127.0.0.1"}, "gitlab-server-invalid"),
        (None, "", {**HERE, "CI_SERVER_URL": "https://x/../y"}, "gitlab-server-invalid"),
        (None, "", {**HERE, "CI_SERVER_URL": "https://["}, "gitlab-server-invalid"),
        (None, "", {**HERE, "CI_PROJECT_PATH": "shop"}, "gitlab-project-invalid"),
        (None, "git@gitlab.example.com:shop.git", {}, "gitlab-project-invalid"),
        (None, "git@gitlab.exämple.com:acme/shop.git", {}, "gitlab-server-invalid"),
        (None, "git@-x:acme/shop.git", {}, "gitlab-server-invalid"),
        ("other/app", "", {}, "gitlab-server-unknown"),
        ("app", "git@gitlab.example.com:acme/shop.git", {}, "gitlab-project-invalid"),
        ("a/../b", "git@gitlab.example.com:acme/shop.git", {}, "gitlab-project-invalid"),
        ("a/b?x=1", "git@gitlab.example.com:acme/shop.git", {}, "gitlab-project-invalid"),
        ("a/b c", "git@gitlab.example.com:acme/shop.git", {}, "gitlab-project-invalid"),
        ("0", "git@gitlab.example.com:acme/shop.git", {}, "gitlab-project-invalid"),
        ("ssh://git@gl.example/a/b", "", {}, "gitlab-project-invalid"),
        ("http://gl.example/a/b", "", {}, "gitlab-plain-http"),
        ("https:///a/b", "", {}, "gitlab-server-invalid"),
        ("https://gl.example", "", {}, "gitlab-project-invalid"),
    ],
)
def test_what_names_no_project_is_told(
    asked: str | None, remote: str, environ: dict[str, str], error: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find_place(asked, remote, environ)
    assert caught.value.id == error
    assert caught.value.hint
    if asked is None:
        assert known_place(asked, remote, environ) is None
    else:
        with pytest.raises(UsageError):
            known_place(asked, remote, environ)


def test_capitals_make_no_other_project() -> None:
    one, other = (find_place(f"https://gl.example/{path}", "", {}) for path in ("A/b", "a/B"))
    assert one.key == other.key
    assert one.key != find_place("https://gl.example/a/c", "", {}).key


def test_a_jobs_variables_name_its_ref() -> None:
    assert ref_of_job({"CI_COMMIT_BRANCH": "main"}) == Ref(name="main", protected=None)
    both = {"CI_COMMIT_TAG": "v1", "CI_COMMIT_BRANCH": ""}
    assert ref_of_job(both) == Ref(type=RefType.TAG, name="v1", protected=None)
    assert ref_of_job({}) is None

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from fakeregistry import FakeRegistry, Said, digest_of, refusal
from logins import Given

from dockpass.errors import DockpassError, LoginRefused
from dockpass.references.credential import Credential
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.registry.retry import asked_to_wait
from dockpass.registry.session import Session
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

ME = Credential("myuser", Secret("canary-password"))
HEX = "a" * 64
LIST = "/v2/web/tags/list"


@pytest.fixture
async def client(fake: FakeRegistry) -> AsyncIterator[RegistryClient]:
    async with RegistryClient(fake.host, Given(ME)) as opened:
        yield opened


def link(target: str, rel: str = "next") -> tuple[str, str]:
    return "Link", f'<{target}>; rel="{rel}"'


# Finding out how a registry speaks


async def test_a_registry_of_this_machine_may_speak_plain_http(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.image("v1")
    assert await client.tags("web") == ["v1"]


async def test_a_registry_is_asked_once_how_it_speaks(fake: FakeRegistry, client: RegistryClient) -> None:
    await asyncio.gather(*(client.tags("web") for _ in range(5)))
    assert len(fake.requests("GET", "/v2/")) == 1


@pytest.mark.parametrize(
    "answer", [Said(404, b"<html>not here</html>"), Said(418), Said(200, b" <!doctype html>")]
)
async def test_what_is_no_registry_is_told_so(
    fake: FakeRegistry, client: RegistryClient, answer: Said
) -> None:
    fake.say("GET", "/v2/", answer)
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.id == "not-a-registry"


async def test_a_login_of_an_unknown_kind_is_named(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.say("GET", "/v2/", Said(401, b"", (("WWW-Authenticate", "Negotiate"),)))
    with pytest.raises(DockpassError) as caught:
        await client.login()
    assert caught.value.id == "challenge-unusable"
    assert "Negotiate" in caught.value.message


# Logging in


async def test_a_login_by_token_names_no_repository_and_shows_the_registry_the_token_only(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    result = await client.login()
    (asked,) = fake.requests("GET", "/token")
    assert "scope" not in asked.query
    assert asked.authorization.startswith("Basic ")
    assert [ping.authorization for ping in fake.requests("GET", "/v2/")] == ["", "Bearer token-1"]
    assert result.words == "accepted by its token server"


async def test_a_login_by_basic_is_asked_of_the_registry_itself(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    basic = Said(401, b"", (("WWW-Authenticate", 'Basic realm="x"'),))
    fake.say("GET", "/v2/", basic, Said(200))
    assert (await client.login()).words == "accepted by the registry"
    assert fake.asked[-1].authorization.startswith("Basic ")


async def test_a_refused_basic_login_is_told_in_the_registrys_words(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    challenge = ("WWW-Authenticate", 'Basic realm="x"')
    fake.say("GET", "/v2/", refusal(401, "UNAUTHORIZED", "authentication required", challenge))
    with pytest.raises(LoginRefused) as caught:
        await client.login()
    assert caught.value.words == "401 UNAUTHORIZED: authentication required"
    assert caught.value.hint
    assert "canary-password" not in str(vars(caught.value))


@pytest.mark.parametrize(("status", "code"), [(401, "UNAUTHORIZED"), (403, "DENIED")])
async def test_a_login_that_the_token_server_declines_is_refused(
    fake: FakeRegistry, client: RegistryClient, status: int, code: str
) -> None:
    fake.bearer = True
    fake.say("GET", "/token", refusal(status, code, "access forbidden"))
    with pytest.raises(LoginRefused) as caught:
        await client.login()
    assert caught.value.words == f"{status} {code}: access forbidden"


async def test_a_token_that_the_registry_does_not_trust_is_not_the_passwords_fault(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.say("GET", "/v2/", refusal(401, "UNAUTHORIZED", "authentication required", fake.challenge))
    with pytest.raises(LoginRefused) as caught:
        await client.login()
    assert "does not trust its token" in caught.value.meaning


@pytest.mark.parametrize("credential", [None, Credential("me", Secret("")), Credential("", Secret("secret"))])
async def test_an_empty_login_is_refused_without_asking(
    fake: FakeRegistry, credential: Credential | None
) -> None:
    fake.bearer = True
    async with RegistryClient(fake.host, Given(credential)) as client:
        with pytest.raises(LoginRefused) as caught:
            await client.login()
    assert caught.value.id == "login-empty"
    assert not fake.requests("GET", "/token")


async def test_a_registry_without_login_says_so(client: RegistryClient) -> None:
    assert (await client.login()).words == "the registry asks for no login"


# Tokens, once more after a 401, and waiting


async def test_a_read_asks_for_pull_of_its_repository_and_nothing_else(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    greedy = f'Bearer realm="{fake.url}/token",service="fake",scope="registry:catalog:* repository:other:*"'
    fake.say(
        "GET", LIST, refusal(401, "UNAUTHORIZED", "", ("WWW-Authenticate", greedy)), Said(200, {"tags": []})
    )
    await client.tags("web")
    scopes = {asked.query for asked in fake.requests("GET", "/token")}
    assert scopes == {"service=fake&scope=repository%3Aweb%3Apull&account=myuser"}


async def test_a_401_is_answered_with_one_fresh_token_and_no_more(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    fake.say("GET", LIST, refusal(401, "UNAUTHORIZED", "no", fake.challenge))
    with pytest.raises(RegistryError) as caught:
        await client.tags("web")
    assert caught.value.answer.status == 401
    assert [asked.authorization for asked in fake.requests("GET", LIST)] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_many_requests_whose_token_has_ended_share_one_fresh_token(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    fake.image("v1")

    def end_of_first_token(asked: Any) -> None:
        stale = asked.authorization == "Bearer token-1"
        ended = refusal(401, "UNAUTHORIZED", "token expired", fake.challenge)
        fake.say("GET", asked.path, *([ended] if stale else []))

    fake.before = end_of_first_token
    await asyncio.gather(*(client.manifest("web", "v1") for _ in range(20)))
    assert len(fake.requests("GET", "/token")) == 2


async def test_another_realm_later_on_gets_no_credentials(
    fake: FakeRegistry, other: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    fake.say("GET", LIST, refusal(401, "UNAUTHORIZED", "", other.challenge))
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.id == "realm-differs"
    assert not other.asked


@pytest.mark.parametrize("bearer", [False, True])
async def test_the_challenge_of_a_blobs_storage_elsewhere_is_not_answered(
    fake: FakeRegistry, other: FakeRegistry, client: RegistryClient, bearer: bool
) -> None:
    fake.bearer = bearer
    raw = b"{}"
    path = f"/v2/web/blobs/{digest_of(raw)}"
    fake.say("GET", path, Said(307, b"", (("Location", f"{other.url}/storage"),)))
    other.say("GET", "/storage", refusal(401, "UNAUTHORIZED", "", other.challenge))
    with pytest.raises(RegistryError):
        await client.config("web", digest_of(raw))
    assert [asked.path for asked in other.asked] == ["/storage"]
    assert not other.asked[0].authorization


async def test_a_blob_may_lie_elsewhere(
    fake: FakeRegistry, other: FakeRegistry, client: RegistryClient
) -> None:
    raw = b'{"os": "linux"}'
    fake.say("GET", f"/v2/web/blobs/{digest_of(raw)}", Said(302, b"", (("Location", f"{other.url}/b"),)))
    other.say("GET", "/b", Said(200, raw))
    assert await client.config("web", digest_of(raw)) == {"os": "linux"}


async def test_a_manifest_may_not_lie_elsewhere_even_if_the_repository_is_called_blobs(
    fake: FakeRegistry, other: FakeRegistry, client: RegistryClient
) -> None:
    away = Said(302, b"", (("Location", f"{other.url}/m"),))
    fake.say("GET", "/v2/blobs/web/manifests/v1", away)
    with pytest.raises(DockpassError, match="another origin"):
        await client.manifest("blobs/web", "v1")


async def test_a_429_is_waited_for_as_long_as_is_sane(fake: FakeRegistry) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    busy = refusal(429, "TOOMANYREQUESTS", "slow down", ("Retry-After", "7"))
    async with Transport(sleep=sleep) as transport:
        patient = Session(fake.host, None, transport)
        fake.say("GET", LIST, busy, busy, Said(200))
        assert (await patient.send("GET", LIST, "", limit=100)).status == 200
        fake.say("GET", LIST, busy)
        assert (await patient.send("GET", LIST, "", limit=100)).status == 429
    assert waited == [7.0] * 4


def test_a_wait_is_seconds_or_a_date_and_too_long_a_one_is_none() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for header, seconds in {
        "5": 5,
        "0": 0,
        "60": 60,
        "999999": 999999,
        "9" * 5000: 1e10,
        "-5": None,
        "soon": None,
        "": None,
        "٣": 3,
        "Mon, 01 Jan 1990 00:00:00 GMT": 0,
        "Mon, 01 Jan 1990 00:00:00": 0,
        format_datetime(now + timedelta(seconds=30)): 30,
    }.items():
        assert asked_to_wait({"Retry-After": header}, lambda: now) == seconds, header


# Listing


async def test_pages_are_followed_by_their_links_verbatim(fake: FakeRegistry, client: RegistryClient) -> None:
    first = Said(200, {"tags": ["c", "b"]}, (link("/v2/web/tags/list?next_page=%2B1"),))
    short = Said(200, {"tags": []}, (link(f"{fake.url}/v2/web/tags/list?last=x%2Fy&n=2"),))
    fake.say("GET", LIST, first, short, Said(200, {"tags": ["a", "b"]}, (link("/x", "prev"),)))
    assert await client.tags("web") == ["a", "b", "c"]
    queries = [asked.query for asked in fake.requests("GET", LIST)]
    assert queries == ["n=1000", "next_page=%2B1", "last=x%2Fy&n=2"]


@pytest.mark.parametrize(
    "target",
    [
        "https://{host}/x",
        "http://127.0.0.1:1/x",
        "//evil.example/x",
        "http://[x/",
        "/v2/web/tags/list?n=1000",
    ],
)
async def test_a_next_page_elsewhere_or_once_more_is_refused(
    fake: FakeRegistry, client: RegistryClient, target: str
) -> None:
    page = Said(200, {"tags": ["a"]}, (link(target.format(host=fake.host)),))
    fake.say("GET", LIST, page)
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.id == "answer-refused"
    assert len(fake.requests("GET", LIST)) == 1


async def test_a_listing_without_end_is_given_up(
    fake: FakeRegistry, client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockpass.registry.listing.MOST_PAGES", 10)
    pages = [Said(200, {"tags": []}, (link(f"{LIST}?page={number}"),)) for number in range(20)]
    fake.say("GET", LIST, *pages)
    with pytest.raises(DockpassError, match="does not end"):
        await client.tags("web")
    assert len(fake.requests("GET", LIST)) == 10


@pytest.mark.parametrize(
    ("answer", "tags"),
    [
        (Said(200, {"tags": None}), []),
        (Said(200, {"name": "web", "tags": []}), []),
        (Said(200, {"tags": ["b", "a", "b"], "manifest": {}}), ["a", "b"]),
        (Said(200, {"name": "proxied/web", "tags": ["a"]}), ["a"]),
        (refusal(404, "NAME_UNKNOWN"), []),
    ],
)
async def test_listings_of_all_usual_forms_are_read(
    fake: FakeRegistry, client: RegistryClient, answer: Said, tags: list[str]
) -> None:
    fake.say("GET", LIST, answer)
    assert await client.tags("web") == tags


@pytest.mark.parametrize(
    "body",
    [
        {"tags": "latest"},
        {"tags": [5]},
        {"tags": ["a/../b"]},
        {"tags": ["\x1b[2J"]},
        {"tags": ["x" * 129]},
        ["a"],
        b"<html>",
        b"[" * 100_000,
    ],
)
async def test_half_a_listing_is_never_taken_for_the_whole(
    fake: FakeRegistry, client: RegistryClient, body: Any
) -> None:
    fake.say("GET", LIST, Said(200, body))
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.id == "answer-refused"
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("header", ["</x>; rel='next'", f"{LIST}?last=b; rel=next", '<>; rel="next"', "</x>"])
async def test_after_a_link_that_cannot_be_read_there_may_be_more(
    fake: FakeRegistry, client: RegistryClient, header: str
) -> None:
    first = Said(200, {"tags": ["a", "b"]}, (("Link", header),))
    fake.say("GET", LIST, first, Said(200, {"tags": ["c"]}))
    assert await client.tags("web") == ["a", "b", "c"]
    assert fake.requests("GET", LIST)[1].query == "n=1000&last=b"


async def test_a_later_page_of_another_repository_is_refused(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    first = Said(200, {"name": "web", "tags": ["a"]}, (link(f"{LIST}?last=a"),))
    fake.say("GET", LIST, first, Said(200, {"name": "other", "tags": ["b"]}))
    with pytest.raises(DockpassError, match="a later page is the tag list of other"):
        await client.tags("web")


@pytest.mark.parametrize("name", ["other", "webs", "Web", "web/", "web/app", "/", "x\x1b[2Jweb", "é" * 300])
async def test_the_list_of_another_repository_is_refused(
    fake: FakeRegistry, client: RegistryClient, name: str
) -> None:
    fake.say("GET", LIST, Said(200, {"name": name, "tags": ["a"]}))
    with pytest.raises(DockpassError, match="it is the tag list of") as caught:
        await client.tags("web")
    assert caught.value.id == "answer-refused"
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("name", ["group/web", "web"])
async def test_a_prefix_may_be_missing_in_the_name_of_a_list(
    fake: FakeRegistry, client: RegistryClient, name: str
) -> None:
    fake.say("GET", "/v2/docker/group/web/tags/list", Said(200, {"name": name, "tags": ["a"]}))
    assert await client.tags("docker/group/web") == ["a"]


async def test_a_page_behind_one_without_a_name_is_of_this_repository(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    first = Said(200, {"tags": ["a"]}, (link(f"{LIST}?last=a"),))
    fake.say("GET", LIST, first, Said(200, {"name": "other", "tags": ["b"]}))
    with pytest.raises(DockpassError, match="it is the tag list of other"):
        await client.tags("web")


async def test_a_missing_page_is_not_an_empty_repository(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.say("GET", LIST, Said(404, b"404 page not found"))
    with pytest.raises(RegistryError) as caught:
        await client.tags("web")
    assert caught.value.id == "not-found"


async def test_a_registry_that_wants_smaller_pages_names_their_size(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.say("GET", LIST, refusal(400, "PAGINATION_NUMBER_INVALID"), Said(200, {"tags": ["a"]}))
    assert await client.tags("web") == ["a"]
    assert fake.asked[-1].query == ""


# Manifests and configs


async def test_a_manifest_is_asked_for_in_all_four_forms(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = fake.image("v1")
    manifest = await client.manifest("web", "v1")
    assert (manifest.digest, manifest.is_index) == (digest, False)
    accept = fake.asked[-1].headers["Accept"]
    assert accept.count("application/vnd.") == 4
    assert await client.manifest("web", digest) == manifest
    index = await client.manifest("web", fake.index("all", [digest]))
    assert index.is_index


async def test_bytes_that_are_not_those_of_the_digest_are_refused(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    digest = fake.image("v1")
    fake.say("GET", f"/v2/web/manifests/{digest}", Said(200, {"changed": True}))
    fake.say("GET", "/v2/web/manifests/v1", Said(200, {}, (("Docker-Content-Digest", digest),)))
    other = fake.image("v2", created="2")
    raw, _ = fake.manifests[other]
    lie = Said(200, raw, (("Docker-Content-Digest", digest),))
    fake.say("GET", f"/v2/web/manifests/{other}", lie)
    for reference in (digest, "v1", other):
        with pytest.raises(DockpassError, match="does not match the digest"):
            await client.manifest("web", reference)


@pytest.mark.parametrize("claimed", ["sha256:../../x", f"sha256:{HEX.upper()}", "sha1:" + "a" * 40, "x"])
async def test_a_claimed_digest_of_another_form_is_refused(
    fake: FakeRegistry, client: RegistryClient, claimed: str
) -> None:
    fake.say("GET", "/v2/web/manifests/v1", Said(200, {}, (("Docker-Content-Digest", claimed),)))
    with pytest.raises(DockpassError, match="does not match the digest"):
        await client.manifest("web", "v1")


async def test_a_manifest_without_a_claimed_digest_has_that_of_its_bytes(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.say("GET", "/v2/web/manifests/v1", Said(200, b'{"mediaType": "x"}'))
    assert (await client.manifest("web", "v1")).digest == digest_of(b'{"mediaType": "x"}')


@pytest.mark.parametrize("reference", ["../../_catalog", "sha256:../x", "v 1", "", "a?b", f"sha256:{HEX}\n"])
async def test_what_is_neither_tag_nor_digest_reaches_no_address(
    fake: FakeRegistry, client: RegistryClient, reference: str
) -> None:
    asks: list[Callable[[], Any]] = [
        lambda: client.manifest("web", reference),
        lambda: client.config("web", reference),
        lambda: client.delete_digest("web", reference),
        lambda: client.delete_tag("web", reference),
    ]
    for ask in asks:
        with pytest.raises(DockpassError) as caught:
            await ask()
        assert caught.value.id == "answer-refused"
    assert not fake.asked


async def test_a_config_is_checked_against_its_digest(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.say("GET", f"/v2/web/blobs/sha256:{HEX}", Said(200, b"{}"))
    with pytest.raises(DockpassError, match="does not match that digest"):
        await client.config("web", f"sha256:{HEX}")


async def test_errors_carry_the_registrys_words_made_inert(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[@click=app.quit]now[/]\u202eevil"
    fake.say("GET", "/v2/web/manifests/v1", refusal(403, "DENIED", evil))
    with pytest.raises(RegistryError) as caught:
        await client.manifest("web", "v1")
    assert caught.value.answer.code == "DENIED"
    assert "[@click=app.quit]now[/]" in caught.value.message
    assert caught.value.message.isprintable()
    assert "\u202e" not in caught.value.message


async def test_a_refusal_that_mirrors_the_request_shows_no_secret(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    fake.say("GET", "/token", Said(200, {"token": "canary.bearer.token"}))
    fake.say("GET", LIST, refusal(403, "DENIED", "you sent Bearer canary.bearer.token"))
    with pytest.raises(RegistryError) as caught:
        await client.tags("web")
    assert "you sent Bearer ••••" in caught.value.message


# Deleting


async def test_a_digest_is_deleted_once_and_then_gone(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = fake.image("v1")
    assert await client.delete_digest("web", digest) is True
    assert await client.delete_digest("web", digest) is False


async def test_deletion_switched_off_is_explained(fake: FakeRegistry, client: RegistryClient) -> None:
    digest = fake.image("v1")
    off = refusal(405, "UNSUPPORTED", "The operation is unsupported.")
    fake.say("DELETE", f"/v2/web/manifests/{digest}", off)
    with pytest.raises(RegistryError) as caught:
        await client.delete_digest("web", digest)
    assert caught.value.id == "unsupported"
    assert "switched off" in caught.value.message
    assert "storage.delete.enabled" in caught.value.hint


async def test_a_refused_deletion_is_tried_with_the_star_and_the_first_error_told(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.bearer = True
    digest = fake.image("v1")
    target = f"/v2/web/manifests/{digest}"
    answers = [refusal(401, "UNAUTHORIZED", words, fake.challenge) for words in ("one", "one", "two", "two")]
    fake.say("DELETE", target, *answers)
    with pytest.raises(RegistryError, match="one"):
        await client.delete_digest("web", digest)
    assert len(fake.requests("DELETE", target)) == 4
    scopes = [asked.query.split("scope=")[1].split("&")[0] for asked in fake.requests("GET", "/token")]
    assert scopes == ["repository%3Aweb%3Apull%2Cdelete"] * 2 + ["repository%3Aweb%3A%2A"] * 2


async def test_the_scope_that_works_is_remembered(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.bearer = True
    first, second = fake.image("v1", created="1"), fake.image("v2", created="2")
    no = refusal(401, "UNAUTHORIZED", "insufficient scope", fake.challenge)
    fake.say("DELETE", f"/v2/web/manifests/{first}", no, no, Said(202))
    assert await client.delete_digest("web", first)
    assert await client.delete_digest("web", second)
    assert len(fake.requests("DELETE", f"/v2/web/manifests/{second}")) == 1
    assert "%2A" in fake.requests("GET", "/token")[-1].query


async def test_a_tag_is_deleted_alone_where_the_registry_can(
    fake: FakeRegistry, client: RegistryClient
) -> None:
    fake.tags_deletable = True
    digest = fake.image("v1")
    fake.tagged["v2"] = digest
    assert await client.delete_tag("web", "v1") is True
    assert await client.delete_tag("web", "v1") is False
    assert fake.tagged == {"v2": digest}


@pytest.mark.parametrize(
    "first", [refusal(400, "DIGEST_INVALID"), refusal(405, "UNSUPPORTED"), Said(404, b"404 page not found")]
)
@pytest.mark.parametrize(
    ("second", "existed"), [(Said(200), True), (refusal(404, "MANIFEST_UNKNOWN"), False)]
)
async def test_gitlabs_older_form_is_tried_next(
    fake: FakeRegistry, client: RegistryClient, first: Said, second: Said, existed: bool
) -> None:
    fake.say("DELETE", "/v2/web/manifests/v1", first)
    fake.say("DELETE", "/v2/web/tags/reference/v1", second)
    assert await client.delete_tag("web", "v1") is existed


async def test_a_registry_that_cannot_delete_tags_says_so(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.image("v1")
    with pytest.raises(RegistryError) as caught:
        await client.delete_tag("web", "v1")
    assert caught.value.id == "tag-deletion-unsupported"
    assert "v1" in fake.tagged

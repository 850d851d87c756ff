"""What a refusal means: the one table, by who answered, status, error code, message and form.

The first row that fits counts. A meaning says only what was seen; where a response can have several causes,
it names all of them. Engines report refusals as text; `engines/failurekinds.py` recognises that text and uses
the same meanings.
"""

from __future__ import annotations

from dataclasses import replace

from dockpass.registry.answer import Answer, Where
from dockpass.registry.flavour import Flavour
from dockpass.registry.forms import Form
from dockpass.registry.judgement import Judgement, Outcome, Row, row
from dockpass.registry.retry import LONGEST_WAIT
from dockpass.units import about

NOT_A_REGISTRY = "not-a-registry"
"""The id for an address where something else answers."""


def judge(answer: Answer, flavour: Flavour = Flavour.OTHER) -> Judgement:
    """Return the judgement of the first row that fits."""
    judgement = next(each.judgement for each in ROWS if each.fits(answer, flavour))
    if judgement == RATE_LIMITED:
        meaning, hint = _too_many(answer.wait)
        return replace(judgement, meaning=meaning, hint=hint)
    return replace(judgement, meaning=judgement.meaning.replace("{login}", answer.login or ""))


def _too_many(wait: float | None) -> tuple[str, str]:
    """Return meaning and hint of a 429, by the seconds that it asks to wait."""
    if not wait:
        return "Too many requests.", "Wait a while, then try again."
    more = "with a login, most registries allow more requests."
    meaning = f"Too many requests; the server asks to wait {about(wait)}"
    if wait <= LONGEST_WAIT:
        return f"{meaning}.", f"Try again after that; {more}"
    return f"{meaning}, longer than dockpass waits.", f"Try again in {about(wait)}; {more}"


CHECK_ADDRESS = "Check host and port: a registry often has its own port."
_WHERE_FROM = "`dockpass explain` shows where user name and password come from."
_PROBE = "`dockpass probe` asks the registry what this login may do"
_LOG_IN = "Give --registry-username and --registry-password, or log in with docker; see `dockpass explain`."

RATE_LIMITED = Judgement("rate-limited", Outcome.UNKNOWN, *_too_many(None))
PROXY_LOGIN = Judgement(
    "proxy-login",
    Outcome.UNKNOWN,
    "The server answers like a proxy that requires a login, although no proxy is used for it.",
    "Something in between, or the server itself, is configured as a proxy; ask its administrator.",
)
_SIZE_SETTINGS = (
    "Raise the limit there: client_max_body_size in nginx, the annotation"
    " nginx.ingress.kubernetes.io/proxy-body-size in its ingress, LimitRequestBody in Apache; Cloudflare"
    " allows 100 MB on most plans."
)
TOO_LARGE = Judgement(
    "too-large",
    Outcome.UNKNOWN,
    "Something in front of the registry, usually a proxy, limits the size of a request.",
    _SIZE_SETTINGS,
)
_TOO_LARGE_FOR_REGISTRY = replace(TOO_LARGE, meaning="The registry limits the size of a request.")
REGISTRY_OFF = Judgement(
    "registry-off",
    Outcome.UNKNOWN,
    "The container registry is switched off there.",
    "Its administrator can switch it on (GitLab: registry_external_url), or the address is wrong.",
)
FORBIDDEN_BY_OTHER = Judgement(
    "forbidden-by-other",
    Outcome.UNKNOWN,
    "The response is not in registry format: probably a proxy, a firewall or an IP ban answered.",
    "Try from another network, or wait: repeated failed logins can get an address banned.",
)
NO_TOKEN = Judgement(
    "no-token",
    Outcome.UNKNOWN,
    "The token server sent neither a token nor a refusal.",
    "Try again; if it happens again, ask the registry's administrator.",
)
UNSUPPORTED = Judgement(
    "unsupported",
    Outcome.UNKNOWN,
    "The registry does not support this.",
    "Ask the registry's administrator whether it can be enabled.",
)
DELETION_OFF = replace(
    UNSUPPORTED,
    meaning="Deletion is switched off in this registry.",
    hint="Ask the registry's administrator to switch it on (in Distribution: storage.delete.enabled).",
)
SERVER_FAILED = Judgement(
    "server-failed",
    Outcome.UNKNOWN,
    "The server failed.",
    "Try again later; its own log says more.",
    "registry-failed",
)
NOT_REGISTRY = Judgement(
    NOT_A_REGISTRY,
    Outcome.UNKNOWN,
    "A registry answers /v2/ in registry format, with 200 or 401.",
    CHECK_ADDRESS,
)
ABSENT = Judgement(
    "absent",
    Outcome.ABSENT,
    "It does not exist, or this login cannot see it.",
    "Check the name: registries often hide private repositories. A first push creates the repository where"
    " the registry allows that.",
    "not-found",
)
CREDENTIALS = Judgement(
    "credentials",
    Outcome.CREDENTIALS,
    "User name and password were not accepted: one of them is wrong, or the token has expired.",
    f"{_WHERE_FROM} A job token expires with its job.",
    "unauthorized",
)
NEEDS_LOGIN = Judgement(
    "needs-login",
    Outcome.REFUSED,
    "No credentials for this registry, and it does not allow anonymous access.",
    _LOG_IN,
    "unauthorized",
)
DENIED = Judgement(
    "denied",
    Outcome.REFUSED,
    "Authenticated, but not allowed to do this.",
    f"Check the repository's name; {_PROBE} there.",
)
_DENIED_BY_NAME = replace(DENIED, meaning="Authenticated as {login}, but not allowed to do this.")
_DENIED_SILENTLY = replace(
    DENIED,
    meaning="Refused without a reason, by the registry or by a firewall in front of it.",
    hint=f"{_PROBE}, step by step.",
)
NOT_ALLOWED = Judgement(
    "not-allowed",
    Outcome.REFUSED,
    "This login is not allowed to do this, or no login was sent.",
    f"{_PROBE}; `dockpass explain` shows which login it is.",
    "unauthorized",
)
_NOT_ALLOWED_BY_NAME = replace(NOT_ALLOWED, meaning="The login {login} is not allowed to do this.")
_TOKEN_PAGE = replace(
    NO_TOKEN,
    meaning="The token server answered with a web page, which says nothing about the login.",
    hint="A proxy or a sign-in page may have answered instead; ask the registry's administrator.",
)
_TOKEN_SERVER = (Where.LOGIN, Where.SCOPE, Where.ANONYMOUS)
_BY_CLIENT = (Where.TOKEN, Where.REGISTRY)
_FORBIDDEN = (401, 403)
_NOT_IN_FORMAT = (Form.PAGE, Form.TEXT)

ROWS: tuple[Row, ...] = (
    row(RATE_LIMITED, statuses=(429,)),
    row(RATE_LIMITED, codes=("TOOMANYREQUESTS",)),
    row(PROXY_LOGIN, statuses=(407,)),
    row(_TOO_LARGE_FOR_REGISTRY, statuses=(413,), coded=True),
    row(TOO_LARGE, statuses=(413,)),
    row(REGISTRY_OFF, statuses=(404,), words="not enabled"),
    row(SERVER_FAILED, statuses=tuple(range(500, 600))),
    row(
        Judgement(
            "ecr-expired",
            Outcome.CREDENTIALS,
            "The password has expired.",
            "Get a new one (`aws ecr get-login-password`).",
            "unauthorized",
        ),
        *_BY_CLIENT,
        Where.LIST,
        statuses=_FORBIDDEN,
        words="authorization token has expired",
    ),
    row(FORBIDDEN_BY_OTHER, statuses=(403,), forms=_NOT_IN_FORMAT, coded=False),
    row(FORBIDDEN_BY_OTHER, *_TOKEN_SERVER, Where.PING, Where.LIST, statuses=(403,), forms=(Form.EMPTY,)),
    row(
        Judgement(
            "refused-at-first",
            Outcome.UNKNOWN,
            "Refused before any login was sent, as a list of allowed IP addresses does.",
            "Try from an allowed address; ask the registry's administrator which ones are.",
            "denied",
        ),
        Where.PING,
        statuses=(403,),
    ),
    row(NOT_REGISTRY, Where.PING),
    row(_TOKEN_PAGE, *_TOKEN_SERVER, Where.TOKEN, statuses=(401,), forms=(Form.PAGE,)),
    # -- the token server, asked by a run's client with credentials and scope at once
    row(
        Judgement(
            "two-factor",
            Outcome.CREDENTIALS,
            "The account uses two-factor authentication, so its password is not accepted here.",
            "Use a personal access token or a deploy token instead of the password.",
            "unauthorized",
        ),
        Where.TOKEN,
        statuses=(401,),
        words="2fa|two-factor",
    ),
    row(CREDENTIALS, Where.TOKEN, statuses=(401,)),
    # -- the token server, asked by a probe with credentials that it has not accepted yet
    row(
        Judgement(
            "gitlab-credentials",
            Outcome.CREDENTIALS,
            "GitLab answers like this to a wrong or expired secret, to a deploy token under another user"
            " name, to a job token after its job or under a user other than gitlab-ci-token, and to the"
            " password of an account with two-factor authentication.",
            _WHERE_FROM,
        ),
        Where.LOGIN,
        statuses=(401,),
        flavours=(Flavour.GITLAB,),
    ),
    row(
        Judgement(
            "gitlab-no-registry-ability",
            Outcome.CREDENTIALS,
            "GitLab answers like this if the token has no registry scope, or if a proxy in front of it"
            " removed the Authorization header.",
            "A personal, project or group token needs read_registry (and write_registry to push).",
        ),
        Where.LOGIN,
        statuses=(403,),
        codes=("DENIED",),
        flavours=(Flavour.GITLAB,),
    ),
    row(
        Judgement(
            "limited-token",
            Outcome.REFUSED,
            "The login is accepted, but its token is not allowed to do this.",
            "Create a token with more permissions, or use another login.",
        ),
        Where.LOGIN,
        Where.SCOPE,
        statuses=(401,),
        words="insufficient scope",
    ),
    row(CREDENTIALS, Where.LOGIN, statuses=_FORBIDDEN),
    # -- the token server, asked by a probe after it has accepted the credentials
    row(
        Judgement(
            "protected-repository",
            Outcome.REFUSED,
            "The repository is protected, and this login may not push to it.",
            "The project's settings say who may (protected container repositories).",
        ),
        Where.SCOPE,
        statuses=(403,),
        words="protected repository",
    ),
    row(
        Judgement("denied-by-realm", Outcome.REFUSED, "The token server does not allow this for this login."),
        Where.SCOPE,
        statuses=_FORBIDDEN,
    ),
    # -- the token server, asked without credentials
    row(NEEDS_LOGIN, Where.ANONYMOUS, statuses=_FORBIDDEN),
    row(
        Judgement(
            "no-token-server",
            Outcome.UNKNOWN,
            "There is no token server at the address that the registry names.",
            "Ask the registry's administrator whether the address is right.",
        ),
        *_TOKEN_SERVER,
        statuses=(404, 405),
    ),
    row(
        Judgement("scope-not-understood", Outcome.UNKNOWN, "The token server did not accept the request."),
        *_TOKEN_SERVER,
        statuses=(400, 422),
    ),
    row(NO_TOKEN, *_TOKEN_SERVER),
    # -- the registry, asked by a probe for the tags of a repository
    row(replace(NOT_ALLOWED, hint=""), Where.LIST, statuses=(404,), codes=("DENIED", "UNAUTHORIZED")),
    row(
        replace(
            ABSENT,
            id="ecr-absent",
            meaning="The repository does not exist.",
            hint="Amazon ECR usually creates no repository on push: create it first.",
        ),
        Where.LIST,
        statuses=(404,),
        flavours=(Flavour.ECR,),
    ),
    row(ABSENT, Where.LIST, statuses=(404,), forms=(Form.ERRORS, Form.OBJECT)),
    row(
        Judgement("no-listing", Outcome.UNKNOWN, "The registry does not list tags at this address."),
        Where.LIST,
        statuses=(404, 405),
    ),
    row(
        replace(NOT_ALLOWED, meaning="The registry does not allow this login to do this.", hint=""),
        Where.LIST,
        statuses=_FORBIDDEN,
    ),
    row(Judgement("odd-answer", Outcome.UNKNOWN, "No registry responds like this."), Where.LIST),
    # -- the registry or the token server, asked by a run's client
    row(UNSUPPORTED, statuses=(405,)),
    row(UNSUPPORTED, codes=("UNSUPPORTED",)),
    row(NEEDS_LOGIN, statuses=_FORBIDDEN, login=False),
    row(_NOT_ALLOWED_BY_NAME, statuses=(401,), login=True),
    row(NOT_ALLOWED, statuses=(401,)),
    row(_DENIED_SILENTLY, statuses=(403,), forms=(Form.EMPTY,), coded=False),
    row(_DENIED_BY_NAME, statuses=(403,), login=True),
    row(DENIED, statuses=(403,)),
    row(_DENIED_BY_NAME, codes=("DENIED",), login=True),
    row(DENIED, codes=("DENIED",)),
    row(ABSENT, statuses=(404,)),
    row(Judgement("registry-answered", Outcome.UNKNOWN, "", "The registry's log may say more.")),
)

"""The part of a probe at the realm: one token without scope, then one for each action.

Fewer actions than asked are no error but the answer itself; a token that cannot be read shows nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from dockpass.errors import DockpassError
from dockpass.registry.asking import Asker, Heard
from dockpass.registry.challenge import choose, parse_challenges
from dockpass.registry.claims import Claims, read_claims
from dockpass.registry.probe import (
    ACTIONS,
    DELETE,
    PULL,
    PUSH,
    SCOPES,
    ActionResult,
    Level,
    Login,
    LoginState,
    ProbeFinding,
    TokenFacts,
    Verdict,
)
from dockpass.registry.question import Question
from dockpass.registry.token import CLIENT_ID, Realm, basic, read_token, with_query
from dockpass.registry.verdicts import Flavour, Judgement, Outcome, Where, judge
from dockpass.secrets import Secret
from dockpass.text import clean

_STOPS = frozenset({"rate-limited", "server-failed", "proxy-login", "forbidden-by-other", "no-token-server"})
"""Answers after which the next request would get no better one."""
_NO_OAUTH = Judgement(
    "no-oauth",
    Outcome.UNKNOWN,
    "The login is an identity token, and this token server has no OAuth2 to take it.",
    "Log in with a user name and a password or token instead.",
)
MOST_OTHERS = 4
MOST_ODD = 3


@dataclass(frozen=True, slots=True)
class _Answer:
    """A token with what can be read of it, or why there is none."""

    heard: Heard
    token: Secret | None = None
    claims: Claims | None = None
    scope: str | None = None
    judgement: Judgement | None = None

    def actions(self, path: str) -> frozenset[str] | None:
        """Return the actions that are visible for the repository; None where none can be seen."""
        if self.claims is not None:
            return self.claims.actions(path)
        if self.scope is None:
            return None
        found: set[str] = set()
        for entry in self.scope.split():
            kind, _, rest = entry.partition(":")
            name, _, actions = rest.rpartition(":")
            if (kind, name) == ("repository", path):
                found.update(clean(action, 40) for action in actions.split(","))
        return frozenset(found)


class Scopes:
    """Asks the realm; what it found is in its attributes, also after a failure in the middle."""

    def __init__(
        self,
        question: Question,
        asker: Asker,
        realm: Realm,
        base: str,
        flavour: Flavour,
        learn: Callable[[Secret], None],
    ) -> None:
        self.login = Login(LoginState.NOT_PROBED, "not asked")
        self.actions: dict[str, ActionResult] = {}
        self.others: tuple[ActionResult, ...] = ()
        self.findings: list[ProbeFinding] = []
        self.exists: bool | None = None
        self.rejected = False
        self._question = question
        self._asker = asker
        self._realm = realm
        self._base = base
        self._flavour = flavour
        self._learn = learn
        self._oauth = True
        self._stopped = ""
        self._answers: list[_Answer] = []

    async def run(self) -> None:
        """Ask for everything that is asked for."""
        if self._question.credential is None:
            self.login = Login(LoginState.ANONYMOUS, "no login is known; asked without one")
        else:
            await self._log_in()
            if self.rejected or self._stopped:
                return
        for asked in ACTIONS:
            await self._ask_for(asked)
        others = []
        for path in self._question.also_pull[:MOST_OTHERS]:
            others.append(await self._pull_of(path))
        self.others = tuple(others)

    def token_facts(self) -> TokenFacts:
        """Return what the tokens say of themselves."""
        given = [answer for answer in self._answers if answer.token is not None]
        if not given:
            return TokenFacts()
        readable = [answer.claims for answer in given if answer.claims is not None]
        if not readable:
            return TokenFacts("opaque")
        claims, path = readable[0], self._question.path
        entries = [entry for each in readable for entry in each.of(path)]
        return TokenFacts(
            "JWT",
            claims.subject,
            claims.life,
            claims.auth_type,
            claims.audience,
            tuple(dict.fromkeys(pattern for entry in entries for pattern in entry.deny_push)),
            tuple(dict.fromkeys(pattern for entry in entries for pattern in entry.deny_delete)),
        )

    async def _log_in(self) -> None:
        answer = await self._token("", Where.LOGIN)
        judgement = answer.judgement
        if judgement is None:
            claims = answer.claims
            kind = f", auth_type {claims.auth_type}" if claims and claims.auth_type else ""
            self._asker.note(f"accepted{kind}" if claims else "accepted, opaque token")
            by = self._realm.url.partition("://")[2].partition("/")[0]
            self.login = Login(LoginState.ACCEPTED, f"accepted by {clean(by, 200)}")
            if claims is not None and not claims.subject and self._flavour is Flavour.GITLAB:
                self._find(
                    "subject-empty",
                    Level.LOOK,
                    "The token names nobody, although a login was sent: it may have been lost on the way.",
                    "A proxy before the token server may take the Authorization header away.",
                )
            return
        words = f"{answer.heard.in_words.rstrip('.')}. {judgement.meaning}"
        self.rejected = judgement.outcome is Outcome.CREDENTIALS
        state = LoginState.REJECTED if self.rejected else LoginState.UNKNOWN
        self.login = Login(state, words, judgement.hint)

    async def _ask_for(self, asked: str) -> None:
        path = self._question.path
        if self._stopped:
            self._put(asked, Verdict.NOT_PROBED, f"not probed: {self._stopped}")
            return
        if asked == PUSH and self.exists is not True and not self._question.push:
            seen = "is not there" if self.exists is False else "could not be seen"
            why = f"not probed: the repository {seen}, and asking to push makes its record on some registries"
            self._put(asked, Verdict.NOT_PROBED, why)
            return
        answer = await self._token(f"repository:{path}:{SCOPES[asked]}", self._where)
        if answer.judgement is not None:
            self._put_refusal(asked, answer)
        else:
            self._put(asked, *self._seen(asked, answer))
        if asked == PULL and answer.token is not None:
            await self._look(answer.token)

    @property
    def _where(self) -> Where:
        if self._question.credential is None:
            return Where.ANONYMOUS
        return Where.SCOPE if self.login.state is LoginState.ACCEPTED else Where.LOGIN

    def _seen(self, asked: str, answer: _Answer) -> tuple[Verdict, str]:
        visible = answer.actions(self._question.path)
        wanted = set(SCOPES[asked].split(","))
        if visible is None:
            self._asker.note("opaque token")
            done = {PULL: "read", PUSH: "push"}.get(asked, "deletion")
            return Verdict.NOT_VISIBLE, f"a token was given, and it is opaque; only a real {done} shows it"
        listed = ", ".join(sorted(visible, key=_order)) or "nothing"
        self._asker.note(listed)
        self._look_at_claims(asked, answer.claims, visible - wanted)
        whose = "the token" if self._flavour is Flavour.OTHER else f"{self._flavour}'s token"
        kind = answer.claims.auth_type if answer.claims else ""
        of = f" (token type {kind})" if kind else ""
        if wanted <= visible:
            off = (
                "; whether deletion is switched on there shows only at a real one" if asked == DELETE else ""
            )
            return Verdict.GRANTED, f"{whose} lists {listed}{of}{off}"
        return Verdict.REFUSED, f"{whose} lists {listed}{of}; {SCOPES[asked]} was asked for"

    def _look_at_claims(self, asked: str, claims: Claims | None, more: frozenset[str]) -> None:
        if more:
            words = f"Asked for {SCOPES[asked]}, the token lists also {', '.join(sorted(more))}; not counted."
            self._find("more-than-asked", Level.NOTE, words)
        if claims is None:
            return
        for odd in claims.odd:
            self._find("token-odd", Level.LOOK, f"The token is odd: {odd}.")
        for other in claims.others(self._question.path)[:MOST_ODD]:
            self._find("token-for-others", Level.LOOK, f"The token is also for {other}; not counted.")

    def _look_at_age(self, claims: Claims | None) -> None:
        if claims is None or claims.expires is None:
            return
        ago = self._asker.now() - claims.expires
        if ago > 0:
            words = f"The token says that it ended {ago:,.0f} seconds ago, by this machine's clock."
            self._find("token-ended", Level.LOOK, words, "One of the clocks is wrong.")

    def _put_refusal(self, asked: str, answer: _Answer) -> None:
        judgement = answer.judgement
        if judgement is None:
            return
        if judgement.outcome is Outcome.CREDENTIALS:
            self.rejected = True
            self.login = Login(LoginState.REJECTED, judgement.meaning, judgement.hint)
            self._stopped = "the login was not accepted"
        verdict = Verdict.UNKNOWN if judgement.outcome is Outcome.UNKNOWN else Verdict.REFUSED
        evidence = f"the token server: {answer.heard.in_words.rstrip('.')}. {judgement.meaning}"
        self._put(asked, verdict, evidence)
        if asked == PULL and self._question.credential is None:
            self._stopped = "without a login the token server gives no token"
        if judgement.id in _STOPS:
            self._stopped = judgement.meaning[0].lower() + judgement.meaning[1:].rstrip(".")

    async def _look(self, token: Secret) -> None:
        """See with the pull token whether the repository is there; for an opaque one this tells of pull."""
        before = self.actions[PULL]
        if before.verdict is Verdict.REFUSED:
            return
        path = self._question.path
        heard = await self._list(path, token)
        if heard.status == 200:
            self.exists = True
            self._asker.note("tags are listed")
            if before.verdict is Verdict.NOT_VISIBLE:
                self._put(PULL, Verdict.GRANTED, "the token is opaque, and with it the tags were listed")
            return
        found = judge(Where.REGISTRY, heard.answer, self._flavour, in_form=heard.in_form)
        words = f"listing the tags with it: {heard.in_words.rstrip('.')}. {found.meaning}"
        if found.outcome is Outcome.ABSENT:
            self.exists = False
            if before.verdict is Verdict.NOT_VISIBLE:
                self._put(PULL, Verdict.UNKNOWN, f"the token is opaque; {words}")
        elif found.outcome is Outcome.REFUSED:
            self._put(PULL, Verdict.REFUSED, f"{before.evidence}; {words}")
            if before.verdict is Verdict.GRANTED:
                self._not_trusted(heard)
        self._compare_realm(heard)

    async def _list(self, path: str, token: Secret) -> Heard:
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        return await self._asker.send(
            "GET", f"{self._base}/v2/{path}/tags/list?n=1", headers=headers, carried="token"
        )

    def _not_trusted(self, heard: Heard) -> None:
        challenge = choose(parse_challenges(heard.challenges))
        error = clean(challenge.parameters.get("error", ""), 60) if challenge else ""
        said = f" ({error})" if error else ""
        self._find(
            "token-not-trusted",
            Level.BAD,
            f"The token server granted pull, and the registry refused its token{said}.",
            "Usually the registry lacks the token server's key, expects another service, or a clock is wrong;"
            " its log tells which.",
        )

    def _compare_realm(self, heard: Heard) -> None:
        challenge = choose(parse_challenges(heard.challenges))
        named = challenge.parameters.get("realm", "") if challenge else ""
        if named and named != self._realm.url:
            self._find(
                "realm-differs",
                Level.BAD,
                f"The registry first sent for tokens to {clean(self._realm.url, 200)}, and for this"
                f" repository to {clean(named, 200)}. Nothing was sent there.",
                "Its operator can tell which one is right.",
            )

    async def _pull_of(self, path: str) -> ActionResult:
        """See whether another repository can be read, for the base images of a build."""
        if self._stopped:
            return ActionResult(PULL, Verdict.NOT_PROBED, f"not probed: {self._stopped}", path)
        answer = await self._token(f"repository:{path}:pull", self._where)
        if answer.judgement is not None or answer.token is None:
            judgement = answer.judgement
            known = judgement is not None and judgement.outcome is not Outcome.UNKNOWN
            verdict = Verdict.REFUSED if known else Verdict.UNKNOWN
            return ActionResult(PULL, verdict, f"the token server: {answer.heard.in_words}", path)
        visible = answer.actions(path)
        if visible is not None:
            listed = ", ".join(sorted(visible, key=_order)) or "nothing"
            self._asker.note(listed)
            verdict = Verdict.GRANTED if PULL in visible else Verdict.REFUSED
            return ActionResult(PULL, verdict, f"the token lists {listed}", path)
        heard = await self._list(path, answer.token)
        verdict = Verdict.GRANTED if heard.status == 200 else Verdict.UNKNOWN
        if heard.status in {401, 403}:
            verdict = Verdict.REFUSED
        return ActionResult(PULL, verdict, f"listing its tags: {heard.status}", path)

    async def _token(self, scope: str, where: Where) -> _Answer:
        heard = await self._request(scope)
        if not self._oauth and not (self._question.credential and self._question.credential.password):
            self._stopped = "the token server takes no identity tokens"
            answer = _Answer(heard, judgement=_NO_OAUTH)
        elif heard.status != 200:
            judgement = judge(where, heard.answer, self._flavour, in_form=heard.in_form)
            answer = _Answer(heard, judgement=judgement)
            if judgement.id in _STOPS:
                self._stopped = judgement.meaning[0].lower() + judgement.meaning[1:].rstrip(".")
        else:
            try:
                token, _ = read_token(self._question.host, heard.body)
            except DockpassError:
                self._stopped = "the token server does not answer with a token"
                raise
            self._learn(token)
            answer = _Answer(heard, token, read_claims(token), _scope_in(heard.body))
            self._look_at_age(answer.claims)
        self._answers.append(answer)
        return answer

    async def _request(self, scope: str) -> Heard:
        credential = self._question.credential
        if credential and credential.identity_token and self._oauth:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credential.identity_token.reveal(),
                "service": self._realm.service,
                "client_id": CLIENT_ID,
                "scope": scope,
            }
            heard = await self._asker.send("POST", self._realm.url, data=form, scope=scope, carried="login")
            self._oauth = heard.status not in {404, 405}
            if self._oauth or not credential.password:
                return heard
        query = [("service", self._realm.service), *([("scope", scope)] if scope else [])]
        headers, carried = {}, "nothing"
        if credential and credential.username and credential.password:
            headers, carried = {"Authorization": basic(credential)}, "login"
            query.append(("account", credential.username))
        url = with_query(self._realm.url, query)
        return await self._asker.send("GET", url, headers=headers, scope=scope, carried=carried)

    def _put(self, asked: str, verdict: Verdict, evidence: str) -> None:
        self.actions[asked] = ActionResult(asked, verdict, evidence, self._question.path)

    def _find(self, finding_id: str, level: Level, message: str, hint: str = "") -> None:
        self.findings.append(ProbeFinding(finding_id, level, message, hint))


def _order(action: str) -> tuple[int, str]:
    known = (PULL, PUSH, DELETE, "*")
    return (known.index(action) if action in known else len(known), action)


def _scope_in(body: bytes) -> str | None:
    """Return the scope that an OAuth2 answer repeats."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    scope = found.get("scope") if isinstance(found, dict) else None
    return clean(scope, 2000) if isinstance(scope, str) else None

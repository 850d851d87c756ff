"""The part of a probe at the realm: one token without scope, then one for each action.

Fewer actions than asked are no error but the answer itself; a token that cannot be read shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from dockpass.errors import DockpassError
from dockpass.findings import Finding, Severity
from dockpass.probe.model import (
    ACTIONS,
    DELETE,
    NO_USABLE_ANSWER,
    PULL,
    PUSH,
    SCOPES,
    ActionResult,
    Login,
    LoginState,
    TokenFacts,
    Verdict,
    only_when_done,
)
from dockpass.probe.question import Question
from dockpass.probe.recorder import LARGEST_LIST, Answered, RecordingClient
from dockpass.probe.tag_list import odd_list, read_by_list, sentences
from dockpass.probe.token_answer import TokenAnswer, facts_of, listed, scope_in
from dockpass.registry.answer import Where
from dockpass.registry.challenge import choose, parse_challenges
from dockpass.registry.claims import Claims, read_claims
from dockpass.registry.contact import realm_differs
from dockpass.registry.flavour import Flavour
from dockpass.registry.judgement import Judgement, Outcome
from dockpass.registry.token import CLIENT_ID, Realm, basic, is_foreign, read_token, with_query
from dockpass.secrets import Secret
from dockpass.text import clean

_STOPS = frozenset(
    {
        "forbidden-by-other",
        "no-token",
        "no-token-server",
        "proxy-login",
        "rate-limited",
        "registry-off",
        "server-failed",
    }
)
"""Answers after which the next request would get no better one."""
_NO_OAUTH = Judgement(
    "no-oauth",
    Outcome.UNKNOWN,
    "The login is an identity token, but this token server does not support OAuth2.",
    "Log in with a user name and a password or token instead.",
)
MOST_OTHERS = 12
MOST_ODD = 3


class ScopeProbe:
    """Asks the realm; what it found is in its attributes, also after a failure in the middle."""

    def __init__(
        self,
        question: Question,
        client: RecordingClient,
        realm: Realm,
        base: str,
        flavour: Flavour,
        learn: Callable[[Secret], None],
    ) -> None:
        self.login = Login(LoginState.NOT_PROBED, "not asked")
        self.actions: dict[str, ActionResult] = {}
        self.others: tuple[ActionResult, ...] = ()
        self.findings: list[Finding] = []
        self.exists: bool | None = None
        self.rejected = False
        self._question = question
        self._client = client
        self._realm = realm
        self._base = base
        self._flavour = flavour
        self._learn = learn
        self._oauth = True
        self._stopped = ""
        self._answers: list[TokenAnswer] = []

    async def run(self) -> None:
        """Ask for everything that is asked for."""
        if self._question.credential is None:
            self.login = Login(LoginState.ANONYMOUS, "no credentials found; asked anonymously")
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

    @property
    def token_facts(self) -> TokenFacts:
        """What the tokens say of themselves."""
        return facts_of(self._answers, self._question.path)

    async def _log_in(self) -> None:
        answer = await self._token("", Where.LOGIN)
        judgement = answer.judgement
        if judgement is None:
            claims = answer.claims
            kind = f", auth_type {claims.auth_type}" if claims and claims.auth_type else ""
            self._client.note(f"accepted{kind}" if claims else "accepted, opaque token")
            self._accept()
            if claims is not None and not claims.subject and self._flavour is Flavour.GITLAB:
                self._find(
                    "subject-empty",
                    Severity.WARNING,
                    "The token has an empty subject although a login was sent, which may have been lost.",
                    "A proxy in front of the token server may remove the Authorization header.",
                )
            return
        words = sentences(answer.words, judgement.meaning)
        self.rejected = judgement.outcome is Outcome.CREDENTIALS
        if self.rejected:
            self.login = Login(LoginState.REJECTED, words, judgement.hint)
        elif judgement.outcome is Outcome.REFUSED:  # the login is known, and may not have this token
            self._accept(f": {words}")
        elif self._client.sent:
            self.login = Login(LoginState.UNKNOWN, f"{NO_USABLE_ANSWER}: {words}", judgement.hint)
        else:
            self.login = Login(LoginState.UNSENT, f"not sent: {words}", judgement.hint)

    def _accept(self, kind: str = "") -> None:
        by = clean(self._realm.url.partition("://")[2].partition("/")[0], 200)
        self.login = Login(LoginState.ACCEPTED, f"accepted by {by}{kind}")

    async def _ask_for(self, asked: str) -> None:
        path = self._question.path
        if self._stopped:
            self._put(asked, Verdict.NOT_PROBED, f"not probed: {self._stopped}")
            return
        if asked == PUSH and self.exists is not True and not self._question.push:
            seen = "does not exist" if self.exists is False else "could not be seen"
            why = f"not probed: the repository {seen}, and asking to push creates it on some registries"
            self._put(asked, Verdict.NOT_PROBED, why)
            return
        answer = await self._token(f"repository:{path}:{SCOPES[asked]}", self._where)
        if answer.judgement is not None:
            self._put_refusal(asked, answer)
        else:
            if self.login.state is LoginState.UNKNOWN:  # some servers give no token without a scope
                self._accept(", which issues tokens only for a scope")
            self._put(asked, *self._seen(asked, answer))
        if asked == PULL and answer.token is not None:
            await self._look(answer.token)

    @property
    def _where(self) -> Where:
        if self._question.credential is None:
            return Where.ANONYMOUS
        return Where.SCOPE if self.login.state is LoginState.ACCEPTED else Where.LOGIN

    def _seen(self, asked: str, answer: TokenAnswer) -> tuple[Verdict, str]:
        visible = answer.actions(self._question.path)
        wanted = set(SCOPES[asked].split(","))
        if visible is None:
            self._client.note("opaque token")
            return Verdict.NOT_VISIBLE, f"the token is opaque; {only_when_done(asked)}"
        named = listed(visible)
        self._client.note(named)
        self._look_at_claims(asked, answer.claims, visible - wanted)
        whose = "the token" if self._flavour is Flavour.OTHER else f"{self._flavour}'s token"
        kind = answer.claims.auth_type if answer.claims else ""
        of = f" (token type {kind})" if kind else ""
        if wanted <= visible:
            off = "; only a real one shows whether deletion is switched on there" if asked == DELETE else ""
            return Verdict.GRANTED, f"{whose} lists {named}{of}{off}"
        return Verdict.REFUSED, f"{whose} lists {named}{of}; {SCOPES[asked]} was asked for"

    def _look_at_claims(self, asked: str, claims: Claims | None, more: frozenset[str]) -> None:
        if more:
            words = f"Asked for {SCOPES[asked]}, the token also lists {', '.join(sorted(more))}; not counted."
            self._find("more-than-asked", Severity.NOTE, words)
        if claims is None:
            return
        for odd in claims.odd:
            self._find("token-odd", Severity.WARNING, f"The token is odd: {odd}.")
        for other in claims.others(self._question.path)[:MOST_ODD]:
            self._find("token-for-others", Severity.WARNING, f"The token is also for {other}; not counted.")

    def _look_at_age(self, claims: Claims | None) -> None:
        if claims is None or claims.expires is None:
            return
        ago = self._client.now() - claims.expires
        if ago > 0:
            words = f"The token says that it ended {ago:,.0f} seconds ago, by this machine's clock."
            self._find("token-ended", Severity.WARNING, words, "One of the clocks is wrong.")

    def _put_refusal(self, asked: str, answer: TokenAnswer) -> None:
        judgement = answer.judgement
        if judgement is None:
            return
        if judgement.outcome is Outcome.CREDENTIALS:
            self.rejected = True
            self.login = Login(LoginState.REJECTED, judgement.meaning, judgement.hint)
            self._stopped = "the login was not accepted"
        verdict = Verdict.UNKNOWN if judgement.outcome is Outcome.UNKNOWN else Verdict.REFUSED
        self._put(asked, verdict, f"the token server: {sentences(answer.words, judgement.meaning)}")
        if asked == PULL and self._question.credential is None and verdict is Verdict.REFUSED:
            self._stopped = "the token server gives no token to anonymous clients"
        if judgement.id in _STOPS:
            self._stop(judgement.meaning)

    async def _look(self, token: Secret) -> None:
        """See with the pull token whether the repository is there; for an opaque one this tells of pull."""
        before = self.actions[PULL]
        if before.verdict is Verdict.REFUSED:
            return
        path = self._question.path
        try:
            answered = await self._list(path, token)
        except DockpassError as error:
            self._find(error.id, Severity.ERROR, error.message, error.hint)
            self._stop("the registry did not answer the request for the tag list")
            self._put(PULL, Verdict.UNKNOWN, f"{before.evidence}; listing the tags: {error.message}")
            return
        if answered.status == 200:
            self._look_at_list(answered, before)
            return
        found = answered.judged(Where.LIST, self._flavour)
        words = f"listing the tags with it: {sentences(answered.in_words, found.meaning)}"
        if found.outcome is Outcome.ABSENT:
            self.exists = False
        if found.outcome is Outcome.REFUSED:
            self._put(PULL, Verdict.REFUSED, f"{before.evidence}; {words}")
            if before.verdict is Verdict.GRANTED:
                self._not_trusted(answered)
        elif found.id in _STOPS or (before.verdict is Verdict.NOT_VISIBLE and found.id != "no-listing"):
            self._put(PULL, Verdict.UNKNOWN, f"{before.evidence}; {words}")
        self._compare_realm(answered)

    def _look_at_list(self, answered: Answered, before: ActionResult) -> None:
        problem = answered.why_no_tag_list(self._question.path)
        if problem:
            self._client.note(f"not a tag list: {problem}")
            self._put(PULL, Verdict.UNKNOWN, f"{before.evidence}; the response is not a tag list: {problem}")
            self.findings.append(odd_list(self._question.host, problem, answered, seen=True))
            self._stop("the tag list does not come from a registry")
            return
        self.exists = True
        self._client.note("tags are listed")
        if before.verdict is Verdict.NOT_VISIBLE:
            self._put(PULL, Verdict.GRANTED, "the token is opaque, but the tags were listed with it")

    async def _list(self, path: str, token: Secret) -> Answered:
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        url = f"{self._base}/v2/{path}/tags/list?n=1"
        return await self._client.send("GET", url, headers=headers, carried="token", limit=LARGEST_LIST)

    def _not_trusted(self, answered: Answered) -> None:
        challenge = choose(parse_challenges(answered.challenges))
        error = clean(challenge.parameters.get("error", ""), 60) if challenge else ""
        said = f" ({error})" if error else ""
        self._find(
            "token-not-trusted",
            Severity.ERROR,
            f"The token server granted pull, and the registry refused its token{said}.",
            "Usually the registry lacks the token server's key, expects another service, or a clock is wrong;"
            " its log says which.",
        )

    def _compare_realm(self, answered: Answered) -> None:
        challenge = choose(parse_challenges(answered.challenges))
        if challenge is None or challenge.scheme != "bearer":
            return
        if error := realm_differs(self._question.host, self._realm, challenge):
            self._find(error.id, Severity.ERROR, error.message, error.hint)

    async def _pull_of(self, path: str) -> ActionResult:
        """See whether another repository can be read, for the base images of a build."""
        if self._stopped:
            return ActionResult(PULL, Verdict.NOT_PROBED, f"not probed: {self._stopped}", path)
        answer = await self._token(f"repository:{path}:pull", self._where)
        if answer.judgement is not None or answer.token is None:
            judgement = answer.judgement
            known = judgement is not None and judgement.outcome is not Outcome.UNKNOWN
            verdict = Verdict.REFUSED if known else Verdict.UNKNOWN
            return ActionResult(PULL, verdict, f"the token server: {answer.words}", path)
        visible = answer.actions(path)
        if visible is not None:
            named = listed(visible)
            self._client.note(named)
            verdict = Verdict.GRANTED if PULL in visible else Verdict.REFUSED
            return ActionResult(PULL, verdict, f"the token lists {named}", path)
        try:
            return read_by_list(await self._list(path, answer.token), path, self._flavour)
        except DockpassError as error:
            return ActionResult(PULL, Verdict.UNKNOWN, f"listing its tags: {error.message}", path)

    async def _token(self, scope: str, where: Where) -> TokenAnswer:
        try:
            answer = self._read(await self._request(scope), where)
        except DockpassError as error:  # no answer, or one that must not be read to its end
            self._find(error.id, Severity.ERROR, error.message, error.hint)
            answer = TokenAnswer(
                "no answer", judgement=Judgement(error.id, Outcome.UNKNOWN, error.message, error.hint)
            )
            self._stop("the token server gave no usable answer")
        self._answers.append(answer)
        return answer

    def _read(self, answered: Answered, where: Where) -> TokenAnswer:
        if not self._oauth and not (self._question.credential and self._question.credential.password):
            self._stop("the token server does not accept identity tokens")
            return TokenAnswer(answered.in_words, judgement=_NO_OAUTH)
        if answered.status == 200:
            try:
                token, _ = read_token(self._question.host, answered.body)
            except DockpassError as error:
                self._client.note(f"no token: {answered.answer.words or 'nothing'}")
                self._find(error.id, Severity.ERROR, error.message, error.hint)
            else:
                self._learn(token)
                answer = TokenAnswer(answered.in_words, token, read_claims(token), scope_in(answered.body))
                self._look_at_age(answer.claims)
                return answer
        judgement = answered.judged(where, self._flavour)
        if judgement.id in _STOPS:
            self._stop(judgement.meaning)
        return TokenAnswer(answered.in_words, judgement=judgement)

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why[0].lower() + why[1:].rstrip(".")

    async def _request(self, scope: str) -> Answered:
        credential = self._question.credential
        if credential and credential.identity_token and self._oauth:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": credential.identity_token.reveal(),
                "service": self._realm.service,
                "client_id": CLIENT_ID,
                "scope": scope,
            }
            answered = await self._client.send(
                "POST", self._realm.url, data=form, scope=scope, carried="login", foreign=self._is_foreign
            )
            self._oauth = answered.status not in {404, 405}
            if self._oauth or not credential.password:
                return answered
        query = [("service", self._realm.service), *([("scope", scope)] if scope else [])]
        headers, carried = {}, "nothing"
        if credential and credential.username and credential.password:
            headers, carried = {"Authorization": basic(credential)}, "login"
            query.append(("account", credential.username))
        url = with_query(self._realm.url, query)
        return await self._client.send(
            "GET", url, headers=headers, scope=scope, carried=carried, foreign=self._is_foreign
        )

    @property
    def _is_foreign(self) -> bool:
        return is_foreign(self._realm.url, self._question.host)

    def _put(self, asked: str, verdict: Verdict, evidence: str) -> None:
        self.actions[asked] = ActionResult(asked, verdict, evidence, self._question.path)

    def _find(self, finding_id: str, severity: Severity, message: str, hint: str = "") -> None:
        self.findings.append(Finding(finding_id, "", message, hint=hint, severity=severity))

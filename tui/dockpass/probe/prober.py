"""Asks a registry what a login may do: one request after the other, each bounded and each written down.

Ping, a token without scope, then one token request for each action: some servers refuse a whole request
that asks for too much. Nothing is repeated, and a login that is refused is not tried again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from dockpass.auth.ci import GITLAB
from dockpass.errors import DockpassError
from dockpass.findings import Finding, Severity
from dockpass.probe.model import (
    ACTIONS,
    NO_USABLE_ANSWER,
    ActionResult,
    Challenge,
    Login,
    LoginState,
    Probe,
    TokenFacts,
    Verdict,
    only_when_done,
)
from dockpass.probe.question import MOST_REJECTIONS, ProbeContext, Question
from dockpass.probe.recorder import LARGEST_LIST, Answered, RecordingClient
from dockpass.probe.scope_probe import MOST_OTHERS, ScopeProbe
from dockpass.probe.tag_list import odd_list, read_by_list, sentences
from dockpass.registry.answer import Where
from dockpass.registry.challenge import Challenge as Asked
from dockpass.registry.contact import accept_challenge, api_host, challenge_of, is_registry, reach
from dockpass.registry.flavour import Flavour, flavour_of
from dockpass.registry.forms import LARGEST_FIRST_ANSWER, Form, shows_registry
from dockpass.registry.judgement import Judgement, Outcome
from dockpass.registry.meanings import CHECK_ADDRESS, NOT_A_REGISTRY
from dockpass.registry.token import Realm, basic
from dockpass.text import clean

_WITHHELD = {
    "realm-refused": "the token server's address is not acceptable",
    "realm-not-agreed": "sending it to this token server was not agreed to",
    "realm-changed": "the token server's address has changed",
}
"""Why a login is not sent, by the error of `accept_challenge`."""


async def probe(question: Question, context: ProbeContext) -> Probe:
    """Ask what the login may do. Never raises `DockpassError`: what went wrong is among the findings."""
    prober = _Prober(question, context)
    try:
        await prober.run()
    except DockpassError as error:
        prober.find(error.id, Severity.ERROR, error.message, error.hint)
        prober.say_of_login(error)
    return prober.result()


class _Prober:
    """One probe while it goes on."""

    def __init__(self, question: Question, context: ProbeContext) -> None:
        self._question = question
        self._context = context
        self._client = RecordingClient(
            context.transport, context.clock, context.now, context.seconds, context.redact
        )
        self._base = ""
        self._reached = False
        self._shown = False  # something answered as only a registry does
        self._ping = "no answer"
        self._challenge = Challenge()
        self._flavour = flavour_of(question.host)
        self._findings: list[Finding] = []
        self._login = Login(LoginState.NOT_PROBED, "not asked")
        self._actions: dict[str, ActionResult] = {}
        self._others: tuple[ActionResult, ...] = ()
        self._exists: bool | None = None
        self._token = TokenFacts()

    def find(self, finding_id: str, severity: Severity, message: str, hint: str = "") -> None:
        """Add a finding, each once."""
        found = Finding(finding_id, "", message, hint=hint, severity=severity)
        if found not in self._findings:
            self._findings.append(found)

    def say_of_login(self, error: DockpassError) -> None:
        """Say what became of the login where an error ended the probe; the requests tell whether it left."""
        if self._login.state is not LoginState.NOT_PROBED:
            return
        if self._question.credential is None:
            self._login = Login(LoginState.ANONYMOUS, "no credentials found")
        elif any(request.carried == "login" for request in self._client.requests):
            self._login = Login(LoginState.UNKNOWN, f"{NO_USABLE_ANSWER}: {error.message}", error.hint)
        else:
            self._login = Login(LoginState.UNSENT, f"not sent: {error.message}", error.hint)

    def result(self) -> Probe:
        """Return what is known by now."""
        question = self._question
        for finding in self._client.findings:
            self.find(finding.id, finding.severity, finding.message, finding.hint)
        missing = {
            LoginState.REJECTED: "the login was not accepted",
            LoginState.WITHHELD: "the login was not sent",
            LoginState.UNSENT: "the login was not sent",
            LoginState.UNKNOWN: "it is unknown whether the login is accepted",
        }.get(self._login.state, "the probe ended before this")
        actions = tuple(
            self._actions.get(asked)
            or ActionResult(asked, Verdict.NOT_PROBED, f"not probed: {missing}", question.path)
            for asked in ACTIONS
        )
        return Probe(
            host=question.host,
            repository=question.path,
            credential_name=question.name,
            username=clean(question.credential.username, 200) if question.credential else "",
            reached=self._reached,
            flavour="" if self._flavour is Flavour.OTHER else str(self._flavour),
            ping=self._ping,
            challenge=self._challenge,
            login=self._login,
            actions=actions,
            token=self._token,
            requests=tuple(self._client.requests),
            findings=tuple(self._findings),
            exists=self._exists,
            others=self._others,
            way=self._context.transport.policy.way_to(api_host(question.host)),
        )

    async def run(self) -> None:
        """Ask, step by step."""
        answered = await self._first_contact()
        challenge = self._challenge_of(answered)
        self._reached = True
        if challenge is None:
            await self._open()
        else:
            await self._answer(challenge)

    async def _first_contact(self) -> Answered:
        self._base, answered = await reach(
            self._question.host,
            self._context.transport.policy,
            partial(self._client.send, "GET", limit=LARGEST_FIRST_ANSWER),
            lambda: self._client.note("no TLS; asked over plain http, which is allowed for this host"),
        )
        if not is_registry(answered.status, answered.shown):
            judgement = self._judge(Where.PING, answered)
            self._ping = answered.in_words
            self._client.note(answered.in_words.partition(" ")[2])
            raise DockpassError(
                judgement.id,
                f"{self._question.host} does not answer as a registry: {answered.in_words}."
                f" {judgement.meaning}",
                judgement.hint,
            )
        self._shown = bool(shows_registry(answered.headers, answered.shown))
        self._ping = "answers as a registry" if self._shown else f"answers {answered.status}"
        if answered.status == 200:
            self._client.note("answers without a login")
            self._challenge = Challenge("none")
        return answered

    def _challenge_of(self, answered: Answered) -> Asked | None:
        try:
            return challenge_of(self._question.host, answered.status, answered.challenges)
        except DockpassError:
            schemes = clean(", ".join(filter(None, answered.challenges)), 80)
            self._client.note(f"asks for {schemes}" if schemes else "does not say how to log in")
            raise

    def _accept(self, challenge: Asked) -> Realm | None:
        """Return the token server of a challenge; raises if the credentials may not go there."""
        has_login = self._question.credential is not None
        try:
            realm, news = accept_challenge(
                self._question.host,
                self._base,
                challenge,
                self._context.transport.policy,
                rule=self._context.rule if has_login else None,
                guard=self._context.guard if has_login else None,
            )
        except DockpassError as error:
            if error.id in _WITHHELD:
                self._login = Login(LoginState.WITHHELD, f"not sent: {_WITHHELD[error.id]}")
            raise
        if news:
            self.find("realm-new", Severity.NOTE, news)
        return realm

    async def _answer(self, challenge: Asked) -> None:
        """Answer the registry's challenge with the credentials, if it may have them."""
        if challenge.scheme == "basic":
            self._client.note("Basic")
            self._challenge = Challenge("Basic", clean(challenge.parameters.get("realm", ""), 200))
            self._accept(challenge)
            if self._may_log_in():
                await self._by_basic()
            return
        self._shown = True
        self._ping = "answers as a registry"
        self._show_challenge(challenge)
        realm = self._accept(challenge)
        if realm is None or not self._may_log_in():
            return
        scopes = ScopeProbe(
            self._question,
            self._client,
            realm,
            self._base,
            self._flavour,
            self._context.learn,
        )
        try:
            await scopes.run()
        finally:
            self._login = scopes.login
            self._actions = scopes.actions
            self._others = scopes.others
            self._exists = scopes.exists
            self._token = scopes.token_facts
            for finding in scopes.findings:
                self.find(finding.id, finding.severity, finding.message, finding.hint)
            if scopes.rejected:
                self._count_rejection()

    def _show_challenge(self, challenge: Asked) -> None:
        parameters = challenge.parameters
        shown = clean(parameters.get("realm", ""), 200)
        service = clean(parameters.get("service", ""), 200)
        self._challenge = Challenge("Bearer", shown, service)
        self._flavour = flavour_of(self._question.host, shown, service)
        self._client.note(f"Bearer, realm {shown.partition('://')[2].partition('/')[0] or shown}")
        wanted = clean(parameters.get("scope", ""), 200)
        if wanted and not wanted.startswith(f"repository:{self._question.path}:"):
            self.find(
                "scope-of-server",
                Severity.NOTE,
                f"The registry asks for the scope {wanted}; it was not added.",
            )

    def _may_log_in(self) -> bool:
        """Tell whether the credentials can be sent, or there are none; else say why not."""
        credential, host = self._question.credential, self._question.host
        if credential is None:
            self._login = Login(LoginState.ANONYMOUS, "no credentials found; asked anonymously")
            return True
        if not credential.identity_token and not (credential.username and credential.password):
            lacks = "user name" if credential.password else "password"
            self._login = Login(
                LoginState.WITHHELD, f"not sent: the {lacks} is empty", "Check where it comes from."
            )
            return False
        if self._context.rejections.enough(host):
            self._login = Login(
                LoginState.NOT_PROBED,
                f"not sent: {host} has refused {MOST_REJECTIONS} logins of this probe",
                "Check the other logins first, then probe this one alone.",
            )
            return False
        return True

    async def _open(self) -> None:
        """A registry that answers without a login may still ask for one at a repository."""
        answered = await self._list(None, "nothing")
        if answered.status == 401:
            if challenge := self._challenge_of(answered):
                await self._answer(challenge)
            return
        self._read_by_listing(answered, "without a login")
        unused = " for reading; this one was not sent" if self._question.credential else ""
        self._login = Login(LoginState.NOT_NEEDED, f"the registry asks for no login{unused}")

    async def _by_basic(self) -> None:
        """With Basic there are no scopes: only what was really done is known."""
        credential = self._question.credential
        if credential is None or not (credential.username and credential.password):
            self._read_by_listing(await self._list(None, "nothing"), "without a login")
            return
        authorization = basic(credential)
        answered = await self._client.send(
            "GET",
            f"{self._base}/v2/",
            headers={"Authorization": authorization},
            carried="login",
            limit=LARGEST_FIRST_ANSWER,
        )
        shows = shows_registry(answered.headers, answered.shown)
        if answered.status != 200 or shows is False:
            found = self._judge(Where.PING if answered.status == 200 else Where.LIST, answered)
            rejected = answered.status == 401 or found.outcome is Outcome.CREDENTIALS
            meaning = "User name and password were not accepted." if answered.status == 401 else found.meaning
            words = sentences(answered.in_words, meaning)
            if rejected:
                self._login = Login(LoginState.REJECTED, words, found.hint)
                self._count_rejection()
            else:
                self._login = Login(LoginState.UNKNOWN, f"{NO_USABLE_ANSWER}: {words}", found.hint)
            return
        self._shown = self._shown or bool(shows)
        self._client.note("accepted")
        self._read_by_listing(await self._list(authorization, "login"), "with this login")
        if not self._reached:
            said = f"{NO_USABLE_ANSWER}: nothing shows that a registry answered"
            self._login = Login(LoginState.UNKNOWN, said, CHECK_ADDRESS)
            return
        self._login = Login(LoginState.ACCEPTED, "accepted by the registry itself (Basic)")
        for path in self._question.also_pull[:MOST_OTHERS]:
            answered = await self._list(authorization, "login", path)
            self._others += (read_by_list(answered, path, self._flavour),)

    async def _list(self, authorization: str | None, carried: str, path: str = "") -> Answered:
        headers = {"Authorization": authorization} if authorization else {}
        url = f"{self._base}/v2/{path or self._question.path}/tags/list?n=1"
        return await self._client.send("GET", url, headers=headers, carried=carried, limit=LARGEST_LIST)

    def _read_by_listing(self, answered: Answered, how: str) -> None:
        """Take from a listing whether reading is allowed; the rest is seen only by doing it.

        Raises `DockpassError` where neither it nor anything before shows that a registry answers.
        """
        path = self._question.path
        found = read_by_list(answered, path, self._flavour)
        problem = answered.why_no_tag_list(path) if answered.status == 200 else ""
        if problem:
            self._client.note(f"not a tag list: {problem}")
            odd = odd_list(self._question.host, problem, answered, seen=self._shown)
            if odd.id == NOT_A_REGISTRY:
                self._reached = False
                raise DockpassError(odd.id, odd.message, odd.hint)
            self.find(odd.id, odd.severity, odd.message, odd.hint)
        elif answered.status == 200:
            self._exists = True
            self._client.note("tags are listed")
            found = replace(found, evidence=f"the tags were listed {how}")
        elif not self._shown and answered.answer.form is not Form.ERRORS:
            self._reached = False
        elif self._judge(Where.LIST, answered).outcome is Outcome.ABSENT:
            self._exists = False
        self._actions["pull"] = found
        for asked in ACTIONS[1:]:
            words = f"{self._why_not_visible()}; {only_when_done(asked)}"
            self._actions[asked] = ActionResult(asked, Verdict.NOT_VISIBLE, words, path)

    def _why_not_visible(self) -> str:
        if self._challenge.scheme != "none":
            return "Basic has no scopes"
        unused = ", so this one was not sent" if self._question.credential else ""
        return f"the registry asks for no login{unused}"

    def _judge(self, where: Where, answered: Answered) -> Judgement:
        return answered.judged(where, self._flavour)

    def _count_rejection(self) -> None:
        self._context.rejections.add(self._question.host)
        if self._flavour is Flavour.GITLAB:
            user = self._question.credential.username if self._question.credential else ""
            if user != GITLAB.user:
                count = self._context.rejections.counts[self._question.host]
                self.find(
                    "failed-logins-count",
                    Severity.NOTE,
                    f"GitLab counts failed logins by address; GitLab.com bans one for a while at 30 in 3"
                    f" minutes. This probe has made {count}.",
                )

"""What a person reads before and after a program, on stderr: one line each, or the whole plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from dockpass.auth.decision import Decision
from dockpass.dockerconfig.carried import Carried
from dockpass.dockerconfig.keys import shown_key
from dockpass.programs.environment import ProgramEnvironment, outer_host
from dockpass.programs.events import ConfigChanged, LeftRunning, ProgramEnded
from dockpass.programs.prevails import prevailing
from dockpass.programs.process import Ending
from dockpass.programs.task import Outliving, Task, names_in_words
from dockpass.runs.config_events import ConfigCreated, ConfigRemoved
from dockpass.text import clean, plural

NAME = "dockpass: "
_MOST = 10


def name_of(task: Task) -> str:
    """Return the program's name, for sentences about it."""
    return clean(PurePosixPath(task.argv[0]).name, 80)


def before(task: Task, created: ConfigCreated) -> str:
    """Return the one line before the program: which login it gets, by which rule, and where the config is."""
    memory = "in memory" if created.on_tmpfs else "on disk"
    lasts = "; logins that you make in it are gone afterwards" if task.is_shell else ""
    return (
        f"{NAME}{name_of(task)} gets {logins(task, created.hosts)}; config {created.path} ({memory}){lasts}"
    )


def logins(task: Task, keys: Sequence[str]) -> str:
    """Return which logins the program has, given docker's keys of those in the config."""
    decision = task.decision
    hosts = ", ".join(map(shown_key, keys))
    if decision is None:
        return f"your own login for {hosts}" if keys else "no login"
    rule = f"(rule {decision.chosen.rule})"
    if decision.username is not None:
        decided = f"{who(decision)} for {', '.join(decision.login) or 'no registry'} {rule}"
        more = [shown_key(key) for key in keys if key not in decision.login]
        return decided + (f", and your own login for {', '.join(more)}" if more else "")
    if keys:
        return f"the login for {hosts} from {decision.config} {rule}"
    return f"no login: {decision.config} has none for {', '.join(task.hosts + task.also)} {rule}"


def who(decision: Decision) -> str:
    """Return user and secret of a login that is made, the secret by its name."""
    secret = "the given password" if decision.secret_from == "option" else decision.secret_from  # noqa: S105
    return clean(f"{decision.username} with {secret}")


def after(task: Task, ended: ProgramEnded, reads: int | None, removed: ConfigRemoved) -> str:
    """Return the one line after the program: how it ended, and what was seen of the config.

    That the config was read proves nothing. That it never was proves that no login came from it.
    """
    never = f"; {NEVER_READ}" if reads == 0 else ""
    gone = f"config {removed.detail}" if removed.gone else removed.detail
    return f"{NAME}{ended_words(task, ended)}{never}; {gone}"


NEVER_READ = "config.json was never read, so no login came from it"


def ended_words(task: Task, ended: ProgramEnded) -> str:
    """Return how the program ended, and after how long."""
    ending = Ending(ended.status, ended.signal)
    return f"{name_of(task)} {ending.in_words} after {ended.seconds:.1f} s"


def read_words(times: int) -> str:
    """Return how often the config was read while the program ran."""
    return f"config.json was read {'once' if times == 1 else f'{times:,} times'}" if times else NEVER_READ


def changed(found: ConfigChanged) -> str:
    """Return what a login or logout inside changed, and that it does not last."""
    kinds = (("added", found.added), ("replaced", found.replaced), ("removed", found.removed))
    parts = [f"the login for {', '.join(keys)} was {kind}" for kind, keys in kinds if keys]
    return f"in the temporary config, {' and '.join(parts)}; that is gone with it"


def left_running(found: LeftRunning) -> str:
    """Return what is done about processes that outlive the program, or that they still run."""
    listed = ", ".join(f"{name or 'a process'} ({pid})" for pid, name in found.processes[:_MOST])
    listed += ", …" if len(found.processes) > _MOST else ""
    count = plural(len(found.processes), "process", "processes")
    match found.then:
        case Outliving.WAIT:
            return f"waiting for {count} to end: {listed}"
        case Outliving.KILL:
            return f"ending {count}: {listed}"
    return f"{count} still running without this login: {listed}"


def warnings(task: Task, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what may make the program use another login than the one before it."""
    outer = outer_host(environ)
    if outer not in {"", task.host}:
        yield f"the login is for {task.host}, and that of the program around it for {outer}"
    if task.decision is not None:
        yield from (warning.message for warning in task.decision.warnings)
    yield from (f"{name_of(task)}: {words}" for words in prevailing(task.argv))


def plan(task: Task, environment: ProgramEnvironment, carried: Carried) -> list[tuple[str, str]]:
    """Return the plan as rows of a title and what holds."""
    decision = task.decision
    rows = [("program", task.path)]
    if decision is not None:
        rows.append(("login", decision.sentence))
    if task.also:
        rows.append(("also", f"your own login for {', '.join(task.also)}"))
    rows += [
        ("config", "a temporary directory of mode 0700, removed when the program ends"),
        ("set", ", ".join(environment.set)),
        ("removed", ", ".join(environment.removed) or "nothing"),
        *((("kept", f"{', '.join(environment.kept)}, as you asked"),) if environment.kept else ()),
        ("carried over", ", ".join(carried.words) or "nothing"),
        *((("left out", ", ".join(carried.lost)),) if carried.lost else ()),
        *(
            (("without", f"{names_in_words(task.left_out)}, whose values are not known here"),)
            if task.left_out
            else ()
        ),
        *(("note", words) for words in environment.notes),
    ]
    return [(title, clean(words)) for title, words in rows]

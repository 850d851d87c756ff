"""`dockpass sandbox`: a registry with GitLab-like tokens on this machine, for other programs to try."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.world import this_process
from dockpass.errors import DockpassError, UsageError
from dockpass.marks import GLYPH_LOOK
from dockpass.readonly import Act
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.flavours import Flavour
from dockpass.signals import heeded_signals
from dockpass.text import clean
from dockpass.typedpath import typed_path

if TYPE_CHECKING:  # `--help` does without the server's libraries
    from dockpass.sandbox.workshop import Workshop

PID = "DOCKPASS_SANDBOX_PID"


@click.command()
@click.option(
    "--flavour",
    type=click.Choice([each.value for each in Flavour]),
    default="gitlab",
    show_default=True,
    help="The registry to behave like.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port; a free one by default."
)
@click.option(
    "--address", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on; loopback only."
)
@click.option("--keep", metavar="DIR", help="Keep everything in DIR for the next start.")
@click.option(
    "--job-token-may-delete", is_flag=True, help="Let the job token delete, as newer GitLab versions do."
)
@click.option("--protect", "protected", multiple=True, metavar="REGEX", help="Protect tags that match REGEX.")
@click.option(
    "--latency",
    type=click.FloatRange(0, 60),
    default=0.0,
    metavar="SECONDS",
    help="Wait before each response.",
)
@click.option(
    "--too-many", type=click.IntRange(0), default=0, metavar="N", help="Answer N requests with 429."
)
@click.option(
    "--retry-after",
    type=click.IntRange(0),
    default=1,
    metavar="N",
    help="The Retry-After of a 429, in seconds.",
)
@click.option(
    "--server-errors", type=click.IntRange(0), default=0, metavar="N", help="Answer N requests with 500."
)
@click.option("--hang", type=click.IntRange(0), default=0, metavar="N", help="Leave N requests unanswered.")
@click.option(
    "--cut-blobs-after",
    "cut_blob_after",
    type=click.IntRange(0),
    metavar="BYTES",
    help="Cut blobs off after BYTES.",
)
@click.option(
    "--cut-times", type=click.IntRange(1), default=1, metavar="N", help="How many blobs to cut off."
)
@click.option(
    "--wrong-digests",
    "wrong_digest",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Send N blobs or manifests that do not match their digest.",
)
@click.option(
    "--expired-tokens", type=click.IntRange(0), default=0, metavar="N", help="Issue N expired tokens."
)
@click.option(
    "--fault-path", "path", default="", metavar="REGEX", help="Inject faults only for paths that match REGEX."
)
@click.option("--shell", "form", flag_value="shell", help="Print the job's environment as shell commands.")
@click.option("--json", "form", flag_value="json", help="Print the job's environment as one JSON object.")
@click.option(
    "--env-file", metavar="PATH", help="Write the environment to PATH (mode 0600) instead of printing it."
)
def sandbox(
    flavour: str,
    port: int,
    address: str,
    keep: str | None,
    protected: tuple[str, ...],
    form: str | None,
    env_file: str | None,
    job_token_may_delete: bool,
    **faults: Any,
) -> None:
    """Start a sandbox registry, and print a job's environment.

    The job is a simulated one of GitLab. The sandbox runs until it is stopped.
    """
    from dockpass.sandbox.server import SandboxServer
    from dockpass.sandbox.workshop import Workshop

    world = this_process()
    if env_file is not None or keep is not None:
        refuse_if_read_only(world, Act.WRITE)
    path = None if env_file is None else _require_new(typed_path(world.cwd, env_file))
    server = SandboxServer(
        None if keep is None else typed_path(world.cwd, keep) / "registry",
        Flavour(flavour),
        faults=Faults(**faults),
        job_token_may_delete=job_token_may_delete,
        protected_tags=protected,
        address=address,
        port=port,
    )
    wait_for_a_signal = _waiting()
    with Workshop(server, None if keep is None else typed_path(world.cwd, keep)) as workshop:
        for note in server.notes:
            click.echo(f"{GLYPH_LOOK} {note}", err=True)
        with _told(form, path, workshop):
            _let_go_of_stdout()
            click.echo(f"the sandbox is at {server.url} (this machine only); Ctrl-C stops it", err=True)
            wait_for_a_signal()


def _let_go_of_stdout() -> None:
    """Nothing more is printed: `eval "$(dockpass sandbox --shell &)"` waits for the end of stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _printed(form: str | None, workshop: Workshop) -> str:
    if form == "json":
        return json.dumps(workshop.job)
    own = f"export {PID}={os.getpid()}" if form == "shell" else ""
    lead = "export " if form == "shell" else ""
    return "\n".join(filter(None, (_lines(workshop, lead), own, _not_set(workshop))))


def _lines(workshop: Workshop, lead: str = "") -> str:
    return "\n".join(f"{lead}{name}={shlex.quote(value)}" for name, value in workshop.job.items())


def _not_set(workshop: Workshop) -> str:
    from dockpass.sandbox.workshop import CLEANUP_PASSWORD

    cleanup, personal = workshop.cleanup_token.reveal(), workshop.personal_token.reveal()
    return (
        f"# not set by the job: {CLEANUP_PASSWORD}={shlex.quote(cleanup)}\n"
        f"# for `dockpass vars import gitlab`: GITLAB_TOKEN={shlex.quote(personal)}"
    )


def _require_new(path: Path) -> Path:
    if os.path.lexists(path):
        raise _not_new(path)
    return path


def _not_new(path: Path) -> UsageError:
    return UsageError(
        "env-file-exists", f"{clean(str(path))} already exists.", "Give a path that does not exist yet."
    )


@contextmanager
def _told(form: str | None, path: Path | None, workshop: Workshop) -> Iterator[None]:
    """Print the job's environment, or keep a file with it for as long as the sandbox is there."""
    if path is None:
        click.echo(_printed(form, workshop))
        yield
        return
    _write_env_file(path, workshop)
    try:
        with _noted(path):
            click.echo(
                f"the job's environment is in {clean(str(path))}; it is removed when the sandbox stops",
                err=True,
            )
            yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _noted(path: Path) -> Iterator[None]:
    """Let the next start of dockpass remove the file if this process is killed."""
    from dockpass.sandbox.leftovers import noted

    with ExitStack() as held:
        try:
            held.enter_context(noted(this_process().paths.state, path))
        except (OSError, UsageError):
            click.echo(
                f"{GLYPH_LOOK} if this process is killed, remove {clean(str(path))} yourself", err=True
            )
        yield


def _write_env_file(path: Path, workshop: Workshop) -> None:
    from dockpass.sandbox.workshop import create_private

    try:
        lines = [f"{name}={value}" for name, value in workshop.job.items()]  # an env file knows no quotes
        create_private(path, "".join(f"{line}\n" for line in (*lines, _not_set(workshop))))
    except FileExistsError as error:
        raise _not_new(path) from error
    except OSError as error:
        raise DockpassError(
            "env-file-unwritable",
            f"{clean(str(path))} cannot be written: {error.strerror or error}.",
            "Give another path.",
        ) from error


def _waiting() -> Callable[[], object]:
    """Heed the signals to stop from now on; return what waits for the first.

    A handler runs in the thread that it interrupts, and would wait forever for a lock that this thread holds.
    A pipe has no lock.
    """
    reading, writing = os.pipe()
    for number in heeded_signals():
        signal.signal(number, lambda *_: os.write(writing, b"!"))
    return lambda: os.read(reading, 1)


@click.command("try")
@click.option("--engine", metavar="NAME", help="The engine: auto, docker or embedded.")
@click.option("--no-proxy", is_flag=True, help="Ignore HTTP_PROXY and HTTPS_PROXY.")
@click.pass_context
def try_(ctx: click.Context, engine: str | None, no_proxy: bool) -> None:
    """Start the screen in a sandbox.

    Asks first where the variables of a job or an engine are found.
    """
    from dockpass.cli.screen import start_or_offer

    ctx.exit(start_or_offer(engine, no_proxy=no_proxy))

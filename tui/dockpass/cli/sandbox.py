"""`dockpass sandbox`: a registry with GitLab-like tokens on this machine, for other programs to try."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from pathlib import Path

import click

from dockpass.cli.context import this_process
from dockpass.errors import DockpassError, UsageError
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.workshop import CLEANUP_PASSWORD, Workshop, write_private
from dockpass.text import clean

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option(
    "--flavour",
    type=click.Choice([each.value for each in Flavour]),
    default="gitlab",
    show_default=True,
    help="The registry to behave like.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; any free one if not given.")
@click.option("--address", default="127.0.0.1", help="The address; only this machine's own is taken.")
@click.option("--keep", metavar="DIR", help="Keep everything in DIR, for another time.")
@click.option("--job-token-may-delete", is_flag=True, help="Let the job token delete, as newer GitLabs do.")
@click.option("--protect", "protected", multiple=True, metavar="REGEX", help="Protect tags like this.")
@click.option("--latency", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer.")
@click.option("--too-many", type=click.IntRange(0), default=0, metavar="N", help="Answer N times 429.")
@click.option("--server-errors", type=click.IntRange(0), default=0, metavar="N", help="Answer N times 500.")
@click.option("--shell", "form", flag_value="shell", help="Print the job's environment for a shell.")
@click.option("--json", "form", flag_value="json", help="Print the job's environment as one JSON object.")
@click.option("--env-file", metavar="PATH", help="Write it into a file of mode 0600; none is printed then.")
def sandbox(
    flavour: str,
    port: int,
    address: str,
    keep: str | None,
    protected: tuple[str, ...],
    latency: float,
    too_many: int,
    server_errors: int,
    form: str | None,
    env_file: str | None,
    job_token_may_delete: bool,
) -> None:
    """Start a sandbox registry, print the environment of a simulated GitLab job, and stay until stopped."""
    world = this_process()
    server = SandboxServer(
        None if keep is None else world.cwd / Path(keep).expanduser() / "registry",
        Flavour(flavour),
        faults=Faults(latency=latency, too_many=too_many, server_errors=server_errors),
        job_token_may_delete=job_token_may_delete,
        protected_tags=protected,
        address=address,
        port=port,
    )
    stopped = _stopping()
    with Workshop(server, None if keep is None else world.cwd / Path(keep).expanduser()) as workshop:
        for note in server.notes:
            click.echo(f"▲ {note}", err=True)
        environ = workshop.job
        if env_file is not None:
            path = world.cwd / Path(env_file).expanduser()
            _write_env_file(path, environ)
            click.echo(
                f"the job's environment is in {clean(str(path))}, which ends with the sandbox", err=True
            )
        else:
            path = None
            click.echo(_printed(environ, form, workshop))
        click.echo(f"the sandbox is at {server.url}, for this machine only; Ctrl-C stops it", err=True)
        try:
            stopped.wait()
        finally:
            if path is not None:
                path.unlink(missing_ok=True)


def _printed(environ: dict[str, str], form: str | None, workshop: Workshop) -> str:
    if form == "json":
        return json.dumps(environ)
    if form == "shell":
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environ.items())
    lines = [f"{name}={value}" for name, value in environ.items()]
    token = workshop.cleanup_token.reveal()
    return "\n".join([*lines, f"# not set by the job: {CLEANUP_PASSWORD}={token}"])


def _write_env_file(path: Path, environ: dict[str, str]) -> None:
    if path.exists() or path.is_symlink():
        raise UsageError(
            "env-file-exists", f"{clean(str(path))} is there already.", "Name a file that is new."
        )
    try:
        write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in environ.items()))
    except OSError as error:
        raise DockpassError(
            "env-file-unwritable",
            f"{clean(str(path))} cannot be written: {error.strerror or error}.",
            "Name another place.",
        ) from error


def _stopping() -> threading.Event:
    """Return what is set by the first signal to stop."""
    stopped = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stopped.set())
    return stopped


@click.command("try")
@click.option("--engine", metavar="NAME", help="Who builds, pulls and pushes: auto, docker or embedded.")
@click.pass_context
def try_(ctx: click.Context, engine: str | None) -> None:
    """Start the screen in a sandbox; where a job's variables or an engine are here, ask which."""
    from dockpass.cli.screen import start_or_offer

    ctx.exit(start_or_offer(engine))

"""What would stop a run, looked for before it is offered: no engine, or no image to push."""

from __future__ import annotations

from dockpass.auth.command import Command
from dockpass.errors import DockpassError
from dockpass.runs.localimage import find_local_image
from dockpass.runs.login import ENGINE_COMMANDS
from dockpass.runs.references import references_of_request
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services


def what_stops(request: RunRequest, services: Services) -> DockpassError | None:
    """Return why a run would end before its login; None where nothing stops it. No registry is asked."""
    if request.command not in ENGINE_COMMANDS:
        return None
    try:
        engine = services.open_engine(services.run_environ(request.facts), services.home)
        try:
            engine.info()
            if request.command is Command.PUSH:
                for reference in references_of_request(request, services):
                    find_local_image(engine, request.image, str(reference), services)
        finally:
            engine.close()
    except DockpassError as error:
        return error
    return None

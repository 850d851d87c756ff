"""The local image that a push takes: the one that is named, the one of its reference, or the last build."""

from __future__ import annotations

from typing import NamedTuple

from dockpass.engines.base import Engine, image_missing, program_of
from dockpass.runs.lastbuild import last_build
from dockpass.runs.services import Services
from dockpass.text import clean


class LocalImage(NamedTuple):
    """The id of an image, and whether it is taken because it was last built in this directory."""

    id: str
    is_last_build: bool


def find_local_image(engine: Engine, asked: str | None, reference: str, services: Services) -> LocalImage:
    """Return the image to push under a reference; raises `DockpassError` where there is none."""
    if asked:
        if found := engine.image_id(asked):
            return LocalImage(found, False)
        raise image_missing(
            f"There is no local image {clean(asked)}.",
            f"`{program_of(engine.info())} images` lists them; `dockpass build --tag NAME` makes one.",
        )
    if found := engine.image_id(reference):
        return LocalImage(found, False)
    built = last_build(services.state, services.cwd)
    if built and (found := engine.image_id(built)):
        return LocalImage(found, True)
    raise image_missing(
        f"There is nothing to push: no local image {reference}, and "
        + (
            f"{built}, last built in {services.cwd}, is gone."
            if built
            else f"nothing was built by dockpass in {services.cwd}."
        ),
        "Name the image with --image, or run `dockpass build` first.",
    )

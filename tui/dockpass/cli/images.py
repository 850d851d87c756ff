"""`dockpass images`: the embedded engine's store, listed, tidied, and taken elsewhere."""

from __future__ import annotations

from dataclasses import asdict

import click

from dockpass.cli.context import engine_choice
from dockpass.cli.output import Output, is_terminal
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.table import columns
from dockpass.cli.world import this_process
from dockpass.engines.embedded.export import export
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.upkeep import (
    StoredImage,
    prune,
    remove_image,
    stored_images,
    to_prune,
)
from dockpass.errors import needs_yes
from dockpass.marks import GLYPH_LOOK
from dockpass.readonly import Act
from dockpass.text import plural
from dockpass.typedpath import typed_path
from dockpass.units import size


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def images(ctx: click.Context, as_json: bool) -> None:
    """List the embedded engine's images."""
    if ctx.invoked_subcommand is not None:
        return
    store, output = _store(), Output(this_process().redactor)
    found = stored_images(store)
    if as_json:
        output.json({"store": str(store.root), "images": [asdict(each) for each in found]})
        return
    output.say([f"{plural(len(found), 'image')} in {store.root}"])
    output.data(_table(found))


@images.command("rm")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def images_rm(names: tuple[str, ...]) -> None:
    """Remove names, or an image by its ID or ID prefix. Removing the last name removes the image."""
    refuse_if_read_only(this_process(), Act.DELETE)
    store, output = _store(), Output(this_process().redactor)
    for name in names:
        removed = remove_image(store, name)
        freed = (
            f", {plural(len(removed.blobs), 'blob')} with it ({size(removed.size)})" if removed.blobs else ""
        )
        output.data([f"removed {name}{freed}"])
        if removed.kept:
            output.say([f"its blobs were kept until `dockpass images prune`: {removed.kept}"])


@images.command("prune")
@click.option("--yes", is_flag=True, help="Do not ask before removing.")
def images_prune(yes: bool) -> None:
    """Remove unnamed images and blobs that no image uses."""
    refuse_if_read_only(this_process(), Act.DELETE)
    store, output = _store(), Output(this_process().redactor)
    going = to_prune(store)
    if not (going.images or going.blobs or going.leftovers):
        output.data(["nothing to remove"])
        return
    unnamed = plural(len(going.images), "unnamed image")
    question = f"Remove {unnamed} and {size(going.size)} of unused data?"
    if not yes and not is_terminal():
        raise needs_yes(f"{unnamed} and {size(going.size)} of unused data would be removed", "Give --yes.")
    if not yes and not output.ask(question):
        output.data(["nothing was removed"])
        return
    removed = prune(store)
    output.data(f"removed image {digest}" for digest in removed.images)
    output.data(f"removed blob {digest}" for digest in removed.blobs)
    if removed.leftovers:
        output.data([f"removed {plural(removed.leftovers, 'file')} of interrupted work"])
    output.data([f"{size(removed.size)} freed"])


@images.command("export")
@click.argument("name")
@click.argument("directory", metavar="DIR")
def images_export(name: str, directory: str) -> None:
    """Export an image to DIR as an OCI layout."""
    world, output = this_process(), Output(this_process().redactor)
    refuse_if_read_only(world, Act.WRITE)
    digest, converted = export(_store(), name, typed_path(world.cwd, directory))
    if converted:
        output.say(["Docker media types were converted to OCI, so the digest differs"])
    output.data([f"{name} is {digest} in {directory}"])


def _store() -> Store:
    return Store(engine_choice(this_process(), None).store)


def _table(found: list[StoredImage]) -> list[str]:
    return columns([_row(each) for each in found], indent="")


def _row(image: StoredImage) -> tuple[str, ...]:
    return (
        image.name or "(no name)",
        (image.image_id or image.digest)[7:19],
        f"{size(image.size):>9}",
        f"{image.created[:19].replace('T', ' '):<19}",
        image.platform + (f"  {GLYPH_LOOK} {image.problem}" if image.problem else ""),
    )

"""The images of the embedded engine: a table, one image with its layers, and what a removal takes along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dockpass.engines.embedded.details import ImageDetails, StoreContents
from dockpass.engines.embedded.upkeep import Removed, StoredImage
from dockpass.marks import GLYPH_LOOK
from dockpass.text import plural
from dockpass.ui.views.words import WIDE, Line, cell, end_of, fitted, hanging
from dockpass.units import size

ID_WIDTH, PLATFORM_WIDTH, SIZE_WIDTH, AGE_WIDTH = 12, 14, 9, 11
LABEL_WIDTH = 12

NO_IMAGES: tuple[Line, ...] = (
    (("There are no images here yet.", "strong"),),
    (),
    (("This is where the embedded engine keeps what it pulls and builds.", "text"),),
    (("Press esc, select pull or build, and press enter; or on the command line:", "text"),),
    (),
    (("    dockpass pull --engine embedded", "accent"),),
    (("    dockpass build --engine embedded", "accent"),),
    (),
    (("Images of Docker and Podman are not shown here.", "label"),),
)


def title_of(image: StoredImage) -> str:
    """Return the name of an image, or how one without a name is told."""
    return image.name or "(no name)"


def short_id(image: StoredImage) -> str:
    """Return twelve characters of the image's id, as docker shows them."""
    return (image.image_id or image.digest).partition(":")[2][:ID_WIDTH]


def age(created: str, now: datetime) -> str:
    """Return the age of a moment of RFC 3339: `3 days`; `not dated` for the epoch of reproducible builds."""
    try:
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    except ValueError:
        return "not dated"
    if moment.timestamp() <= 0:
        return "not dated"
    minutes = int((now - moment).total_seconds() // 60)
    for count, unit in ((minutes // 525_600, "year"), (minutes // 1440, "day"), (minutes // 60, "hour")):
        if count > 0:
            return plural(count, unit)
    return plural(minutes, "minute") if minutes > 0 else "just now"


def key_of(details: ImageDetails) -> str:
    """Return what names an image among the others: its name, or the digest of one without."""
    return details.image.name or details.image.digest


def matching(images: Sequence[ImageDetails], text: str) -> Sequence[ImageDetails]:
    """Return the images whose name or digest holds a text."""
    if not text:
        return images
    return [each for each in images if text in f"{title_of(each.image)}\n{key_of(each)}".casefold()]


def heading_row(width: int) -> Line:
    """Return the names of the columns."""
    return ((_columns("NAME", "ID", "PLATFORM", "SIZE", "AGE", width), "heading"),)


def image_row(image: StoredImage, now: datetime, width: int) -> Line:
    """Return one row of the table."""
    if image.problem:
        room = max(width - ID_WIDTH - len(f"{GLYPH_LOOK} damaged") - 4, 8)
        return (
            (cell(end_of(title_of(image), room), room) + "  ", "text"),
            (cell(short_id(image), ID_WIDTH) + "  ", "label"),
            (f"{GLYPH_LOOK} damaged", "look"),
        )
    row = _columns(
        title_of(image), short_id(image), image.platform, size(image.size), age(image.created, now), width
    )
    name = _name_width(width)
    return ((row[:name], "text" if image.name else "absent"), (row[name:], "label"))


def _name_width(width: int) -> int:
    platform = PLATFORM_WIDTH + 2 if width >= WIDE else 0
    return max(width - ID_WIDTH - platform - SIZE_WIDTH - AGE_WIDTH - 6, 8)


def _columns(name: str, short: str, platform: str, bytes_of: str, old: str, width: int) -> str:
    middle = f"{cell(platform, PLATFORM_WIDTH)}  " if width >= WIDE else ""
    tail = f"  {cell(short, ID_WIDTH)}  {middle}{bytes_of:>{SIZE_WIDTH}}  {old:>{AGE_WIDTH}}"
    room = _name_width(width)
    return cell(end_of(name, room), room) + tail


def image_lines(details: ImageDetails, now: datetime, width: int) -> list[Line]:
    """Return what an image is and what its config says."""
    image = details.image
    lines: list[Line] = []
    if image.problem:
        lines += hanging(((f"{GLYPH_LOOK} ", "look"),), image.problem, "look", width)
        hint = "Pull or build it again to repair it; d deletes its name."
        lines += [*hanging((("  ", "text"),), hint, "text", width), ()]
    old = age(image.created, now)
    dated = "not dated: the same input gives the same image" if old == "not dated" else _moment(image, old)
    rows = (
        ("name", title_of(image)),
        ("digest", image.digest),
        ("image id", image.image_id),
        ("media type", details.media_type),
        ("platform", image.platform),
        ("created", dated if image.created else ""),
        ("entrypoint", details.entrypoint or "none"),
        ("command", details.command or "none"),
        ("user", details.user or "not set, so root"),
        ("directory", details.directory or "/"),
        ("environment", plural(details.variables, "variable")),
    )
    shown = rows if details.layers or not image.problem else rows[:5]
    for label, value in shown:
        if value:
            lines += hanging(((cell(label, LABEL_WIDTH), "label"),), value, "text", width)
    if details.labels:
        lines += [(), (("LABELS", "heading"),)]
        for key, value in details.labels:
            lines += hanging(((f"{key}  ", "label"),), value, "text", width)
    return lines


def _moment(image: StoredImage, old: str) -> str:
    return f"{image.created[:16].replace('T', ' ')}, {old}{'' if old == 'just now' else ' ago'}"


def layer_rows(details: ImageDetails, width: int) -> list[Line]:
    """Return the layers in their order, each with its size and its media type."""
    if not details.layers:
        return [(("no layers" if not details.image.problem else "not known", "absent"),)]
    lines: list[Line] = []
    for number, layer in enumerate(details.layers, 1):
        head = f"{number:>3}  {layer.digest.partition(':')[2][:ID_WIDTH]}  {size(layer.size):>9}  "
        kind = fitted(_short_type(layer.media_type), max(width - len(head), 8))
        lines.append(((head, "text"), (kind, "label")))
    return lines


def _short_type(media_type: str) -> str:
    return media_type.removeprefix("application/vnd.").replace(".image.rootfs.diff", "").replace(".image", "")


def layers_title(details: ImageDetails) -> str:
    """Return how many layers there are and how large they are together."""
    total = size(sum(layer.size for layer in details.layers))
    return f"Layers: {len(details.layers)}, {total}" if details.layers else "Layers"


def store_words(contents: StoreContents) -> str:
    """Return the store's size in words."""
    return f"{plural(len(contents.images), 'image')} · {size(contents.size)}"


def removal_lines(image: StoredImage, kept: Sequence[str], going: Removed) -> list[Line]:
    """Return what goes with a name, and what stays."""
    if kept:
        names = ", ".join(kept)
        return [((f"Only this name is deleted. The image stays, as {names}.", "text"),)]
    what = (
        "This is the last name of the image: the image is deleted too."
        if image.name
        else "The image has no name."
    )
    lines: list[Line] = [((what, "text"),)]
    if going.blobs:
        words = f"{plural(len(going.blobs), 'blob')} that no other image needs, {size(going.size)}"
        lines.append(((f"Also deleted: {words}.", "look"),))
    else:
        lines.append((("No blob is deleted: other images need them, or the image is damaged.", "text"),))
    return [*lines, ((f"{image.digest}", "label"),)]


def removed_words(image: StoredImage, kept: Sequence[str], removed: Removed) -> str:
    """Return what a removal did."""
    if kept:
        return f"removed the name {image.name}; the image stays as {', '.join(kept)}"
    if removed.kept:
        return f"removed {title_of(image)}; its blobs stay for a prune: {removed.kept}"
    return f"removed {title_of(image)}: {plural(len(removed.blobs), 'blob')}, {size(removed.size)} freed"


def prune_lines(going: Removed) -> list[Line]:
    """Return what a prune would take away."""
    lines: list[Line] = [
        ((f"{plural(len(going.images), 'image')} without a name", "text"),),
        *((("  ", "text"), (digest, "label")) for digest in going.images),
        ((f"{plural(len(going.blobs), 'blob')} that belong to no named image, {size(going.size)}", "text"),),
    ]
    if going.leftovers:
        lines.append(((f"{plural(going.leftovers, 'file')} left by interrupted work", "text"),))
    return [*lines, (), (("Named images stay. Images built here but never named are removed.", "label"),)]


def pruned_words(removed: Removed) -> str:
    """Return what a prune did."""
    images, blobs = plural(len(removed.images), "image"), plural(len(removed.blobs), "blob")
    return f"removed {images} without a name and {blobs}; {size(removed.size)} freed"

"""The values of a deployment for Helm."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.runs.events import ImageDescribed


def values_yaml(images: Sequence[ImageDescribed]) -> str:
    """Return Helm values: `image` for one image, `images` by tag for several."""
    import yaml

    pinned = {
        image.reference.rpartition(":")[2]: f"{image.reference.rpartition(':')[0]}@{image.digest}"
        for image in images
    }
    values = {"image": next(iter(pinned.values()))} if len(pinned) == 1 else {"images": pinned}
    return yaml.safe_dump(values, sort_keys=False, width=1000)

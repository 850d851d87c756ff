"""The images of the embedded engine. The store is read and changed in the background only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList

from dockpass.engines.embedded.details import ImageDetails, StoreContents, look
from dockpass.engines.embedded.upkeep import Removed, prune, remove_image, to_prune, to_remove
from dockpass.errors import DockpassError
from dockpass.readonly import Act
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.ui.actions import bindings
from dockpass.ui.host import forbids
from dockpass.ui.screens.base import FRAME, PanelScreen
from dockpass.ui.screens.dialogs import Confirm
from dockpass.ui.views.images import (
    NO_IMAGES,
    heading_row,
    image_lines,
    image_row,
    key_of,
    layer_rows,
    layers_title,
    matching,
    prune_lines,
    pruned_words,
    removal_lines,
    removed_words,
    store_words,
    title_of,
)
from dockpass.ui.views.words import Line, Status, filter_words, from_home, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows

Result = TypeVar("Result")


class ImagesScreen(PanelScreen):
    """Which images are here, what is in them, and what may go?"""

    BINDINGS = [*bindings("images"), *bindings("everywhere")]
    PLACE = "images"
    PANELS = ("images", "image", "image-layers")
    AUTO_FOCUS = "#images"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._contents: StoreContents | None = None
        self._failed: DockpassError | None = None
        self._working = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"remove", "prune", "reload"} and self._working:
            return False
        if action in {"remove", "switch", "copy", "filter"}:
            return bool(self._contents and self._contents.images)
        return action != "prune" or self._contents is not None

    def compose_panels(self) -> ComposeResult:
        """The table, one image beside its layers."""
        yield Rows("Images", id="images")
        with Horizontal(id="image-below"):
            yield Panel("Image", id="image")
            yield Panel("Layers", id="image-layers")
        yield Panel("Images", id="images-notice")
        yield Filter("a part of a name or an id", filters="#images")

    def on_mount(self) -> None:
        """Read the store."""
        self.action_reload()

    @property
    def selected(self) -> ImageDetails | None:
        """The selected image."""
        found = self.query_one("#images", Rows).selected_id
        images = self._contents.images if self._contents else ()
        return next((each for each in images if key_of(each) == found), None)

    def _do(self, doing: str, work: Callable[[], Result], take: Callable[[Result], None]) -> None:
        """Do what touches the store; `doing` stands in the status line meanwhile."""

        def done(result: Result) -> None:
            self._working = ""
            take(result)

        self._working = doing
        super().refresh_all()
        self.in_background(work, done)

    def failed(self, error: Exception) -> None:
        """Say why the store cannot be used: in place of the images where none were read."""
        self._working = ""
        if isinstance(error, OSError):
            words = f"The image store cannot be used: {clean(str(error), 300)}."
            error = DockpassError("store-unusable", words, "Press r to read it again.")
        if self._contents is None and isinstance(error, DockpassError):
            self._failed = error
        else:
            super().failed(error)

    def refresh_all(self) -> None:
        """Show everything anew."""
        images = self._contents.images if self._contents else ()
        self.set_class(not images, "-notice")
        self._show_notice()
        rows, now = self.query_one("#images", Rows), self.session.services.now()
        text = self.query_one(Filter).text
        found = matching(images, text)

        def listed(width: int) -> list[Row]:
            shown: list[Row] = [(key_of(each), partial(image_row, each.image, now, width)) for each in found]
            shown = shown or [(None, line) for line in nothing_matches(text)]
            return [(None, heading_row(width)), *shown] if images else []

        rows.show(listed)
        rows.border_title = f"Images {filter_words(text, len(found), len(images))}".rstrip()
        self._show_selected()
        super().refresh_all()

    def _show_notice(self) -> None:
        lines: list[Line] = [(("reading the store", "label"),)]
        if self._failed is not None:
            lines = [((self._failed.message, "bad"),), ((self._failed.hint, "text"),)]
            lines += [(), (("Nothing was changed. Press r to read the store again.", "label"),)]
        elif self._contents is not None:
            lines = list(NO_IMAGES)
        self.query_one("#images-notice", Panel).show(lines)

    def _show_selected(self) -> None:
        found = self.selected
        if found is None:
            return
        panel, layers = self.query_one("#image", Panel), self.query_one("#image-layers", Panel)
        narrow = self.has_class("-narrow")
        width = (self.size.width if narrow else self.size.width // 2) - FRAME
        lines = image_lines(found, self.session.services.now(), width)
        if narrow:
            lines += [(), ((layers_title(found).upper(), "heading"),), *layer_rows(found, width)]
        panel.border_title = f"Image {title_of(found.image)}"
        panel.show(self._redacted(lines))
        layers.border_title = layers_title(found)
        layers.show(partial(layer_rows, found))

    def _redacted(self, lines: list[Line]) -> list[Line]:
        """Labels and commands of an image may hold what is a secret here."""
        redactor = self.session.services.redactor
        return [tuple((redactor(text), role) for text, role in line) for line in lines]

    def status(self) -> Status:
        """Return where the store is, and how large."""
        where = from_home(clean(str(self.session.store.root)), self.session.facts.home)
        right: Line = ((self._working, "look"),)
        if not self._working and self._contents is not None:
            right = ((store_words(self._contents), "text"),)
        return self.titled(where), right

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another image."""
        event.stop()
        self._show_selected()

    def action_reload(self) -> None:
        """Read the image store."""
        self._contents, self._failed = None, None
        self._do("reading", partial(look, self.session.store), self._take)

    def _take(self, contents: StoreContents) -> None:
        self._contents = contents

    def _after(self, result: tuple[str, StoreContents]) -> None:
        words, self._contents = result
        self.notify(words, timeout=8)

    def action_remove(self) -> None:
        """See what goes with the selected name, and ask."""
        details = self.selected
        if details is None or forbids(self.app, Act.DELETE):
            return
        name = details.image.name or details.image.digest
        see = partial(to_remove, self.session.store, name)
        self._do("checking", see, partial(self._ask_to_remove, details))

    def _ask_to_remove(self, details: ImageDetails, seen: tuple[tuple[str, ...], Removed]) -> None:
        image, store = details.image, self.session.store
        kept, going = seen

        def remove() -> tuple[str, StoreContents]:
            removed = remove_image(store, image.name or image.digest)
            return removed_words(image, kept, removed), look(store)

        def answer(yes: bool | None) -> None:
            if yes:
                self._do("removing", remove, self._after)

        what = image.name or f"the image {image.digest[7:19]}"
        lines = removal_lines(image, kept, going)
        self.app.push_screen(Confirm(f"Delete {what}?", lines, yes="delete", danger=True), answer)

    def action_prune(self) -> None:
        """See what no name reaches, and ask."""
        if forbids(self.app, Act.DELETE):
            return
        self._do("checking", partial(to_prune, self.session.store), self._ask_to_prune)

    def _ask_to_prune(self, going: Removed) -> None:
        store = self.session.store
        if not (going.images or going.blobs or going.leftovers):
            self.notify("Nothing to remove: everything here belongs to an image with a name.", timeout=5)
            return

        def remove() -> tuple[str, StoreContents]:
            return pruned_words(prune(store)), look(store)

        def answer(yes: bool | None) -> None:
            if yes:
                self._do("removing", remove, self._after)

        title = "Remove everything that belongs to no named image?"
        self.app.push_screen(Confirm(title, prune_lines(going), yes="remove", danger=True), answer)

    def panels(self) -> tuple[str, ...]:
        """Leave out the layers where they stand below the image, and all where there are no images."""
        if self.has_class("-notice"):
            return ()
        return self.PANELS[:2] if self.has_class("-narrow") else self.PANELS

    def action_copy(self) -> None:
        """Copy the reference of the selected image; the digest of one without a name."""
        found = self.selected
        if found is not None:
            self.copy(key_of(found))

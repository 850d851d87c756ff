"""The images of the embedded engine. The store is read and changed in the background only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import OptionList, Static

from dockpass.engines.embedded.details import ImageDetails, StoreContents, look
from dockpass.engines.embedded.upkeep import Removed, prune, remove_image, to_prune, to_remove
from dockpass.errors import DockpassError
from dockpass.text import clean
from dockpass.ui.actions import bindings
from dockpass.ui.screens.dialogs import Confirm, Help
from dockpass.ui.session import LOOKS_PER_SECOND, Session
from dockpass.ui.text import content
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.images import (
    NO_IMAGES,
    heading_row,
    image_lines,
    image_row,
    layer_rows,
    layers_title,
    prune_lines,
    pruned_words,
    removal_lines,
    removed_words,
    store_words,
    title_of,
)
from dockpass.ui.views.words import Line, filter_words, from_home, nothing_matches, sandbox_badge
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.ui.widgets.too_small import TooSmall


class ImagesScreen(Screen[None]):
    """Which images are here, what is in them, and what may go?"""

    BINDINGS = [*bindings("images"), *bindings("everywhere")]
    PLACE = "images"
    AUTO_FOCUS = "#images"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._contents: StoreContents | None = None
        self._failed: DockpassError | None = None
        self._answers: list[Callable[[], None]] = []
        self._working = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"remove", "prune", "reload"} and self._working:
            return False
        if action in {"remove", "switch", "copy", "filter"}:
            return bool(self._contents and self._contents.images)
        return action != "prune" or self._contents is not None

    def compose(self) -> ComposeResult:
        """Status line, the table, one image beside its layers, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield Rows("Images", id="images")
        with Horizontal(id="image-below"):
            yield Panel("Image", id="image")
            yield Panel("Layers", id="image-layers")
        yield Panel("Images", id="images-notice")
        yield Filter("a part of a name or an id", filters="#images")
        yield Keys()

    def on_mount(self) -> None:
        """Read the store, and look for answers."""
        self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.action_reload()

    def on_resize(self) -> None:
        """Columns depend on the width."""
        self.call_after_refresh(self.refresh_all)

    @property
    def selected(self) -> ImageDetails | None:
        """The selected image."""
        found = self.query_one("#images", Rows).selected_id
        images = self._contents.images if self._contents else ()
        return next((each for each in images if _key(each) == found), None)

    def _in_background(self, doing: str, work: Callable[[], Callable[[], None]]) -> None:
        """Do what touches the store; `work` returns what then changes the screen."""

        def guarded() -> None:
            try:
                self._answers.append(work())
            except DockpassError as error:
                failed = error
                self._answers.append(lambda: self._tell(failed))
            except OSError as error:
                words = f"The image store cannot be used: {clean(str(error), 300)}."
                broken = DockpassError("store-unusable", words, "r reads it again.")
                self._answers.append(lambda: self._tell(broken))

        self._working = doing
        self._show_status()
        self.refresh_bindings()
        self.session.in_background(guarded)

    def pump(self) -> None:
        """Take the answers that have come; a widget is touched in this thread only."""
        while self._answers:
            self._working = ""
            self._answers.pop(0)()
            self.refresh_all()

    def _tell(self, error: DockpassError) -> None:
        if self._contents is None:
            self._failed = error
        else:
            self.notify(f"{error.message} {error.hint}", severity="error", timeout=12)

    def refresh_all(self) -> None:
        """Show everything anew."""
        images = self._contents.images if self._contents else ()
        self.set_class(not images, "-notice")
        self._show_notice()
        rows, now = self.query_one("#images", Rows), self.session.services.now()
        width = max(self.size.width - 6, 20)
        text = self.query_one(Filter).text
        found = [each for each in images if text in f"{title_of(each.image)}\n{_key(each)}".casefold()]
        listed: list[tuple[str | None, Line]] = [
            (_key(each), image_row(each.image, now, width)) for each in found
        ]
        listed = listed or [(None, line) for line in nothing_matches(text)]
        rows.show([(None, heading_row(width)), *listed] if images else [])
        rows.border_title = f"Images {filter_words(text, len(found), len(images))}".rstrip()
        self._show_selected()
        self._show_status()
        self.refresh_bindings()

    def _show_notice(self) -> None:
        lines: list[Line] = [(("reading the store", "label"),)]
        if self._failed is not None:
            lines = [((self._failed.message, "bad"),), ((self._failed.hint, "text"),)]
            lines += [(), (("Nothing was changed. r reads it again.", "label"),)]
        elif self._contents is not None:
            lines = list(NO_IMAGES)
        self.query_one("#images-notice", Panel).show(lines)

    def _show_selected(self) -> None:
        found = self.selected
        if found is None:
            return
        panel, layers = self.query_one("#image", Panel), self.query_one("#image-layers", Panel)
        narrow = self.has_class("-narrow")
        width = (self.size.width if narrow else self.size.width // 2) - 6
        lines = image_lines(found, self.session.services.now(), width)
        if narrow:
            lines += [(), ((layers_title(found).upper(), "heading"),), *layer_rows(found, width)]
        panel.border_title = f"Image {title_of(found.image)}"
        panel.show(self._redacted(lines))
        layers.border_title = layers_title(found)
        layers.show(layer_rows(found, width))

    def _redacted(self, lines: list[Line]) -> list[Line]:
        """Labels and commands of an image may hold what is a secret here."""
        redactor = self.session.services.redactor
        return [tuple((redactor(text), role) for text, role in line) for line in lines]

    def _show_status(self) -> None:
        where = from_home(clean(str(self.session.store.root)), self.session.facts.home)
        left: Line = (
            ("dockpass", "brand"),
            *sandbox_badge(self.session.sandbox is not None),
            ("  images", "strong"),
            (f"  {where}", "label"),
        )
        right: Line = ((self._working, "look"),)
        if not self._working and self._contents is not None:
            right = ((store_words(self._contents), "text"),)
        self.query_one("#status-left", Static).update(content(left))
        self.query_one("#status-right", Static).update(content(right))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another image."""
        event.stop()
        self._show_selected()

    def action_reload(self) -> None:
        """Read the image store."""
        store = self.session.store

        def read() -> Callable[[], None]:
            found = look(store)
            return lambda: self._take(found)

        self._contents, self._failed = None, None
        self._in_background("reading", read)

    def _take(self, contents: StoreContents) -> None:
        self._contents = contents

    def _after(self, words: str, contents: StoreContents) -> None:
        self._contents = contents
        self.notify(words, timeout=8)

    def action_remove(self) -> None:
        """See what goes with the selected name, and ask."""
        found = self.selected
        if found is None:
            return
        name = found.image.name or found.image.digest
        store = self.session.store

        def see() -> Callable[[], None]:
            kept, going = to_remove(store, name)
            return lambda: self._ask_to_remove(found, kept, going)

        self._in_background("looking what goes", see)

    def _ask_to_remove(self, found: ImageDetails, kept: tuple[str, ...], going: Removed) -> None:
        image, store = found.image, self.session.store

        def remove() -> Callable[[], None]:
            removed = remove_image(store, image.name or image.digest)
            words, contents = removed_words(image, kept, removed), look(store)
            return lambda: self._after(words, contents)

        def answer(yes: bool | None) -> None:
            if yes:
                self._in_background("removing", remove)

        what = image.name or f"the image {image.digest[7:19]}"
        lines = removal_lines(image, kept, going)
        self.app.push_screen(Confirm(f"Delete {what}?", lines, yes="delete", danger=True), answer)

    def action_prune(self) -> None:
        """See what no name reaches, and ask."""
        store = self.session.store

        def see() -> Callable[[], None]:
            going = to_prune(store)
            return lambda: self._ask_to_prune(going)

        self._in_background("looking what goes", see)

    def _ask_to_prune(self, going: Removed) -> None:
        store = self.session.store
        if not (going.images or going.blobs or going.leftovers):
            self.notify("There is nothing to remove: a name reaches everything here.", timeout=5)
            return

        def remove() -> Callable[[], None]:
            words, contents = pruned_words(prune(store)), look(store)
            return lambda: self._after(words, contents)

        def answer(yes: bool | None) -> None:
            if yes:
                self._in_background("removing", remove)

        dialog = Confirm("Remove what no name reaches?", prune_lines(going), yes="remove", danger=True)
        self.app.push_screen(dialog, answer)

    def action_switch(self) -> None:
        """Go from the table to the image, to its layers, and back."""
        order = ["images", "image"] + ([] if self.has_class("-narrow") else ["image-layers"])
        focused = self.focused.id if self.focused and self.focused.id in order else order[-1]
        self.query_one(f"#{order[(order.index(str(focused)) + 1) % len(order)]}").focus()

    def action_copy(self) -> None:
        """Copy the reference of the selected image; the digest of one without a name."""
        found = self.selected
        if found is not None:
            text = found.image.name or found.image.digest
            self.app.copy_to_clipboard(text)
            self.notify(f"sent to the terminal's clipboard: {text}", timeout=6)

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        self.query_one(Filter).open()

    def on_filter_applied(self) -> None:
        """Filter while it is typed."""
        self.refresh_all()

    def action_back(self) -> None:
        """Clear a filter, else go back to the overview."""
        if not self.query_one(Filter).clear_filter():
            self.dismiss(None)

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(partial(help_lines, "images", self.session.keys)))


def _key(found: ImageDetails) -> str:
    return found.image.name or found.image.digest

"""The embedded engine: the engine protocol over the image store, with no daemon and no other program."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dockpass import __version__
from dockpass.engines.base import EMBEDDED, BuildRequest, EngineInfo, Sink, image_missing
from dockpass.engines.embedded.manifest import Index, Manifest, Platform, this_platform
from dockpass.engines.embedded.pull import Pulled, pull
from dockpass.engines.embedded.push import push
from dockpass.engines.embedded.remote import Remote
from dockpass.engines.embedded.store import Entry, Store
from dockpass.errors import Cancelled, DockpassError
from dockpass.references.address import host_of_registry
from dockpass.references.credential import Logins
from dockpass.references.reference import Reference, is_digest, parse_reference
from dockpass.registry.client import RegistryClient
from dockpass.registry.transport import Transport
from dockpass.text import clean

Result = TypeVar("Result")
OpenTransport = Callable[[], Transport]


class EmbeddedEngine:
    """One use of the store, for one run. `how` says why this engine was taken."""

    def __init__(
        self,
        store: Store,
        how: str,
        environ: Mapping[str, str] | None = None,
        transport: OpenTransport = Transport,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._store = store
        self._how = how
        self._environ = dict(environ or {})
        self._transport = transport
        self._lock = threading.Lock()
        self._is_cut = False
        self._cutters: set[Callable[[], None]] = set()

    def info(self) -> EngineInfo:
        """Return which engine this is; its endpoint is the image store."""
        return EngineInfo(EMBEDDED, __version__, clean(str(self._store.root)), self._how)

    def lacks_containerd_store(self) -> bool:
        """It has a store of its own."""
        return True

    def own_proxy(self) -> str:
        """There is none: it asks registries as dockpass does."""
        return ""

    def login(self, key: str, logins: Logins) -> str:
        """Log in as `docker login` does, always asking the registry; return how it was accepted."""

        async def log_in() -> str:
            host = host_of_registry(key)
            async with RegistryClient(host, logins, transport=self._transport()) as client:
                return (await client.login()).words

        return self._run(log_in())

    def image_id(self, reference: str) -> str | None:
        """Return the id (the digest of the config) of a local image."""
        entry = self._find(reference)
        return self._store.image_id(entry) if entry else None

    def tag(self, image: str, reference: str) -> None:
        """Give a local image another name."""
        entry = self._find(image)
        if entry is None:
            raise _missing(image)
        self._store.name(_full_name(reference), entry.descriptor)

    def untag(self, reference: str) -> bool:
        """Remove a local name, unless it is the image's last."""
        return self._store.unname(_full_name(reference), keep_last=True)

    def pull(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Pull one reference; return the digest of its manifest or index."""
        parsed = parse_reference(reference).with_tag
        pulled = self._run(self._pull(parsed, logins, _Guarded(sink, self._check)))
        sink.log(f"Digest: {pulled.digest}")
        return pulled.digest

    def push(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Push one reference; return the digest of its manifest."""
        parsed = parse_reference(reference).with_tag
        entry = self._find(str(parsed))
        if entry is None:
            raise _missing(reference)
        manifest = self._store.manifest(entry.descriptor)
        if isinstance(manifest, Index):
            raise DockpassError(
                "push-index",
                f"{clean(reference)} is an index, and the embedded engine pushes images of one platform.",
                "Push each platform's image under a tag of its own.",
            )
        return self._run(self._push(parsed, manifest, logins, _Guarded(sink, self._check)))

    def check_build(self, request: BuildRequest) -> None:
        """Raise for what needs a command to be run, or is not known here."""
        from dockpass.engines.embedded.build import check_request

        check_request(request, self._environ, self._clock)

    def build(self, request: BuildRequest, logins: Logins, sink: Sink) -> str:
        """Build what needs no command to be run; return the image's id."""
        from dockpass.engines.embedded.build import Builder

        guarded = _Guarded(sink, self._check)

        def base(reference: Reference, platform: Platform) -> Manifest:
            local = not request.extras.pull
            return self._base(reference.with_tag, platform, logins, guarded, local=local)

        with self._working(), self._store.in_use():
            return Builder(self._store, request, guarded, base, self._environ, self._clock).build()

    def _base(
        self, reference: Reference, platform: Platform, logins: Logins, sink: Sink, *, local: bool
    ) -> Manifest:
        """Return a base image: if `local` the stored one of that name, as docker does, else a pulled one."""
        entry = self._store.find(str(reference)) if local else None
        if entry is not None:
            found = self._store.manifest(entry.descriptor)
            if isinstance(found, Manifest) and all(map(self._store.has, found.blobs)):
                sink.log(f"  using the local {reference}")
                return found
        return self._run(self._pull(reference, logins, sink, platform)).manifest

    def cut(self) -> None:
        """End whatever blocks, from another thread."""
        with self._lock:
            self._is_cut = True
            cutters = list(self._cutters)
        for cutter in cutters:
            cutter()

    def close(self) -> None:
        """There is no connection to release."""

    async def _pull(
        self,
        reference: Reference,
        logins: Logins,
        sink: Sink,
        platform: Platform | None = None,
    ) -> Pulled:
        async with self._transport() as transport:
            remote = Remote(reference.repository, logins, transport)
            return await pull(self._store, remote, reference, platform or this_platform(), sink)

    async def _push(self, reference: Reference, manifest: Manifest, logins: Logins, sink: Sink) -> str:
        async with self._transport() as transport:
            remote = Remote(reference.repository, logins, transport)
            return await push(self._store, remote, reference, manifest, sink)

    def _find(self, image: str) -> Entry | None:
        return self._store.find(image if is_digest(image) else _full_name(image))

    def _check(self) -> None:
        if self._is_cut:
            raise Cancelled

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._check()
        try:
            yield
        except RecursionError as error:  # nested deeper than any honest image is
            raise DockpassError("too-deep", "The build nests too deeply.", "Check its files.") from error
        self._check()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry out registry work to its end, or to a cut."""
        return asyncio.run(self._cuttable(work))

    async def _cuttable(self, work: Coroutine[Any, Any, Result]) -> Result:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)

        def cutter() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

        with self._lock:
            self._cutters.add(cutter)
            late = self._is_cut
        if late:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            raise Cancelled from None
        finally:
            with self._lock:
                self._cutters.discard(cutter)


class _Guarded:
    """A sink that also sees the engine's own cut."""

    def __init__(self, sink: Sink, check: Callable[[], None]) -> None:
        self.log = sink.log
        self.output = sink.output
        self.layer = sink.layer
        self._sink = sink
        self._check = check

    def check(self) -> None:
        self._check()
        self._sink.check()


def open_embedded(
    root: Path,
    how: str,
    environ: Mapping[str, str],
    transport: OpenTransport = Transport,
    clock: Callable[[], float] = time.time,
) -> EmbeddedEngine:
    """Open the engine with its store in `root`, which is made by the first write."""
    return EmbeddedEngine(Store(root), how, environ, transport, clock)


def _full_name(reference: str) -> str:
    return str(parse_reference(reference).with_tag)


def _missing(image: str) -> DockpassError:
    return image_missing(
        f"There is no local image {clean(image)} in dockpass's image store.",
        "`dockpass images` lists the images; `dockpass pull` or `dockpass build` adds one.",
    )

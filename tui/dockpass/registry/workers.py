"""Work on many items, some of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeVar

from dockpass.errors import DockpassError

Item = TypeVar("Item")


async def each(items: Sequence[Item], work: Callable[[Item], Awaitable[None]], at_once: int) -> None:
    """Work on every item, `at_once` at a time; the first error ends the others."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(items))):
                group.create_task(worker())
    except* DockpassError as errors:
        _raise_first(errors)


def _raise_first(errors: BaseExceptionGroup[DockpassError]) -> NoReturn:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    raise error from None

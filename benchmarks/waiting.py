"""Waiting for a run as a reader does: told of changes, with a deadline, no timer on the path."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bug_lsp.session.view import RunView
from bug_lsp.session.watch import Watch
from bug_lsp.store.layout import RunFolder


def finished(folder: RunFolder, seconds: float = 60) -> None:
    """Return when nothing of the run is left to do."""
    asyncio.run(until_finished(folder, seconds))


async def until_finished(folder: RunFolder, seconds: float = 60) -> None:
    """The same, on a loop."""
    await until(folder, RunView(folder).finished, seconds)


async def until(folder: RunFolder, holds: Callable[[], object], seconds: float = 60) -> None:
    """Return when something of the run holds."""
    news = asyncio.Event()
    async with asyncio.timeout(seconds):
        with Watch(folder.workspace, lambda _run, _session: news.set()):
            while not holds():
                await news.wait()
                news.clear()

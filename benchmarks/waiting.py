"""Waiting for a run as a reader does: told of changes, with a deadline, no timer on the path."""

from __future__ import annotations

import asyncio

from bug_lsp.session.view import RunView
from bug_lsp.session.watch import Watch
from bug_lsp.store.layout import RunFolder


def finished(folder: RunFolder, seconds: float = 60) -> None:
    """Return when nothing of the run is left to do."""
    asyncio.run(asyncio.wait_for(_finished(folder), seconds))


async def _finished(folder: RunFolder) -> None:
    news = asyncio.Event()
    view = RunView(folder)
    with Watch(folder.workspace, lambda _run, _session: news.set()):
        while not view.finished():
            await news.wait()
            news.clear()

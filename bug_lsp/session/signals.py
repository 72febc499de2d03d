"""Signals that ask a session process to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus

from bug_lsp.store.layout import SessionFolder

_LAST_RESORT = 15.0
"""Seconds after a signal to end until the process ends itself, whatever still hangs."""


@asynccontextmanager
async def cancelled_by_signal(folder: SessionFolder) -> AsyncIterator[anyio.CancelScope]:
    """Cancel what is inside at SIGTERM or SIGINT, and end the process if even that hangs."""

    def give_up() -> None:
        if not folder.result.exists():
            os._exit(1)

    async with anyio.create_task_group() as group:

        async def listen(*, task_status: TaskStatus[None]) -> None:
            try:
                with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                    task_status.started()
                    async for _ in signals:
                        timer = threading.Timer(_LAST_RESORT, give_up)
                        timer.daemon = True
                        timer.start()
                        scope.cancel()
            finally:
                _stay()

        scope = anyio.CancelScope()
        await group.start(listen)
        with scope:
            yield scope
        group.cancel_scope.cancel()


def _stay() -> None:
    """From here on it is about to end by itself: killed now, it would leave its run to nobody."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: None)

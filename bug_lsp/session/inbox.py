"""Messages from the user to an agent at work: a file each, and a pipe that wakes the session.

A message is on disk before the session hears of it, so none is lost between two looks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from bug_lsp.store import files
from bug_lsp.store.layout import SessionFolder

_PIPE = ".pipe"


def put(session: SessionFolder, text: str) -> None:
    """Leave a message and wake the session."""
    folder = files.make_private(session.inbox)
    number = 1
    while not files.create_once(folder / f"{number:04}.md", text.encode()):
        number += 1
    with contextlib.suppress(OSError):  # nobody listens yet: it will look when it does
        descriptor = os.open(folder / _PIPE, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)


class Inbox:
    """What the user says, in order."""

    def __init__(self, session: SessionFolder, descriptor: int) -> None:
        self._folder = session.inbox
        self._descriptor = descriptor
        self._read = 0

    async def next(self) -> str:
        """The next message; waits for it."""
        while True:
            data = files.read(self._folder / f"{self._read + 1:04}.md")
            if data is not None:
                self._read += 1
                return data.decode(errors="replace")
            await anyio.wait_readable(self._descriptor)
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, 4096)


@asynccontextmanager
async def opened(session: SessionFolder) -> AsyncIterator[Inbox]:
    """The session's inbox while its agent works."""
    pipe = files.make_private(session.inbox) / _PIPE
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, files.FILE_MODE)
    # Read and write: with one end of our own the pipe never reports end of file.
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield Inbox(session, descriptor)
    finally:
        os.close(descriptor)
        pipe.unlink(missing_ok=True)

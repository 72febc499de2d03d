"""Messages from the user to an agent at work: a file each, and a pipe that wakes the session.

A message is on disk before the session hears of it, so none is lost between two looks. Who has
answered for the last time puts an empty file in the place of the next message, and only one of the
two can take that place: what was taken in is answered, what comes later is refused.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from bug_lsp.domain.errors import Refused
from bug_lsp.store import files
from bug_lsp.store.layout import SessionFolder

_PIPE = ".pipe"
_CLOSED = b""


def put(session: SessionFolder, text: str) -> None:
    """Leave a message and wake the session; refused where its agent has answered by now."""
    folder = files.make_private(session.inbox)
    number = 1
    while not files.create_once(_place(folder, number), text.encode()):
        if files.read(_place(folder, number)) == _CLOSED:
            raise Refused(
                f"session {session.session_id} has just given its answer; to have it look again, "
                "retry it (retrySession)"
            )
        number += 1
    with contextlib.suppress(OSError):  # nobody listens yet: it will look when it does
        descriptor = os.open(folder / _PIPE, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number:04}.md"


class Inbox:
    """What the user says, in order."""

    def __init__(self, session: SessionFolder, descriptor: int) -> None:
        self._folder = session.inbox
        self._descriptor = descriptor
        self._read = 0

    async def next(self) -> str:
        """The next message; waits for it."""
        while True:
            text = self._unread()
            if text is not None:
                return text
            await anyio.wait_readable(self._descriptor)
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, 4096)

    def last_call(self) -> str | None:
        """All that was said and not read yet; where there is nothing, the inbox is closed."""
        while not (said := list(iter(self._unread, None))):
            place = _place(self._folder, self._read + 1)
            if files.create_once(place, _CLOSED) or files.read(place) == _CLOSED:
                return None
        return "\n\n".join(said)

    def _unread(self) -> str | None:
        data = files.read(_place(self._folder, self._read + 1))
        if not data:  # nothing, or closed
            return None
        self._read += 1
        return data.decode(errors="replace")


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

"""Live documents: the text of a session, and telling the client when it has more of it.

A refresh makes the client read the whole text again, so there is at most one under way for a
document, they keep their distance, and a document that nobody reads is left alone. The last one is
always sent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import anyio

from .host import Host

MIN_INTERVAL = 0.1
"""Seconds between two refreshes of one document."""
BYTES_A_SECOND = 2_000_000
"""The rate at which one document may be sent: a long one is refreshed less often."""
_MISSES = 3
"""After so many refreshes that were not followed by a read the document is taken for closed."""
_MAX_BACKLOG = 500_000


@dataclass
class _Document:
    """What is known of one open document."""

    dirty: bool = False
    pumping: bool = False
    unread: int = 0
    size: int = 0
    refreshed_at: float = 0.0


class Documents:
    """The live documents that the client has asked for."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._open: dict[str, _Document] = {}

    def was_read(self, uri: str, text: str) -> None:
        """The client has just read this document."""
        document = self._open.setdefault(uri, _Document())
        document.unread = 0
        document.size = len(text)

    def touch(self, uri: str, *, last: bool = False) -> None:
        """The document has more to show; `last`: for the last time."""
        document = self._open.get(uri)
        if document is None or (document.unread >= _MISSES and not last):
            return
        if not last and self._server.backlog() > _MAX_BACKLOG:
            return  # the client is not reading: it will not be served by being asked more
        document.dirty = True
        if not document.pumping:
            document.pumping = True
            self._server.background(self._pump, uri, document)

    async def _pump(self, uri: str, document: _Document) -> None:
        try:
            while document.dirty:
                interval = max(MIN_INTERVAL, document.size / BYTES_A_SECOND)
                await anyio.sleep(max(0, document.refreshed_at + interval - time.monotonic()))
                document.dirty = False
                document.unread += 1
                document.refreshed_at = time.monotonic()
                await self._server.client.refresh(uri)
        finally:
            document.pumping = False

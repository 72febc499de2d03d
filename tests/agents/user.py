"""Somebody who speaks to an agent at work."""

from __future__ import annotations

import anyio


class User:
    """Says texts to an agent that listens."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self._more = anyio.Event()
        self.handed_on = anyio.Event()
        """Set when the agent has listened to all of it and listens for more."""

    def say(self, *texts: str) -> None:
        self._texts += texts
        self.handed_on = anyio.Event()
        self._more.set()

    async def listen(self) -> str:
        while not self._texts:
            self.handed_on.set()
            self._more = anyio.Event()
            await self._more.wait()
        return self._texts.pop(0)

"""Keeps what an agent emits, and lets a test wait for it."""

from __future__ import annotations

import anyio

from bug_lsp.domain.events import Error, Event, Text


class Recorder:
    """To be given to an agent as its `emit`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = anyio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()
        self._news = anyio.Event()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.of(Text))

    @property
    def errors(self) -> str:
        return "\n".join(event.message for event in self.of(Error))

    async def wait_for(self, kind: type[Event], seconds: float = 60) -> None:
        with anyio.fail_after(seconds):
            while not self.of(kind):
                await self._news.wait()

    async def wait_for_text(self, text: str, seconds: float = 20) -> None:
        with anyio.fail_after(seconds):
            while text not in self.text:
                await self._news.wait()

"""One conversation with a process: requests go out and answers come back, as lines of JSON.

A request is written whole, whatever becomes of its caller. Once the process has ended, or is silent
for too long, every caller hears that no answer will come.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio

from .child_process import LinePipe

_LONGEST_ANSWER = 50_000_000
_CHUNK = 65536
_PING_SECONDS = 2.0
_GRACE_SECONDS = 15.0
"""How much later than the end of its time a request may be answered: the machine may be busy."""


@dataclass(slots=True)
class _Waiting:
    """A caller that waits for an answer."""

    answer: dict[str, Any] | None = None
    is_over: anyio.Event = field(default_factory=anyio.Event)


class Channel:
    """Both pipes of one conversation. `run()` must run while there are callers."""

    def __init__(self, on_other: Callable[[dict[str, Any]], None], *, silence: float) -> None:
        """`on_other` hears what answers no request; `silence`: seconds that are too long."""
        self._on_other = on_other
        self._most_pings = max(int(silence / _PING_SECONDS), 1)
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._answers = LinePipe(self._hear, longest_line=_LONGEST_ANSWER)
        self._queue: dict[int, bytes] = {}
        self._more = anyio.Event()
        self._waiting: dict[int, _Waiting] = {}
        self._count = 0
        self._pings = 0
        self.lost = anyio.Event()
        """Set once no answer will come any more."""

    @property
    def fds(self) -> tuple[int, int]:
        """The ends for the process: where it reads requests, and where it writes answers."""
        return self._reader, self._answers.writer

    def hand_over(self) -> None:
        """Close our copies of the process's ends, once it has its own.

        Otherwise the pipes would stay open for us when the process has ended.
        """
        self._answers.close_writer()
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def close(self) -> None:
        """Close everything; not while `run` runs."""
        self.hand_over()
        self._answers.close()
        os.close(self._writer)

    async def run(self) -> None:
        """Write, read and watch until the process is lost."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._follow)
            group.start_soon(self._write)
            group.start_soon(self._watch)
            await self.lost.wait()
            group.cancel_scope.cancel()

    def lose(self) -> None:
        """Tell all callers that nobody will answer."""
        if self.lost.is_set():
            return
        with suppress(OSError):
            self._answers.drain()
        self.lost.set()
        for waiting in self._waiting.values():
            waiting.is_over.set()

    async def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Return the answer, or None if the process is lost; it should be there in `seconds`."""
        if self.lost.is_set():
            return None
        waiting = _Waiting()
        number = self._send(request)
        self._waiting[number] = waiting
        try:
            with anyio.move_on_after(seconds + _GRACE_SECONDS):
                await waiting.is_over.wait()
            if not waiting.is_over.is_set():
                self.lose()
            return waiting.answer
        finally:
            self._waiting.pop(number, None)
            if not waiting.is_over.is_set() and self._queue.pop(number, None) is None:
                self._send({"cancel": number})

    def _send(self, message: dict[str, Any]) -> int:
        self._count += 1
        line = json.dumps(message | {"id": self._count})
        self._queue[self._count] = line.encode() + b"\n"
        self._more.set()
        return self._count

    async def _write(self) -> None:
        while True:
            while self._queue:
                rest = self._queue.pop(next(iter(self._queue)))
                while rest:
                    await anyio.wait_writable(self._writer)
                    try:
                        rest = rest[os.write(self._writer, rest[:_CHUNK]) :]
                    except BlockingIOError:
                        continue
                    except OSError:  # it has closed its end
                        self.lose()
                        return
            self._more = anyio.Event()
            await self._more.wait()

    async def _follow(self) -> None:
        await self._answers.follow()
        self.lose()

    async def _watch(self) -> None:
        """Give the process up when it does not even say that it is there."""
        while True:
            await anyio.sleep(_PING_SECONDS)
            if not self._waiting:
                self._pings = 0
                continue
            if self._pings >= self._most_pings:
                self.lose()
                return
            if self._pings == 0 or not self._queue:
                self._send({"ping": time.monotonic()})
            self._pings += 1

    def _hear(self, line: bytes) -> None:
        self._pings = 0
        try:
            answer = json.loads(line)
        except ValueError:  # the project wrote into our pipe: whose answer is it?
            self.lose()
            return
        waiting = self._waiting.get(answer.get("id", 0))
        if waiting is not None:
            waiting.answer = answer
            waiting.is_over.set()
        elif "id" not in answer:
            self._on_other(answer)

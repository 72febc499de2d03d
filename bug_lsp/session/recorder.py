"""Writes what an agent does: `events.jsonl` for programs, `output.md` for people, and the excerpt
that the orchestrator will read. Memory stays bounded, however much the agent says.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable

import anyio
from pydantic_core import PydanticSerializationError

from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT
from bug_lsp.domain.events import (
    Event,
    Record,
    Text,
    Thinking,
    TokenUsage,
    ToolCall,
    Usage,
)
from bug_lsp.domain.inert import inert
from bug_lsp.domain.run import Facts, materialise_session
from bug_lsp.domain.transcript import Transcript, activity, padded_status, status_line, told
from bug_lsp.store import files
from bug_lsp.store.layout import SessionFolder
from bug_lsp.store.pokes import poke

FLUSH_SECONDS = 0.05
"""Deltas that arrive within this time are written together."""


class Excerpt:
    """The first and the last characters of a text that is never kept whole."""

    def __init__(self) -> None:
        self.head = ""
        self.total = 0
        self._tail = ""

    def add(self, text: str) -> None:
        """Take the next piece of the text."""
        self.total += len(text)
        room = HEAD_KEPT - len(self.head)
        self.head += text[:room] if room > 0 else ""
        self._tail += text[max(0, room) :]
        if len(self._tail) > 2 * TAIL_KEPT:  # not at every piece: that would copy it each time
            self._tail = self._tail[-TAIL_KEPT:]

    @property
    def tail(self) -> str:
        """The last characters that are not in the head."""
        return self._tail[-TAIL_KEPT:]


class Recorder:
    """The one writer of a session's output. Lives on the event loop of the session process."""

    def __init__(self, folder: SessionFolder, facts: Facts) -> None:
        self._folder = folder
        self._facts = facts
        self._began = time.monotonic()
        self._transcript = Transcript()
        self._pending: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._events = _open(folder.events)
        self._output = _open(folder.output)
        self._seq = 0
        self._doing = ""
        self._broken = False
        self.excerpt = Excerpt()
        self.heard_at = self._began
        """When the agent last showed a sign of life (monotonic)."""
        self.usage_news = anyio.Event()
        self.tool_calls = 0
        self.usage: TokenUsage | None = None
        self._append(self._output, padded_status(self._status("")))
        self._append(self._output, f"\n# {inert(facts.spec.title)}\n".encode())

    @property
    def session_id(self) -> str:
        """Whose output this is."""
        return self._folder.session_id

    def emit(self, event: Event) -> None:
        """Take an event; it is on disk within 50 ms."""
        self.heard_at = time.monotonic()
        last = self._pending[-1] if self._pending else None
        if isinstance(event, Text | Thinking) and type(last) is type(event):
            assert isinstance(last, Text | Thinking)  # noqa: S101 - for the type checker
            self._pending[-1] = event.model_copy(update={"text": last.text + event.text})
        else:
            self._pending.append(event)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what has gathered, and tell the readers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        events, self._pending = self._pending, []
        if not events:
            return
        records = [self._record(event) for event in events]
        lines = b"".join(_line(record) for record in records)
        text = "".join(self._transcript.add(event) for event in events)
        self._guard(lambda: self._append(self._events, lines))
        self._guard(lambda: self._append(self._output, text.encode(errors="replace")))
        self.show_status(self._status(activity(records[-1])))
        self._poke()

    def note(self, text: str) -> None:
        """Add a paragraph of ours to the readable output."""
        self.flush()
        self._guard(lambda: self._append(self._output, f"\n\n{text}\n".encode()))

    def show_status(self, line: str) -> None:
        """Write the status over the one that stands at the top of `output.md`."""
        self._guard(lambda: os.pwrite(self._output, padded_status(line), 0))

    def close(self) -> None:
        """Write the rest and close."""
        self.flush()
        os.close(self._events)
        os.close(self._output)

    def _record(self, event: Event) -> Record:
        self._seq += 1
        self.tool_calls += isinstance(event, ToolCall)
        if isinstance(event, Usage):
            self.usage = TokenUsage(
                input_tokens=event.input_tokens,
                output_tokens=event.output_tokens,
                cost_usd=event.cost_usd,
            )
            self.usage_news.set()
        self.excerpt.add(told(event))
        elapsed = round(time.monotonic() - self._began, 3)
        record = Record(
            seq=self._seq,
            at=elapsed,
            tool_calls=self.tool_calls,
            usage=self.usage,
            event=event,
            doing=self._doing if isinstance(event, Usage) else "",
        )
        self._doing = activity(record)
        return record

    def _status(self, doing: str) -> str:
        shown = materialise_session(
            self._folder.run.run_id, self._facts.model_copy(update={"activity": doing})
        )
        return status_line(shown, self.tool_calls, time.monotonic() - self._began)

    def _poke(self) -> None:
        poke(self._folder.run.workspace, self._folder.run.run_id, self._folder.session_id)

    def _guard(self, write: Callable[[], object]) -> None:
        # A full disk must not end the agent: its answer may still fit when it is done.
        try:
            write()
        except OSError as error:
            if not self._broken:
                sys.stderr.write(f"output is no longer recorded: {error}\n")
            self._broken = True

    @staticmethod
    def _append(descriptor: int, data: bytes) -> None:
        os.lseek(descriptor, 0, os.SEEK_END)
        while data:
            data = data[os.write(descriptor, data) :]


def _line(record: Record) -> bytes:
    try:
        return record.model_dump_json(by_alias=True).encode() + b"\n"
    except PydanticSerializationError:  # half of a surrogate pair, from somebody's JSON
        whole = json.dumps(record.model_dump(mode="python", by_alias=True), ensure_ascii=False)
        return whole.encode(errors="replace") + b"\n"


def _open(path: os.PathLike[str]) -> int:
    # Not O_APPEND: with it Linux would append the status line too, wherever it is aimed.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, files.FILE_MODE)

"""Writes what an agent does: `events.jsonl` for programs, `output.md` for people, and the excerpt
that the orchestrator will read. Memory stays bounded, however much the agent says.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Callable

import anyio
from pydantic_core import PydanticSerializationError

from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT
from bug_lsp.domain.events import (
    Activity,
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
_LAST_RECORD = 2_048
"""Bytes of the record that stands last in `events.jsonl` when no more is recorded."""
_NO_MORE = (
    "\n\n> **no longer recorded**: this session has written more than {megabytes:g} MB "
    "(sessionOutputLimitMB); what comes now is left out here and in events.jsonl, and only its end "
    "will follow.\n"
)


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
    """The one writer of a session's output. Lives on the event loop of the session process.

    It writes at most `limit` bytes of what the agent does; the excerpt goes on to its end. The
    session began at `began`, in seconds of the monotonic clock.
    """

    def __init__(
        self, folder: SessionFolder, facts: Facts, began: float, limit: float = math.inf
    ) -> None:
        self._folder = folder
        self._facts = facts
        self.began = began
        self._transcript = Transcript()
        self._pending: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._events = _open(folder.events)
        self._output = _open(folder.output)
        self._seq = 0
        self._doing = ""
        self._broken = False
        self._limit = limit
        self._written = 0
        self._full_at: int | None = None
        """The size of `events.jsonl` when the limit was reached."""
        self.excerpt = Excerpt()
        self.heard_at = time.monotonic()
        """When the agent last showed a sign of life (monotonic)."""
        self.usage_news = anyio.Event()
        self.tool_calls = 0
        self.usage: TokenUsage | None = None
        self._append_output(padded_status(self._status("")))
        self._append_output(f"\n# {inert(facts.spec.title)}\n".encode())

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
        text = "".join(self._transcript.add(event) for event in events).encode(errors="replace")
        self._written += len(lines) + len(text)
        if self._written <= self._limit:
            self._guard(lambda: files.append(self._events, lines, self._folder.events))
            self._guard(lambda: self._append_output(text))
        else:
            self._guard(lambda: self._keep_last(records[-1]))
        self.show_status(self._status(activity(records[-1])))
        self._poke()

    def note(self, text: str) -> None:
        """Add a paragraph of ours to the readable output."""
        self.flush()
        self._guard(lambda: self._append_output(f"\n\n{text}\n".encode()))

    def finish(self, text: str, status: str) -> None:
        """Write the last paragraph and the last status, and close."""
        self.flush()
        if self._full_at is not None:
            end = (self.excerpt.head + self.excerpt.tail)[-TAIL_KEPT:]
            self.note(f"> **the end** of what it wrote:\n\n{end}")
        self.note(text)
        self.show_status(status)
        self.close()

    def _keep_last(self, record: Record) -> None:
        """Beyond the limit the last record is written over the one before: readers learn from it
        what the session does and has used.
        """
        if self._full_at is None:
            self._full_at = os.lseek(self._events, 0, os.SEEK_END)
            said = _NO_MORE.format(megabytes=self._limit / 1_000_000)
            self._append_output(said.encode())
        last = record.model_copy(update={"event": Activity(text=activity(record)), "doing": ""})
        line = _line(last).rstrip(b"\n").ljust(_LAST_RECORD - 1) + b"\n"
        os.pwrite(self._events, line, self._full_at)

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
        elapsed = round(time.monotonic() - self.began, 3)
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
        return status_line(shown, self.tool_calls, time.monotonic() - self.began)

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

    def _append_output(self, data: bytes) -> None:
        files.append(self._output, data, self._folder.output)


def _line(record: Record) -> bytes:
    try:
        return record.model_dump_json(by_alias=True).encode() + b"\n"
    except PydanticSerializationError:  # half of a surrogate pair, from somebody's JSON
        whole = json.dumps(record.model_dump(mode="python", by_alias=True), ensure_ascii=False)
        return whole.encode(errors="replace") + b"\n"


def _open(path: os.PathLike[str]) -> int:
    # Not O_APPEND: with it Linux would append the status line too, wherever it is aimed.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, files.FILE_MODE)

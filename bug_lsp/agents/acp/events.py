"""What an ACP agent reports, as our events.

Pure: it knows the messages of the protocol, neither the connection nor the process, and keeps only
what a later message needs. Agents differ in what they leave out: some report a tool only when it is
done, some name it only when they ask for permission, some change a file without a diff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from acp.schema import (
    AgentMessageChunk,
    AgentThoughtChunk,
    ContentToolCallContent,
    FileEditToolCallContent,
    PromptResponse,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    UsageUpdate,
)

from bug_lsp.agents.places import Places
from bug_lsp.agents.text import Ends, clip, one_line
from bug_lsp.domain.events import (
    Error,
    Event,
    FileEdit,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)

_KEEP = 650_000
"""Bytes kept of both ends of an answer."""
_MAX_OUTPUT = 16_000
_MAX_DETAIL = 1_000
_MAX_NAME = 40
_NAMES = {"execute": "shell"}
_EDITS = frozenset({"edit", "delete", "move"})
_SUBJECTS = ("command", "pattern", "query", "url")
"""Arguments that say what a tool is about."""
_EXIT_CODES = ("exit", "exitCode", "exit_code")

_Tool: TypeAlias = ToolCallStart | ToolCallUpdate


@dataclass(slots=True)
class Seen:
    """All that is known of one tool call so far."""

    kind: str = ""
    title: str = ""
    locations: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    """The files that its diffs are of."""
    output: str = ""
    raw_input: Any = None
    raw_output: Any = None
    status: str = "pending"
    told: bool = field(default=False)
    """Whether a `ToolCall` has been emitted."""

    @property
    def name(self) -> str:
        """What is done, in one word."""
        if self.kind in {"", "other"}:
            return one_line((self.title or "tool").split()[0], _MAX_NAME)
        return _NAMES.get(self.kind, self.kind)

    @property
    def edits(self) -> bool:
        """Whether it is to change files."""
        return self.kind in _EDITS or bool(self.diffs)

    def learn(self, tool: _Tool, *, asking: bool = False) -> None:
        """Take what a message adds. A request for permission may be about an aspect alone, such as
        a folder: it does not say better what the call is.
        """
        if tool.kind and not (asking and self.kind):
            self.kind = tool.kind
        if tool.title and not (asking and self.title):
            self.title = tool.title
        if tool.locations:
            places = tuple(place.path for place in tool.locations)
            self.locations = tuple(dict.fromkeys((*self.locations, *places))) if asking else places
        if tool.content:
            diffs = [part for part in tool.content if isinstance(part, FileEditToolCallContent)]
            self.diffs = tuple(part.path for part in diffs) or self.diffs
            if not asking:  # then it is what the agent says of its wish
                self.output = _text(tool) or self.output
        if tool.raw_input and not (asking and self.raw_input):
            self.raw_input = tool.raw_input
        self.raw_output = tool.raw_output or self.raw_output
        self.status = tool.status or self.status


class Translation:
    """The ear of one session: events for each message, and what they add up to."""

    def __init__(self, cwd: Path, copy: Path) -> None:
        self._places = Places(cwd, copy)
        self._spoken = False
        self._answer = Ends(_KEEP)
        self._new_message = True
        self._message_id: str | None = None
        self._calls: dict[str, Seen] = {}
        self._done: set[str] = set()
        self._tokens = (0, 0)
        """Of the turns that have ended."""
        self._in_context = 0
        self._cost: float | None = None
        self.usage: Usage | None = None

    def begin_turn(self) -> None:
        """A new turn has its own answer."""
        self._answer = Ends(_KEEP)
        self._new_message = True

    @property
    def answer(self) -> str:
        """The turn's last message: what was said after the last tool call before it."""
        return self._answer.text()

    def events(self, update: object) -> Iterator[Event]:
        """What one update says; nothing where it is none that matters here."""
        match update:
            case AgentMessageChunk(content=TextContentBlock(text=text), message_id=message_id):
                yield from self._message(text, message_id)
            case AgentThoughtChunk(content=TextContentBlock(text=text)) if text:
                yield Thinking(text=text)
            case ToolCallStart():
                self._done.discard(update.tool_call_id)
                yield from self._tool(update)
            case ToolCallProgress():
                yield from self._tool(update)
            case UsageUpdate(used=used, cost=cost):
                self._in_context = used
                if cost is not None and cost.currency == "USD" and cost.amount > 0:
                    self._cost = cost.amount  # 0 also stands for a price that is not known
                yield from self._usage()

    def asked(self, tool: ToolCallUpdate) -> tuple[Seen, list[Event]]:
        """A request for permission: all that is known of its tool call, and what it tells."""
        self._new_message = True
        seen = self._calls.setdefault(tool.tool_call_id, Seen())
        seen.learn(tool, asking=True)
        return seen, list(self._call(tool.tool_call_id, seen, sure=True))

    def ended(self, response: PromptResponse) -> Iterator[Event]:
        """The end of a turn: what it used."""
        used = _tokens(response)
        if used is not None:
            self._tokens = (self._tokens[0] + used[0], self._tokens[1] + used[1])
        yield from self._usage()

    def _message(self, text: str, message_id: str | None) -> Iterator[Event]:
        if message_id is not None and message_id != self._message_id:
            self._new_message, self._message_id = True, message_id
        if self._new_message:
            if not text.strip():
                return
            self._answer = Ends(_KEEP)
            self._new_message = False
            if self._spoken:
                yield Text(text="\n\n")
        self._spoken = True
        self._answer.add(text.encode(errors="replace"))
        yield Text(text=text)

    def _tool(self, tool: _Tool) -> Iterator[Event]:
        self._new_message = True
        call_id = tool.tool_call_id
        if call_id in self._done:
            return
        seen = self._calls.setdefault(call_id, Seen())
        seen.learn(tool)
        if seen.status in {"completed", "failed"}:
            self._done.add(call_id)
            del self._calls[call_id]
            yield from self._finish(call_id, seen)
        else:
            yield from self._call(call_id, seen, sure=seen.status == "in_progress")

    def _call(self, call_id: str, seen: Seen, *, sure: bool) -> Iterator[Event]:
        """Tell of a call once it is known what it is. An edit is told of when it is made."""
        if seen.told or seen.edits or not (sure or _subject(seen)):
            return
        seen.told = True
        detail = one_line(self._detail(seen), _MAX_DETAIL)
        yield ToolCall(call_id=call_id, name=seen.name, detail=detail)

    def _finish(self, call_id: str, seen: Seen) -> Iterator[Event]:
        paths = (seen.diffs or seen.locations) if seen.edits else ()
        if paths and seen.status == "completed":
            for path in dict.fromkeys(paths):
                inside = self._places.inside(path)
                if inside is None:
                    yield Error(message=f"{path} was changed, and it is outside of the copy")
                else:
                    yield FileEdit(path=inside)
            return
        if not seen.told:
            detail = one_line(self._detail(seen), _MAX_DETAIL)
            yield ToolCall(call_id=call_id, name=seen.name, detail=detail)
        ok = seen.status == "completed" and _exit_code(seen.raw_output) in {None, 0}
        output = seen.output or _raw_text(seen.raw_output)
        yield ToolResult(call_id=call_id, ok=ok, output=clip(output, _MAX_OUTPUT))

    def _usage(self) -> Iterator[Event]:
        read, written = self._tokens
        # Before a turn has ended an agent tells how full its context is, and that much it has read.
        read = max(read, self._in_context)
        now = Usage(input_tokens=read, output_tokens=written, cost_usd=self._cost)
        if (read or written) and now != self.usage:
            self.usage = now
            yield now

    def _detail(self, seen: Seen) -> str:
        if seen.kind != "execute" and seen.locations:
            return " ".join(self._places.shown(path) for path in seen.locations)
        return _subject(seen) or seen.title


def _subject(seen: Seen) -> str:
    if not isinstance(seen.raw_input, Mapping):
        return ""
    values = (seen.raw_input.get(key) for key in _SUBJECTS)
    value = next((value for value in values if value), "")
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else ""


def _text(tool: _Tool) -> str:
    return "\n".join(
        part.content.text
        for part in tool.content or ()
        if isinstance(part, ContentToolCallContent) and isinstance(part.content, TextContentBlock)
    )


def _raw_text(raw: Any) -> str:
    if isinstance(raw, Mapping):
        raw = next((raw[key] for key in ("output", "error", "message") if raw.get(key)), "")
    return raw if isinstance(raw, str) else ""


def _exit_code(raw: Any) -> int | None:
    """A command's exit status where the agent tells it; the protocol has no place for it."""
    if not isinstance(raw, Mapping):
        return None
    places = (raw, raw.get("metadata"))
    codes = (
        place.get(key) for place in places if isinstance(place, Mapping) for key in _EXIT_CODES
    )
    return next((code for code in codes if isinstance(code, int)), None)


def _tokens(response: PromptResponse) -> tuple[int, int] | None:
    """What a turn used, in and out, from either of the places where agents say it."""
    usage = response.usage
    if usage is not None:
        # What was read from a cache may be counted in or not; the total has everything.
        written = usage.output_tokens
        if usage.total_tokens >= usage.input_tokens + written + (usage.thought_tokens or 0):
            written += usage.thought_tokens or 0
        return max(usage.input_tokens, usage.total_tokens - written), written
    try:
        count = (response.field_meta or {})["quota"]["token_count"]
        return int(count["input_tokens"]), int(count["output_tokens"])
    except (KeyError, TypeError, ValueError):
        return None

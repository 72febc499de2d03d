"""What Codex's app-server notifies, as our events.

Pure: it knows the shapes of the wire, neither the SDK nor the process, keeps only what a later
notification needs, and passes over all it does not know. Nothing here ever raises.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bug_lsp.agents.places import Places
from bug_lsp.agents.text import clip, one_line
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

_MAX_OUTPUT = 16_000
_MAX_DETAIL = 1_000


class Translation:
    """The ear of one thread: `events` for each notification, and what they add up to."""

    def __init__(self, cwd: Path, copy: Path) -> None:
        self._places = Places(cwd, copy)
        self.usage: Usage | None = None
        self._spoken = ""
        """The message that is being streamed; a new one starts after a blank line."""
        self._streamed: set[str] = set()
        self._thought = ""
        self._called: set[str] = set()
        self._final: str | None = None
        self._other = ""
        self._handlers = {
            "item/agentMessage/delta": self._message_delta,
            "item/reasoning/summaryTextDelta": self._thinking_delta,
            "item/started": self._item_started,
            "item/completed": self._item_completed,
            "thread/tokenUsage/updated": self._token_usage,
            "error": self._error,
        }

    def begin_turn(self) -> None:
        """A new turn has its own answer."""
        self._final, self._other = None, ""

    @property
    def answer(self) -> str:
        """The turn's last message: the last one marked as final, else the last one unmarked.

        As the SDK's own `TurnResult.final_response`; a message marked as commentary is none.
        """
        return self._other if self._final is None else self._final

    def events(self, method: str, params: Mapping[str, Any]) -> list[Event]:
        """What one notification says."""
        handler = self._handlers.get(method)
        if handler is None:
            return []
        try:
            return list(handler(params))
        except (AttributeError, KeyError, TypeError, ValueError):
            return []  # another Codex, another shape: its other notifications still count

    def _message_delta(self, params: Mapping[str, Any]) -> Iterator[Event]:
        item, text = params["itemId"], params["delta"]
        if not text:
            return
        if self._spoken and item != self._spoken:
            text = "\n\n" + text
        self._spoken = item
        self._streamed.add(item)
        yield Text(text=text)

    def _thinking_delta(self, params: Mapping[str, Any]) -> Iterator[Event]:
        part = f"{params['itemId']} {params.get('summaryIndex')}"
        new = bool(self._thought) and part != self._thought
        self._thought = part
        yield Thinking(text="\n\n" + params["delta"] if new else params["delta"])

    def _item_started(self, params: Mapping[str, Any]) -> Iterator[Event]:
        item = params["item"]
        if item["type"] in _DESCRIBE:
            yield from self._call(item)

    def _call(self, item: Mapping[str, Any]) -> Iterator[Event]:
        self._called.add(item["id"])
        name, detail = _DESCRIBE[item["type"]](item)
        yield ToolCall(call_id=item["id"], name=name, detail=one_line(detail, _MAX_DETAIL))

    def _item_completed(self, params: Mapping[str, Any]) -> Iterator[Event]:
        item = params["item"]
        if item["type"] == "agentMessage":
            yield from self._message(item)
        elif item["type"] == "fileChange":
            yield from self._file_change(item)
        elif item["type"] in _DESCRIBE:
            yield from self._result(item, ok=_succeeded(item), output=_output(item))

    def _message(self, item: Mapping[str, Any]) -> Iterator[Event]:
        text = item["text"]
        if not isinstance(text, str):
            return
        if item["id"] not in self._streamed:
            yield from self._message_delta({"itemId": item["id"], "delta": text})
        if item.get("phase") == "final_answer":
            self._final = text
        elif item.get("phase") is None:
            self._other = text

    def _file_change(self, item: Mapping[str, Any]) -> Iterator[Event]:
        paths = [self._places.shown(change["path"]) for change in item["changes"]]
        if item.get("status") == "completed":
            yield from (FileEdit(path=path) for path in paths)
        else:
            detail = one_line(" ".join(paths), _MAX_DETAIL)
            yield ToolCall(call_id=item["id"], name="edit", detail=detail)
            yield ToolResult(call_id=item["id"], ok=False, output=str(item.get("status")))

    def _result(self, item: Mapping[str, Any], *, ok: bool, output: str) -> Iterator[Event]:
        if item["id"] not in self._called:
            yield from self._call(item)
        yield ToolResult(call_id=item["id"], ok=ok, output=clip(output, _MAX_OUTPUT))

    def _token_usage(self, params: Mapping[str, Any]) -> Iterator[Event]:
        total = params["tokenUsage"]["total"]
        self.usage = Usage(input_tokens=total["inputTokens"], output_tokens=total["outputTokens"])
        yield self.usage

    def _error(self, params: Mapping[str, Any]) -> Iterator[Event]:
        error = params["error"]
        details = error.get("additionalDetails")
        yield Error(message=f"{error['message']}: {details}" if details else error["message"])


def _command_line(item: Mapping[str, Any]) -> tuple[str, str]:
    """What the model asked for, without the shell that Codex wraps around it."""
    command = item["command"]
    try:
        words = shlex.split(command or "")  # without a text it would read our standard input
    except ValueError:
        words = []
    wrapped = len(words) == 3 and words[1] in {"-c", "-lc"}  # noqa: PLR2004
    return "shell", words[2] if wrapped else command


def _tool(item: Mapping[str, Any]) -> tuple[str, str]:
    arguments = item.get("arguments")
    return item["tool"], "" if arguments is None else json.dumps(arguments, ensure_ascii=False)


_DESCRIBE = {
    "commandExecution": _command_line,
    "webSearch": lambda item: ("search", item.get("query") or ""),
    "mcpToolCall": _tool,
    "dynamicToolCall": _tool,
}
"""The items that are tool calls, each with its name and detail."""


def _succeeded(item: Mapping[str, Any]) -> bool:
    if item["type"] == "commandExecution":
        return item.get("exitCode") == 0
    return item.get("status", "completed") == "completed" and not item.get("error")


def _output(item: Mapping[str, Any]) -> str:
    if item["type"] == "commandExecution":
        return item.get("aggregatedOutput") or ""
    if item.get("error"):
        return str(item["error"].get("message", ""))
    content = (item.get("result") or {}).get("content") or item.get("contentItems") or []
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))

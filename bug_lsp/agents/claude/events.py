"""What Claude says, as our events.

Pure: it knows the SDK's messages, not its client, keeps only what a later message needs, and passes
over all it does not know. Nothing here ever raises. It imports the SDK, which is slow: import it
only where Claude is about to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    RateLimitEvent,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from bug_lsp.agents.places import Places
from bug_lsp.agents.text import clip, one_line
from bug_lsp.domain.errors import AgentFailure
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

from .failures import failure_of_retry

_MAX_OUTPUT = 16_000
_MAX_DETAIL = 1_000
_MAX_ANSWER = 1_000_000

_NAMES = {
    "Bash": "shell",
    "Read": "read",
    "Grep": "search",
    "Glob": "search",
    "Edit": "edit",
    "MultiEdit": "edit",
    "Write": "edit",
    "NotebookEdit": "edit",
}
_PATHS = ("file_path", "notebook_path")
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_MODEL_INPUT = ("inputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")


class Translation:
    """The ear of one conversation: `events` for each message, and what they add up to."""

    def __init__(self, cwd: Path, copy: Path) -> None:
        self._places = Places(cwd, copy)
        self.usage: Usage | None = None
        self.error_word: str | None = None
        """What Claude called the error that its last message is about."""
        self.spent = False
        """Whether Claude said that the user's limit is reached."""
        self.hopeless: AgentFailure | None = None
        """Set when trying again, as Claude still does, cannot help."""
        self._input = self._output = 0
        self._message = ""
        """The message that is being streamed."""
        self._spoken = self._thought = ""
        """Where the last text and the last thought were heard; another place starts a paragraph."""
        self._streamed: set[str] = set()
        self._edits: dict[str, str] = {}
        """The calls that edit a file, and which, until their results are there."""
        self._busy = 0

    def events(self, message: Message) -> list[Event]:
        """What one message says."""
        try:
            return list(self._events(message))
        except (AttributeError, KeyError, TypeError, ValueError):
            return []  # another Claude, another shape: its other messages still count

    def _events(self, message: Message) -> Iterator[Event]:
        match message:
            case StreamEvent(parent_tool_use_id=None):
                yield from self._stream(message.event)
            case AssistantMessage():
                yield from self._assistant(message)
            case UserMessage(content=list()):
                for block in message.content:
                    if isinstance(block, ToolResultBlock):
                        yield from self._tool_result(block)
            case SystemMessage(subtype="api_retry"):
                yield from self._retry(message.data)
            case SystemMessage(subtype="permission_denied"):
                yield Error(message=one_line(f"{message.data['message']}", _MAX_DETAIL))
            case RateLimitEvent():
                self.spent = message.rate_limit_info.status == "rejected"
            case ResultMessage():
                yield from self._result(message)

    def _stream(self, event: Mapping[str, Any]) -> Iterator[Event]:
        self._busy = 0
        kind = event["type"]
        if kind == "message_start":
            self._message = event["message"]["id"]
            usage = event["message"]["usage"]
            self._input += sum(usage.get(name) or 0 for name in _INPUT)
        elif kind == "content_block_delta":
            delta, place = event["delta"], f"{self._message} {event['index']}"
            if delta["type"] == "text_delta":
                self._streamed.add(self._message)
                yield from self._text(place, delta["text"])
            elif delta["type"] == "thinking_delta":
                self._streamed.add(self._message)
                yield from self._thinking(place, delta["thinking"])
        elif kind == "message_delta":
            self._output += event["usage"]["output_tokens"]
            yield Usage(input_tokens=self._input, output_tokens=self._output)

    def _text(self, place: str, text: str) -> Iterator[Event]:
        if text:
            new = bool(self._spoken) and place != self._spoken
            self._spoken = place
            yield Text(text="\n\n" + text if new else text)

    def _thinking(self, place: str, text: str) -> Iterator[Event]:
        if text:
            new = bool(self._thought) and place != self._thought
            self._thought = place
            yield Thinking(text="\n\n" + text if new else text)

    def _assistant(self, message: AssistantMessage) -> Iterator[Event]:
        """A whole block, after its pieces. It counts only where these were not sent."""
        self.error_word = message.error
        if message.error:
            text = " ".join(block.text for block in message.content if isinstance(block, TextBlock))
            yield Error(message=one_line(text or message.error, _MAX_DETAIL))
            return
        said = message.message_id in self._streamed or message.parent_tool_use_id is not None
        for number, block in enumerate(message.content):
            place = f"{message.message_id or message.uuid} whole {number}"
            if isinstance(block, ToolUseBlock):
                yield self._call(block)
            elif isinstance(block, TextBlock) and not said:
                yield from self._text(place, block.text)
            elif isinstance(block, ThinkingBlock) and not said:
                yield from self._thinking(place, block.thinking)

    def _call(self, block: ToolUseBlock) -> Event:
        name = _NAMES.get(block.name, block.name)
        path = next((block.input[key] for key in _PATHS if key in block.input), None)
        if isinstance(path, str):
            detail = self._places.shown(path)
            if name == "edit":
                self._edits[block.id] = detail
        elif name == "shell":
            detail = str(block.input.get("command", ""))
        elif name == "search":
            detail = " in ".join(
                str(block.input[key]) for key in ("pattern", "path") if block.input.get(key)
            )
        else:
            detail = json.dumps(block.input, ensure_ascii=False) if block.input else ""
        return ToolCall(call_id=block.id, name=name, detail=one_line(detail, _MAX_DETAIL))

    def _tool_result(self, block: ToolResultBlock) -> Iterator[Event]:
        ok = not block.is_error
        path = self._edits.pop(block.tool_use_id, None)
        output = clip(_output(block), _MAX_OUTPUT)
        yield ToolResult(call_id=block.tool_use_id, ok=ok, output=output)
        if ok and path is not None:
            yield FileEdit(path=path)

    def _retry(self, retry: Mapping[str, Any]) -> Iterator[Event]:
        self._busy += 1
        self.hopeless = failure_of_retry(retry, self._busy)
        why = [str(retry[key]) for key in ("error_status", "error") if retry.get(key)]
        times = f"{retry.get('attempt', '?')} of {retry.get('max_retries', '?')}"
        yield Error(message=f"Trying again, {times}: {' '.join(why) or 'unknown'}")

    def _result(self, message: ResultMessage) -> Iterator[Event]:
        """The end of a turn; its numbers are those of the whole conversation."""
        models = (message.model_usage or {}).values()
        if not models:
            return
        guessed = any(model.get("costBasis") == "unknown" for model in models)
        self.usage = Usage(
            input_tokens=sum(_count(model, name) for model in models for name in _MODEL_INPUT),
            output_tokens=sum(_count(model, "outputTokens") for model in models),
            cost_usd=None if guessed else message.total_cost_usd,
        )
        yield self.usage


def answer(message: ResultMessage) -> str:
    """The turn's last message. Of one that nobody could read, both ends."""
    # The SDK passes on whatever it is.
    return clip(message.result, _MAX_ANSWER) if isinstance(message.result, str) else ""


def _count(numbers: Mapping[str, Any], name: str) -> int:
    return int(numbers.get(name) or 0)


def _output(block: ToolResultBlock) -> str:
    if isinstance(block.content, str):
        return block.content
    return "\n".join(
        part["text"] for part in block.content or [] if isinstance(part.get("text"), str)
    )

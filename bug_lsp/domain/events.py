"""What an agent did, normalised: one closed union, whatever the vendor calls it.

Adapters emit these; the session process numbers them and appends each as one line of
`events.jsonl`. Text and thinking are deltas: join neighbours to get the whole.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .model import StoredValue


class Text(StoredValue):
    """A piece of the agent's answer, as it arrives."""

    type: Literal["text"] = "text"
    text: str


class Thinking(StoredValue):
    """A piece of the agent's reasoning, as far as it shows it."""

    type: Literal["thinking"] = "thinking"
    text: str


class ToolCall(StoredValue):
    """The agent starts to do something: run a command, read a file, search."""

    type: Literal["toolCall"] = "toolCall"
    call_id: str
    name: str
    """What is done, in one word: `shell`, `read`, `search`, `test`, ..."""
    detail: str = ""
    """The command line, path or pattern, one line."""


class ToolResult(StoredValue):
    """What came of a tool call."""

    type: Literal["toolResult"] = "toolResult"
    call_id: str
    ok: bool
    output: str = ""


class FileEdit(StoredValue):
    """The agent changed a file in its copy. The path is relative to the copy."""

    type: Literal["fileEdit"] = "fileEdit"
    path: str


class Activity(StoredValue):
    """What the agent is doing now, for progress only; it leaves no trace in the transcript."""

    type: Literal["activity"] = "activity"
    text: str
    percentage: int | None = Field(default=None, ge=0, le=100)


class TokenUsage(StoredValue):
    """Tokens a session used so far, in all; the cost in US dollars is None where it is unknown."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None = None


class Usage(TokenUsage):
    """The agent says how many tokens it has used."""

    type: Literal["usage"] = "usage"


class Confined(StoredValue):
    """What holds the agent to its copy; nothing does where `by` is None."""

    type: Literal["confined"] = "confined"
    by: str | None
    problem: str = ""
    """Why nothing does, as a clause."""


class Copied(StoredValue):
    """What the session's copy of the code holds and what is run in it, a sentence each."""

    type: Literal["copy"] = "copy"
    notes: tuple[str, ...]


class Said(StoredValue):
    """The user said something to the agent while it worked."""

    type: Literal["said"] = "said"
    text: str


class Error(StoredValue):
    """Something went wrong on the way; the session may still succeed."""

    type: Literal["error"] = "error"
    message: str


Event = (
    Text
    | Thinking
    | ToolCall
    | ToolResult
    | FileEdit
    | Activity
    | Usage
    | Confined
    | Copied
    | Said
    | Error
)


class Record(StoredValue):
    """One line of `events.jsonl`. The counters make the last line enough to show progress."""

    seq: int
    at: float
    """Seconds since the session started (monotonic)."""
    tool_calls: int
    """How many tool calls there have been, this one included."""
    usage: TokenUsage | None = None
    """What has been used up to here, where the agent has said."""
    event: Annotated[Event, Field(discriminator="type")]
    doing: str = ""
    """What the session does besides, where the event does not tell: one about its usage."""

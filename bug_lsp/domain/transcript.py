"""A session as Markdown: the text that is shown live and kept as `output.md`, and the shorter
text that the orchestrator reads.
"""

from __future__ import annotations

import re

from .budget import clip
from .events import (
    Activity,
    Confined,
    Copied,
    Error,
    Event,
    FileEdit,
    Record,
    Said,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from .inert import Inert, inert
from .run import Session, Status

RESULT_SHOWN = 2_000
"""Characters of a tool's output that the transcript shows."""
FAILURE_TOLD = 300
"""Characters of a failed tool's output that the orchestrator is told."""
STATUS_WIDTH = 240
"""Bytes kept free at the top of `output.md`, so that its status can be written in place."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Untrusted text without terminal escapes and control characters, and encodable as UTF-8."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, limit: int = 120) -> str:
    """Untrusted text as one short line."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def code(text: str) -> str:
    """Untrusted text as inline code that it cannot leave."""
    # What stands before it may hold a backtick, and would then end where this begins: so it is
    # inert too.
    return code_of_prose(inert(one_line(text, 200)))


def code_of_prose(text: str) -> str:
    """The same, as it is, for paragraphs that are made inert as a whole (`inert_prose`)."""
    # MODIFIER LETTER GRAVE ACCENT looks like a backtick and ends no code.
    return f"`{one_line(text, 200).replace('`', chr(0x2CB))}`" if text else ""


def fenced(text: str, info: str = "") -> str:
    """Untrusted text in a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}\n"


class Transcript:
    """Turns events into Markdown, piece by piece; knows only what kind of text it is in. Nothing of
    an agent's is active in it, not even what would be code: a fence that somebody left open, or
    that a window on a long document cuts, would make it something else.
    """

    def __init__(self) -> None:
        self._inside: str = ""
        self._pieces = Inert()

    def add(self, event: Event) -> str:
        """What this event adds to `output.md`; "" for nothing."""
        match event:
            case Text(text=text):
                return self._enter("text") + self._pieces.add(clean(text))
            case Thinking(text=text):
                lead = self._enter("thinking")
                shown = self._pieces.add(clean(text)).replace("\n", "\n> ")
                return (lead + "> " if lead or not self._inside else "") + shown
            case ToolCall(name=name, detail=detail):
                return self._enter("tools") + f"- **{inert(one_line(name, 40))}** {code(detail)}\n"
            case ToolResult(ok=ok, output=output):
                return self._result(ok=ok, output=clean(output))
            case FileEdit(path=path):
                return self._enter("tools") + f"- **edited** {code(path)}\n"
            case Confined() | Copied():
                lines = "".join(f"- {line}\n" for line in _facts_of_the_copy(event))
                return self._enter("tools") + lines if lines else ""
            case Said(text=text):
                quoted = inert(clean(text).strip()).replace("\n", "\n> ")
                return self._enter("said") + f"> **you:** {quoted}\n"
            case Error(message=message):
                return self._enter("error") + f"- **problem** {inert(one_line(message, 500))}\n"
            case Activity() | Usage():
                return ""

    def _enter(self, kind: str) -> str:
        before, self._inside = self._inside, kind
        if before != kind:
            self._pieces = Inert()
        return "" if before == kind else ("\n\n" if before else "\n")

    def _result(self, *, ok: bool, output: str) -> str:
        if not output.strip():
            return "" if ok else self._enter("tools") + "  failed\n"
        self._inside = "result"
        shown = fenced(inert(clip(output, RESULT_SHOWN)), "text")
        indented = "".join(f"  {line}\n" for line in shown.splitlines())
        return f"\n{indented}" if ok else f"  failed:\n\n{indented}"


def _facts_of_the_copy(event: Confined | Copied) -> list[str]:
    if isinstance(event, Confined):
        return [_confined(event.by, event.problem)]
    return [f"**copy** {inert(one_line(note, 500))}" for note in event.notes]


def _confined(by: str | None, problem: str) -> str:
    if by is not None:
        return f"**confined** to its copy by {one_line(by)}"
    return f"**not confined** to its copy: {inert(one_line(problem, 300))}"


def told(event: Event) -> str:
    """What the orchestrator is told of an event: the agent's words, its steps in a line each."""
    match event:
        case Text(text=text):
            return clean(text)
        case ToolCall(name=name, detail=detail):
            return f"\n[{one_line(name, 40)}] {one_line(detail, 200)}\n"
        case ToolResult(ok=False, output=output):
            return f"\n[failed] {one_line(output[-FAILURE_TOLD:], FAILURE_TOLD)}\n"
        case FileEdit(path=path):
            return f"\n[edited] {one_line(path, 200)}\n"
        case Said(text=text):
            return f"\n[the user says] {one_line(text, FAILURE_TOLD)}\n"
        case Error(message=message):
            return f"\n[problem] {one_line(message, FAILURE_TOLD)}\n"
        case _:
            return ""


def activity(record: Record) -> str:
    """What a session is doing now, from the last thing it did."""
    match record.event:
        case Text():
            return "writing"
        case Thinking():
            return "thinking"
        case ToolCall(name=name, detail=detail):
            return one_line(f"{name} {detail}", 80).strip()
        case ToolResult():
            return "reading the result"
        case FileEdit(path=path):
            return one_line(f"editing {path}", 80)
        case Activity(text=text):
            return one_line(text, 80)
        case Usage() | Confined() | Copied():
            return record.doing or "working"
        case Said():
            return "reading what you said"
        case Error(message=message):
            return one_line(message, 80)


def duration(seconds: float) -> str:
    """A length of time for people: `0.4s`, `12s`, `2m 3s`, `1h 4m`."""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds tenths are worth showing
        return f"{max(0.0, seconds):.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"


def outcome(session: Session) -> str:
    """How a session ended, in one line."""
    took = ""
    if session.started_at and session.ended_at:
        took = duration((session.ended_at - session.started_at).total_seconds())
    if session.status is Status.FAILED and session.failure:
        return f"failed: {session.failure.message}"
    word = str(session.status)
    if not took:
        return word
    return f"{word} {'in' if session.status is Status.COMPLETED else 'after'} {took}"


def status_line(session: Session, tool_calls: int, elapsed: float | None) -> str:
    """The line a live document opens with."""
    agent = session.agent_type + (f" ({session.model})" if session.model else "")
    parts = [f"**{session.status}**", inert(one_line(agent, 80))]
    if elapsed is not None:
        parts.append(duration(elapsed))
    parts.append(f"{tool_calls} tool call{'' if tool_calls == 1 else 's'}")
    if session.status is Status.RUNNING and session.activity:
        parts.append(inert(one_line(session.activity, 80)))
    return "> " + " · ".join(parts)


def padded_status(line: str) -> bytes:
    """The status line at its fixed width, to be written over the one in `output.md`."""
    data = line.encode()[: STATUS_WIDTH - 1].decode(errors="ignore").encode()
    return data.ljust(STATUS_WIDTH - 1) + b"\n"

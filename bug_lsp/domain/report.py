"""What agents are asked to hand in: findings, and the orchestrator's synthesis.

Both come as the last fenced JSON block of an answer. `parse_report` and `parse_synthesis` read it;
`report_schema` and `synthesis_schema` are what the prompts and `docs/schemas/` publish.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic.json_schema import SkipJsonSchema

from .model import StoredValue
from .region import FENCE

_T = TypeVar("_T", bound=StoredValue)
_WORDS = {"high": 0.9, "medium": 0.6, "low": 0.3}


class Basis(StrEnum):
    """What a finding rests on, strongest first."""

    PATCH = "patch"
    """A patch there makes the failing tests pass and breaks no other."""
    COMMIT = "commit"
    """A commit changed the line, and the tests fail since that commit."""
    CONDITION = "condition"
    """The failing tests pass if the branch there goes the other way."""
    COVERAGE = "coverage"
    """Failing tests execute the line more than passing ones do."""
    TRACE = "trace"
    """The line is in the traceback of a failing test."""
    WORDS = "words"
    """The task names what the line defines or calls."""
    STATEMENT = "statement"
    """An agent says so."""


class Finding(StoredValue):
    """A claim about one line of the code, with the verbatim text of that line as its anchor."""

    claim: str = Field(min_length=1, description="What is wrong at this line, one sentence.")
    path: str = Field(min_length=1, description="File, relative to the root of the project.")
    line: int = Field(ge=1, description="Line number in that file, counted from 1.")
    quote: str = Field(description="The text of that line, verbatim.")
    confidence: float = Field(default=0.5, ge=0, le=1, description="0 (a guess) to 1 (certain).")
    # Set by the agents that measure; what a model says of itself does not count.
    basis: SkipJsonSchema[Basis] = Basis.STATEMENT
    measurement: SkipJsonSchema[str] = ""
    """What was measured, such as `tests` or `history`: findings with the same one are one voice."""

    @field_validator("confidence", mode="before")
    @classmethod
    def _word_to_number(cls, value: Any) -> Any:
        return _WORDS.get(value.strip().lower(), value) if isinstance(value, str) else value


class Report(StoredValue):
    """What a debug session hands in."""

    root_cause: str = Field(default="", description="Why the bug happens, in a few sentences.")
    findings: tuple[Finding, ...] = Field(description="The evidence, most certain first.")
    fix: str = Field(default="", description="What to change, in a few sentences.")
    verification: str = Field(default="", description="How the fix was checked, and the outcome.")

    def as_stated(self) -> Report:
        """Return the report of an agent whose own word is all that its findings rest on."""
        plain = {"basis": Basis.STATEMENT, "measurement": ""}
        findings = tuple(finding.model_copy(update=plain) for finding in self.findings)
        return self.model_copy(update={"findings": findings})


class SessionNote(StoredValue):
    """What the orchestrator says of one session."""

    session_id: str
    note: str = Field(description="One line: what this session found, and whether it holds.")


class Synthesis(StoredValue):
    """What the orchestrator concluded. All texts are Markdown without headings."""

    root_cause: str = Field(
        min_length=1,
        description="Why the bug happens; cite path:line, and with each sentence evidence: [E1].",
    )
    recommended_solution: str = Field(min_length=1, description="The fix to make, and why it.")
    recommended_session: str | None = Field(
        default=None, description="The session whose patch is the fix to make, if one is."
    )
    implementation_steps: tuple[str, ...] = Field(description="What to do, in order.")
    session_notes: tuple[SessionNote, ...] = Field(default=(), description="One per session.")
    conflicts: tuple[str, ...] = Field(
        default=(), description="Where sessions contradict each other and what would decide it."
    )
    findings: tuple[Finding, ...] = Field(default=(), description="The findings that hold.")


def last_json_block(answer: str) -> str | None:
    """The body of the last fenced block that could be JSON, or None."""
    block = _last_json(answer)
    return block.body if block else None


def without_last_json_block(answer: str) -> str:
    """The answer as a person reads it: without its closing JSON block."""
    block = _last_json(answer)
    return (answer[: block.start] + answer[block.end :] if block else answer).strip()


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block; offsets are those of its fences in the whole answer."""

    start: int
    end: int
    body: str


def _last_json(answer: str) -> _Block | None:
    blocks = (block for block in reversed(_blocks(answer)) if block.body.lstrip().startswith("{"))
    return next(blocks, None)


def _blocks(answer: str) -> list[_Block]:
    """The fenced blocks without a language or in JSON; one that is not closed goes to the end."""
    found: list[_Block] = []
    opened: re.Match[str] | None = None
    for match in FENCE.finditer(answer):
        if opened is None:
            opened = match
        elif match["fence"].startswith(opened["fence"]) and not match["info"].strip():
            found += _block(answer, opened, match.start(), match.end())
            opened = None
    if opened is not None:
        found += _block(answer, opened, len(answer), len(answer))
    return found


def _block(answer: str, opened: re.Match[str], body_end: int, end: int) -> list[_Block]:
    if opened["info"].strip().lower() not in {"", "json"}:
        return []
    return [_Block(opened.start(), end, answer[opened.end() : body_end].strip("\r\n") + "\n")]


def _parse(kind: type[_T], answer: str) -> _T | str:
    body = last_json_block(answer)
    if body is None:
        return "there is no fenced JSON block"
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else str(first["msg"])


def parse_report(answer: str) -> Report | str:
    """The report at the end of a debug session's answer, or one sentence saying what is wrong."""
    return _parse(Report, answer)


def parse_synthesis(answer: str) -> Synthesis | str:
    """The synthesis at the end of the orchestrator's answer, or what is wrong with it."""
    return _parse(Synthesis, answer)


def report_schema() -> dict[str, Any]:
    """The published JSON schema of a debug session's closing block."""
    return Report.model_json_schema(by_alias=True)


def synthesis_schema() -> dict[str, Any]:
    """The published JSON schema of the orchestrator's closing block."""
    return Synthesis.model_json_schema(by_alias=True)


def report_block(report: Report) -> str:
    """A report as the closing block of an answer, for the built-in agents."""
    data = report.model_dump(mode="json", by_alias=True)
    return fenced_json(json.dumps(data, indent=2, ensure_ascii=False))


def fenced_json(body: str) -> str:
    """JSON in a fence longer than any inside it."""
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}json\n{body}\n{fence}\n"

"""What went wrong with an ACP agent: its kind, and one sentence a user can act on.

Pure. The protocol has an error for a missing login and none for the rest: an agent puts the status
of its model service in the code, in the data or in the words, and all three are looked at. Nothing
here ever raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bug_lsp.agents.failing import (
    BY_STATUS,
    MAX_DETAIL,
    Vendor,
    by_words,
    message_in_json,
    settled,
)
from bug_lsp.agents.program import how_it_ended
from bug_lsp.agents.text import last_line
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .presets import AcpAgent

_AUTH_REQUIRED = -32000
_NODE_MISSING = re.compile(r"node['\u2019]?: (No such file|not found|command not found)")
_COMMAND_NOT_FOUND = 127
kind_by_text = by_words(
    (r"quota|usage limit|billing|insufficient (funds|balance|credit)", FailureKind.QUOTA),
    (r"\b401\b|unauthori[sz]ed|unauthenticated|authenticat(e|ion)", FailureKind.AUTH),
    (r"not logged in|log ?in again|api[ _-]?key|invalid (cred|token)", FailureKind.AUTH),
    (r"\b429\b|rate limit|too many requests|overloaded", FailureKind.RATE_LIMIT),
    (
        r"context (window|length|limit)|maximum context|token count exceeds|too long|too large",
        FailureKind.CONTEXT,
    ),
    (r"\b403\b|forbidden|permission denied", FailureKind.PERMISSION),
)
"""The kind that the words of an error speak of, `INTERNAL` where they speak of none."""
_BY_STOP = {
    "max_tokens": (
        FailureKind.CONTEXT,
        "{name} reached the most that its model can say: narrow the task or change model",
    ),
    "max_turn_requests": (
        FailureKind.QUOTA,
        "{name} reached its own limit of requests in a turn: raise it in its settings",
    ),
    "refusal": (
        FailureKind.NOT_APPLICABLE,
        "{name}'s model refused to go on: word the task differently or use another agent",
    ),
    "cancelled": (
        FailureKind.INTERNAL,
        "{name}'s turn was cancelled from outside: run it again",
    ),
}


def failure_of_error(agent: AcpAgent, code: int, message: str, data: Any) -> AgentFailure:
    """A JSON-RPC error as our failure."""
    text = ": ".join(dict.fromkeys(filter(None, (message_in_json(message), *_words(data)))))
    by_text = kind_by_text(f"{message} {text}")
    kind = FailureKind.AUTH if code == _AUTH_REQUIRED else BY_STATUS.get(_status(code, data) or 0)
    return failure(agent, settled(kind, by_text), text)


def failure_of_stop(agent: AcpAgent, reason: str) -> AgentFailure | None:
    """What the end of a turn says went wrong, None if nothing did."""
    if reason == "end_turn":
        return None
    kind, sentence = _BY_STOP.get(
        reason, (FailureKind.INTERNAL, "{name} ended its turn in a way that is not known")
    )
    return AgentFailure(kind, sentence.format(name=agent.name))


def failure_of_exit(agent: AcpAgent, status: int | None, stderr: str) -> AgentFailure:
    """The process ended, or closed its output (`status` None), before it was done."""
    last = last_line(stderr, MAX_DETAIL)
    program = agent.command[0]
    if status == _COMMAND_NOT_FOUND and _NODE_MISSING.search(stderr):
        return AgentFailure(
            FailureKind.NOT_INSTALLED,
            f"{agent.name} is installed, but node, which it needs, is not on PATH: install node, or"
            f" start your editor from a shell that finds it",
        )
    # One that is not logged in may say so and exit before it has said hello.
    if status and kind_by_text(last) is FailureKind.AUTH:
        return failure(agent, FailureKind.AUTH, last)
    how = "closed its output" if status is None else how_it_ended(status)
    return AgentFailure(
        FailureKind.CRASHED, f"The {program} process {how}" + (f": {last}" if last else "")
    )


def failure(agent: AcpAgent, kind: FailureKind, detail: str = "") -> AgentFailure:
    """A failure of this kind in a sentence, with what the agent says in brackets."""
    return Vendor(agent.name, agent.command[0], agent.login).failed(kind, detail)


def _status(code: int, data: Any) -> int | None:
    """The HTTP status of the model service, from the code itself or from the data."""
    if code in BY_STATUS:
        return code
    if isinstance(data, Mapping):
        for key in ("status", "statusCode", "httpStatus", "code"):
            value = data.get(key)
            if isinstance(value, int) and value in BY_STATUS:
                return value
    return None


def _words(data: Any) -> Iterator[str]:
    """What the data of an error says beyond its message."""
    if isinstance(data, str):
        yield message_in_json(data)
    elif isinstance(data, Mapping):
        for key in ("details", "message", "error", "reason"):
            if isinstance(data.get(key), str):
                yield message_in_json(data[key])

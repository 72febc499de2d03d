"""What went wrong with an ACP agent: its kind, and one sentence a user can act on.

Pure. The protocol has an error for a missing login and none for the rest: an agent puts the status
of its model service in the code, in the data or in the words, and all three are looked at. Nothing
here ever raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bug_lsp.agents.program import how_it_ended
from bug_lsp.agents.text import last_line, one_line
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .presets import AcpAgent

_AUTH_REQUIRED = -32000
_NODE_MISSING = re.compile(r"node['\u2019]?: (No such file|not found|command not found)")
_COMMAND_NOT_FOUND = 127
_BY_STATUS = {
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.PERMISSION,
    413: FailureKind.CONTEXT,
    429: FailureKind.RATE_LIMIT,
    503: FailureKind.RATE_LIMIT,
    529: FailureKind.RATE_LIMIT,
}
_BY_TEXT = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
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
)
_SENTENCE = {
    FailureKind.QUOTA: "{name}'s usage limit is reached: wait for it to renew or use another agent",
    FailureKind.RATE_LIMIT: "{name}'s model service is busy: try again in a few minutes",
    FailureKind.CONTEXT: "The work is too long for {name}'s model: narrow the task or change model",
    FailureKind.PERMISSION: "{name} was refused: check your account's access to the model",
    FailureKind.INTERNAL: "{name} failed: run it again, or `{program}` by hand to see why",
}
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
_MAX_DETAIL = 300


def failure_of_error(agent: AcpAgent, code: int, message: str, data: Any) -> AgentFailure:
    """A JSON-RPC error as our failure."""
    text = ": ".join(dict.fromkeys(filter(None, (_in_json(message), *_words(data)))))
    by_text = kind_by_text(f"{message} {text}")
    kind = FailureKind.AUTH if code == _AUTH_REQUIRED else _BY_STATUS.get(_status(code, data) or 0)
    # A spent quota comes as a 429 too, and waiting a few minutes does not help there.
    if kind is None or (kind is FailureKind.RATE_LIMIT and by_text is FailureKind.QUOTA):
        kind = by_text
    return failure(agent, kind, text)


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
    last = last_line(stderr, _MAX_DETAIL)
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
    if kind is FailureKind.AUTH:
        sentence = f"{agent.name} is not logged in: {agent.login}"
    else:
        sentence = _SENTENCE[kind].format(name=agent.name, program=agent.command[0])
    detail = one_line(detail, _MAX_DETAIL)
    return AgentFailure(kind, f"{sentence} ({detail})" if detail else sentence)


def kind_by_text(text: str) -> FailureKind:
    """The kind that the words of an error speak of, `INTERNAL` where they speak of none."""
    return next((kind for regex, kind in _BY_TEXT if regex.search(text)), FailureKind.INTERNAL)


def _status(code: int, data: Any) -> int | None:
    """The HTTP status of the model service, from the code itself or from the data."""
    if code in _BY_STATUS:
        return code
    if isinstance(data, Mapping):
        for key in ("status", "statusCode", "httpStatus", "code"):
            value = data.get(key)
            if isinstance(value, int) and value in _BY_STATUS:
                return value
    return None


def _words(data: Any) -> Iterator[str]:
    """What the data of an error says beyond its message."""
    if isinstance(data, str):
        yield _in_json(data)
    elif isinstance(data, Mapping):
        for key in ("details", "message", "error", "reason"):
            if isinstance(data.get(key), str):
                yield _in_json(data[key])


def _in_json(text: str) -> str:
    """A service's own JSON error reduced to its message."""
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, TypeError, KeyError):
        return text
    return message if isinstance(message, str) else text

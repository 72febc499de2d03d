"""What an error of Codex means: its kind, and one sentence a user can act on.

Pure. Errors are read in the shape they have on the wire (`TurnError`): the typed
`codexErrorInfo` first, the text only where that says nothing. Nothing here ever raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bug_lsp.agents.failing import (
    BY_STATUS,
    MAX_DETAIL,
    Vendor,
    by_words,
    message_in_json,
    settled,
)
from bug_lsp.agents.text import last_line
from bug_lsp.domain.errors import AgentFailure, FailureKind

_BY_INFO = {
    "contextWindowExceeded": FailureKind.CONTEXT,
    "sessionBudgetExceeded": FailureKind.QUOTA,
    "usageLimitExceeded": FailureKind.QUOTA,
    "rateLimitExceeded": FailureKind.RATE_LIMIT,
    "serverOverloaded": FailureKind.RATE_LIMIT,
    "unauthorized": FailureKind.AUTH,
    "sandboxError": FailureKind.PERMISSION,
    "tooManyDenials": FailureKind.PERMISSION,
}
_kind_by_text = by_words(
    (r"usage limit|quota|billing", FailureKind.QUOTA),
    (r"status:? 401|unauthorized|not logged in|log ?in again|api key", FailureKind.AUTH),
    (r"missing environment variable", FailureKind.AUTH),
    (r"status:? 429|rate limit|too many requests", FailureKind.RATE_LIMIT),
    (r"context window|context[ _]length|maximum context", FailureKind.CONTEXT),
    (r"status:? 403|forbidden|sandbox", FailureKind.PERMISSION),
)
_CODEX = Vendor(
    name="Codex",
    program="codex",
    login="run `codex login`",
    access="check its sandbox and your account's access",
)


def failure_of_turn(params: Mapping[str, Any]) -> AgentFailure | None:
    """What `turn/completed` says went wrong, None if nothing did."""
    turn = params.get("turn")
    turn = turn if isinstance(turn, Mapping) else {}
    if turn.get("status") == "completed":
        return None
    if turn.get("status") == "interrupted" and not turn.get("error"):
        return AgentFailure(
            FailureKind.INTERNAL, "Codex's turn was interrupted from outside: run it again"
        )
    return failure_of_error(turn.get("error"))


def failure_of_error(error: Any) -> AgentFailure:
    """A `TurnError` as our failure."""
    return _CODEX.failed(_kind(error), _text(error))


def failure_of_exception(error: Exception) -> AgentFailure:
    """What the SDK raised, or the system when Codex was started, as our failure."""
    text = str(getattr(error, "message", error))  # JSON-RPC errors put their code before it
    if isinstance(error, FileNotFoundError | PermissionError):
        return _CODEX.failed(FailureKind.NOT_INSTALLED, text)
    # By name: this module is read without the SDK. A pipe breaks where the process ends first.
    if isinstance(error, ConnectionError) or type(error).__name__ == "TransportClosedError":
        return _CODEX.crashed(last_line(text.partition("stderr_tail=")[2], MAX_DETAIL))
    return _CODEX.failed(_kind_by_text(text), text)


def is_hopeless(error: Any) -> bool:
    """Whether trying again, as Codex does for minutes, cannot help: the login is refused, or the
    usage limit is reached.
    """
    return _kind(error) in {FailureKind.AUTH, FailureKind.QUOTA}


def _kind(error: Any) -> FailureKind:
    info = error.get("codexErrorInfo") if isinstance(error, Mapping) else None
    if isinstance(info, str) and info in _BY_INFO:
        return _BY_INFO[info]
    return settled(BY_STATUS.get(_status(info) or 0), _kind_by_text(_text(error)))


def _status(info: Any) -> int | None:
    """The HTTP status in `{"httpConnectionFailed": {"httpStatusCode": 401}}` and its like."""
    if not isinstance(info, Mapping):
        return None
    for variant in info.values():
        if isinstance(variant, Mapping) and isinstance(variant.get("httpStatusCode"), int):
            return int(variant["httpStatusCode"])
    return None


def _text(error: Any) -> str:
    """All that an error says in words. A service's own JSON error is reduced to its message."""
    if not isinstance(error, Mapping):
        return ""
    parts = [
        part for key in ("message", "additionalDetails") if isinstance(part := error.get(key), str)
    ]
    if len(parts) > 1 and parts[0].startswith("Reconnecting"):
        del parts[0]  # the details say why, and nobody reconnects any more
    return ": ".join(message_in_json(part) for part in parts)

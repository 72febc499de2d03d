"""What an error of Claude means: its kind, and one sentence a user can act on.

Pure. The status of the model service and Claude's own word for the error come first, the text only
where they say nothing. Nothing here ever raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bug_lsp.agents.failing import BY_STATUS, MAX_DETAIL, Vendor, by_words, settled
from bug_lsp.agents.text import last_line
from bug_lsp.domain.errors import AgentFailure, FailureKind

if TYPE_CHECKING:
    from claude_agent_sdk import ResultMessage

_BY_WORD = {
    "authentication_failed": FailureKind.AUTH,
    "oauth_org_not_allowed": FailureKind.AUTH,
    "billing_error": FailureKind.QUOTA,
    "rate_limit": FailureKind.RATE_LIMIT,
    "overloaded": FailureKind.RATE_LIMIT,
}
_FORBIDDEN = 403
_kind_by_text = by_words(
    (r"(usage|spending|session|weekly|hit your) limit|credit balance|quota", FailureKind.QUOTA),
    (r"not logged in|/login|oauth token|invalid api key|\b401\b", FailureKind.AUTH),
    (r"prompt is too long|context window|context limit|too large", FailureKind.CONTEXT),
    (r"rate limit|\(429\)|overloaded|too many requests", FailureKind.RATE_LIMIT),
    (r"permission|\b403\b", FailureKind.PERMISSION),
)
_GONE = re.compile(r"write to (terminated )?process|not ready for writing")
"""How the SDK says that the process ended before it was asked."""
_BY_SUBTYPE = {"error_max_budget_usd": FailureKind.QUOTA}
_CLAUDE = Vendor(
    name="Claude", program="claude", login="run `claude /login` or set ANTHROPIC_API_KEY"
)
_HOPELESS = {FailureKind.AUTH, FailureKind.QUOTA, FailureKind.PERMISSION, FailureKind.CONTEXT}
_MAX_BUSY = 4
"""How often in a row the service may say that it is busy: Claude would go on for minutes."""


def failure_of_result(
    result: ResultMessage, word: str | None = None, *, spent: bool = False
) -> AgentFailure | None:
    """What the end of a turn says went wrong, None if nothing did.

    Claude reports a failed request as `subtype: success` with `is_error`. `word` is how it called
    the error in the turn's last message, `spent` whether it said that the usage limit is reached.
    """
    if result.subtype == "success" and result.is_error is False:
        return None
    text = ": ".join(filter(None, [*(result.errors or []), result.result or ""]))
    kind = _BY_SUBTYPE.get(result.subtype) or _kind(result.api_error_status, word, text)
    if spent and kind is FailureKind.RATE_LIMIT:
        kind = FailureKind.QUOTA
    return _CLAUDE.failed(kind, text or result.subtype)


def failure_of_retry(retry: Mapping[str, Any], busy: int) -> AgentFailure | None:
    """Whether trying again, as Claude does for minutes, is to be stopped, and as what.

    `retry` is a `system` message `api_retry`, `busy` how many there were in a row.
    """
    word, status = retry.get("error"), retry.get("error_status")
    kind = _kind(status, word, "")
    if kind in _HOPELESS or (kind is FailureKind.RATE_LIMIT and busy >= _MAX_BUSY):
        return _CLAUDE.failed(kind, f"{status} {word}" if status else str(word))
    return None


def failure_of_exception(error: Exception, stderr: str = "") -> AgentFailure:
    """What the SDK raised as our failure. `stderr` is the end of what Claude wrote there."""
    from claude_agent_sdk import CLINotFoundError, ProcessError

    text = str(error)
    if isinstance(error, CLINotFoundError) or isinstance(error.__cause__, PermissionError):
        return _CLAUDE.failed(FailureKind.NOT_INSTALLED, text)
    if isinstance(error, ProcessError | ConnectionError) or _GONE.search(text):
        code = getattr(error, "exit_code", None)
        return crashed(last_line(stderr, MAX_DETAIL) or (f"exit code {code}" if code else ""))
    return _CLAUDE.failed(_kind(None, None, text), text)


def crashed(detail: str) -> AgentFailure:
    """The process ended in a way that is no answer."""
    return _CLAUDE.crashed(detail)


def _kind(status: Any, word: Any, text: str) -> FailureKind:
    by_text = _kind_by_text(text)
    if status == _FORBIDDEN:  # Claude calls every 403 a failed login; often it is the account
        return FailureKind.AUTH if by_text is FailureKind.AUTH else FailureKind.PERMISSION
    kind = BY_STATUS.get(status) if isinstance(status, int) else None
    return settled(kind or (_BY_WORD.get(word) if isinstance(word, str) else None), by_text)

"""What Claude's errors mean."""

from __future__ import annotations

from typing import Any

import pytest
from claude_agent_sdk import (
    CLIConnectionError,
    CLIJSONDecodeError,
    CLINotFoundError,
    ProcessError,
    ResultMessage,
)

from bug_lsp.agents.claude.failures import (
    failure_of_exception,
    failure_of_result,
    failure_of_retry,
)
from bug_lsp.domain.errors import AgentFailure, FailureKind


def ended(
    text: str | None = None,
    status: int | None = None,
    *,
    error: bool = True,
    subtype: str = "success",
    errors: list[str] | None = None,
) -> ResultMessage:
    return ResultMessage(
        subtype, 1, 1, error, 1, "s", result=text, api_error_status=status, errors=errors
    )


def failed(result: ResultMessage, word: str | None = None, **more: Any) -> AgentFailure:
    failure = failure_of_result(result, word, **more)
    assert failure is not None
    return failure


def test_an_end_without_an_error_is_no_failure() -> None:
    assert failure_of_result(ended("It is line 2.", error=False)) is None


@pytest.mark.parametrize(
    ("status", "word", "text", "kind"),
    [
        (None, "authentication_failed", "Not logged in · Please run /login", FailureKind.AUTH),
        (401, "authentication_failed", "Failed to authenticate.", FailureKind.AUTH),
        (403, "authentication_failed", "API Error: 403 forbidden", FailureKind.PERMISSION),
        (403, "authentication_failed", "OAuth token has been revoked", FailureKind.AUTH),
        (400, "billing_error", "Credit balance is too low", FailureKind.QUOTA),
        (429, "rate_limit", "API Error: Request rejected (429)", FailureKind.RATE_LIMIT),
        (429, "rate_limit", "You've hit your limit · resets 3pm", FailureKind.QUOTA),
        (429, "rate_limit", "Claude usage limit reached", FailureKind.QUOTA),
        (529, "server_error", "API Error: 529 overloaded", FailureKind.RATE_LIMIT),
        (400, "invalid_request", "Prompt is too long", FailureKind.CONTEXT),
        (413, "invalid_request", "Request too large", FailureKind.CONTEXT),
        (500, "server_error", "API Error: 500", FailureKind.INTERNAL),
        (404, "model_not_found", "There's an issue with the model", FailureKind.INTERNAL),
        (None, None, "", FailureKind.INTERNAL),
        (None, "of_tomorrow", "who knows", FailureKind.INTERNAL),
    ],
)
def test_the_status_and_the_word_count_first_and_the_text_last(
    status: int | None, word: str | None, text: str, kind: FailureKind
) -> None:
    assert failed(ended(text, status), word).kind is kind


def test_a_busy_service_whose_limit_is_spent_is_a_spent_quota() -> None:
    assert failed(ended("rejected", 429), "rate_limit", spent=True).kind is FailureKind.QUOTA


def test_an_end_before_the_end_of_the_work_is_a_failure_that_says_why() -> None:
    failure = failed(ended(subtype="error_during_execution", errors=["Interrupted."], error=False))
    assert failure.kind is FailureKind.INTERNAL
    assert failure.message.endswith("(Interrupted.)")
    assert "error_max_turns" in failed(ended(subtype="error_max_turns")).message
    assert failed(ended(subtype="error_max_budget_usd")).kind is FailureKind.QUOTA


def test_the_sentence_says_what_to_do_and_why_on_one_short_line() -> None:
    message = failed(ended("401\nUnauthorized" * 100, 401)).message
    assert message.startswith("Claude is not logged in: run `claude /login`")
    assert "(401 Unauthorized" in message
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize("retry", [{}, {"error": [], "error_status": {}}, {"error_status": "401"}])
def test_a_retry_of_no_known_shape_goes_on(retry: dict[str, Any]) -> None:
    assert failure_of_retry(retry, busy=99) is None


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (401, "authentication_failed", FailureKind.AUTH),
        (None, "billing_error", FailureKind.QUOTA),
        (403, "unknown", FailureKind.PERMISSION),
    ],
)
def test_what_trying_again_cannot_change_is_given_up_at_once(
    status: int | None, word: str, kind: FailureKind
) -> None:
    failure = failure_of_retry({"error": word, "error_status": status}, busy=1)
    assert failure is not None
    assert failure.kind is kind


def test_a_process_that_ended_is_a_crash_with_its_last_words() -> None:
    error = ProcessError("Command failed", exit_code=-9)
    words = "starting\n\x1b[31mpanic: out of memory\x1b[0m\n"
    message = failure_of_exception(error, words).message
    assert message == "The claude process ended unexpectedly: panic: out of memory"
    assert failure_of_exception(error).message.endswith("exit code -9")
    for before_it_was_asked in (
        CLIConnectionError("Cannot write to terminated process (exit code: 1)"),
        CLIConnectionError("Failed to write to process stdin: "),
        CLIConnectionError("ProcessTransport is not ready for writing"),
        BrokenPipeError(),
    ):
        assert failure_of_exception(before_it_was_asked).kind is FailureKind.CRASHED


def test_what_keeps_the_sdk_from_working_with_it_is_said() -> None:
    failure = failure_of_exception(CLIConnectionError("Update Claude Code if it is old."))
    assert failure.kind is FailureKind.INTERNAL
    assert failure.message.endswith("(Update Claude Code if it is old.)")


def test_a_program_that_cannot_be_started_is_not_installed() -> None:
    failure = failure_of_exception(CLINotFoundError("Claude Code not found at: /x/claude"))
    assert failure.kind is FailureKind.NOT_INSTALLED
    assert "/x/claude" in failure.message
    error = CLIConnectionError("Failed to start Claude Code")
    error.__cause__ = PermissionError(13, "Permission denied")
    assert failure_of_exception(error).kind is FailureKind.NOT_INSTALLED


def test_what_cannot_be_read_is_a_failure() -> None:
    failure = failure_of_exception(CLIJSONDecodeError("{nonsense", ValueError("no")))
    assert failure.kind is FailureKind.INTERNAL
    assert "{nonsense" in failure.message

"""What Codex's errors mean."""

from __future__ import annotations

from typing import Any

import pytest

from bug_lsp.agents.codex.failures import (
    failure_of_error,
    failure_of_exception,
    failure_of_turn,
    is_hopeless,
)
from bug_lsp.domain.errors import FailureKind


def http(variant: str, status: int | None) -> dict[str, Any]:
    return {variant: {"httpStatusCode": status}}


@pytest.mark.parametrize(
    ("info", "message", "kind"),
    [
        ("unauthorized", "", FailureKind.AUTH),
        (http("responseStreamDisconnected", 401), "", FailureKind.AUTH),
        ("usageLimitExceeded", "", FailureKind.QUOTA),
        (http("responseTooManyFailedAttempts", 429), "", FailureKind.RATE_LIMIT),
        (http("httpConnectionFailed", 429), "You exceeded your quota", FailureKind.QUOTA),
        ("contextWindowExceeded", "", FailureKind.CONTEXT),
        ("sandboxError", "", FailureKind.PERMISSION),
        (http("httpConnectionFailed", 403), "", FailureKind.PERMISSION),
        ("other", "unexpected status 401 Unauthorized", FailureKind.AUTH),
        ("other", "Missing environment variable: `MY_KEY`.", FailureKind.AUTH),
        (None, "429 Too Many Requests", FailureKind.RATE_LIMIT),
        (None, "input exceeds the context window", FailureKind.CONTEXT),
        ("of tomorrow", "", FailureKind.INTERNAL),
        (http("httpConnectionFailed", None), "refused", FailureKind.INTERNAL),
        ({"of tomorrow": 7}, "", FailureKind.INTERNAL),
    ],
)
def test_the_typed_kind_counts_first_and_the_text_second(
    info: Any, message: str, kind: FailureKind
) -> None:
    assert failure_of_error({"message": message, "codexErrorInfo": info}).kind is kind


@pytest.mark.parametrize("error", [None, "text", 3, [], {}])
def test_an_error_of_no_known_shape_is_a_failure_all_the_same(error: Any) -> None:
    assert failure_of_error(error).kind is FailureKind.INTERNAL
    assert not is_hopeless(error)


def test_the_sentence_says_what_to_do_and_why_on_one_short_line() -> None:
    error = {"message": "Reconnecting... 1/5", "additionalDetails": "401\nUnauthorized" * 100}
    failed = failure_of_error(error)
    assert failed.message.startswith("Codex is not logged in: run `codex login` (401 Unauth")
    assert "\n" not in failed.message
    assert len(failed.message) < 400


def test_of_a_json_error_its_message_is_shown() -> None:
    failed = failure_of_error({"message": '{"error": {"message": "No such model.", "code": 1}}'})
    assert failed.message.endswith("(No such model.)")


def test_only_a_refused_login_is_hopeless() -> None:
    assert is_hopeless({"message": "", "codexErrorInfo": "unauthorized"})
    assert not is_hopeless({"message": "500", "codexErrorInfo": "internalServerError"})


def test_a_completed_turn_is_no_failure() -> None:
    assert failure_of_turn({"turn": {"status": "completed", "error": None}}) is None


@pytest.mark.parametrize("params", [{}, {"turn": None}, {"turn": {"status": "of tomorrow"}}])
def test_a_turn_that_does_not_say_completed_is_a_failure(params: dict[str, Any]) -> None:
    failed = failure_of_turn(params)
    assert failed is not None
    assert failed.kind is FailureKind.INTERNAL


def test_a_turn_that_somebody_interrupted_says_so() -> None:
    failed = failure_of_turn({"turn": {"status": "interrupted", "error": None}})
    assert failed is not None
    assert "interrupted" in failed.message


class TransportClosedError(Exception):
    """Has the name of the SDK's."""


def test_a_process_that_ended_is_a_crash_with_its_last_words() -> None:
    text = "Codex process closed stdout. stderr_tail=starting\n\x1b[31mthread panicked\x1b[0m\n"
    failed = failure_of_exception(TransportClosedError(text))
    assert failed.kind is FailureKind.CRASHED
    assert failed.message == "The codex process ended unexpectedly: thread panicked"
    assert failure_of_exception(BrokenPipeError()).kind is FailureKind.CRASHED


def test_a_program_that_cannot_be_started_is_not_installed() -> None:
    failed = failure_of_exception(FileNotFoundError(2, "No such file", "/x/codex"))
    assert failed.kind is FailureKind.NOT_INSTALLED
    assert "/x/codex" in failed.message

"""What the errors of ACP agents mean."""

from __future__ import annotations

import json

import pytest

from bug_lsp.agents.acp.failures import (
    failure_of_error,
    failure_of_exit,
    failure_of_stop,
)
from bug_lsp.agents.acp.presets import PRESETS
from bug_lsp.domain.errors import FailureKind

GEMINI = PRESETS["gemini"]


@pytest.mark.parametrize(
    ("code", "message", "data", "kind"),
    [
        (-32000, "Authentication required", None, FailureKind.AUTH),
        (401, json.dumps({"error": {"message": "wrong"}}), None, FailureKind.AUTH),
        (-32603, "Internal error", {"details": "API key not valid"}, FailureKind.AUTH),
        (-32603, "Internal error: Scripted: invalid credentials", {}, FailureKind.AUTH),
        (-32603, "Internal error", {"statusCode": 401}, FailureKind.AUTH),
        (429, "Too many requests", None, FailureKind.RATE_LIMIT),
        (429, "You exceeded your current quota", None, FailureKind.QUOTA),
        (-32603, "Internal error", {"status": 429}, FailureKind.RATE_LIMIT),
        (400, "The input token count exceeds the maximum", None, FailureKind.CONTEXT),
        (403, "no", None, FailureKind.PERMISSION),
        (500, "Incomplete JSON segment at the end", None, FailureKind.INTERNAL),
        (-32603, "", ["a list"], FailureKind.INTERNAL),
    ],
)
def test_an_error_has_its_kind_in_the_code_the_data_or_the_words(
    code: int, message: str, data: object, kind: FailureKind
) -> None:
    assert failure_of_error(GEMINI, code, message, data).kind is kind


def test_the_sentence_says_what_to_do_and_the_services_own_json_is_left_out() -> None:
    message = json.dumps({"error": {"code": 401, "message": "wrong\nkey"}})
    assert failure_of_error(GEMINI, 401, message, None).message == (
        "Gemini is not logged in: run `gemini` once and log in, or set GEMINI_API_KEY (wrong key)"
    )


def test_only_the_end_of_a_turn_is_success() -> None:
    assert failure_of_stop(GEMINI, "end_turn") is None
    for reason in ("max_tokens", "max_turn_requests", "refusal", "cancelled", "of the future"):
        assert failure_of_stop(GEMINI, reason) is not None


@pytest.mark.parametrize(
    ("status", "stderr", "kind", "words"),
    [
        (127, "/usr/bin/env: ‘node’: No such file", FailureKind.NOT_INSTALLED, "node, which"),  # noqa: RUF001
        (127, "env: node: No such file or directory", FailureKind.NOT_INSTALLED, "node, which"),
        (41, "Please set an API key", FailureKind.AUTH, "(Please set an API key)"),
        (-9, "", FailureKind.CRASHED, "The gemini process was ended by SIGKILL"),
        (1, "a\nb\n", FailureKind.CRASHED, "The gemini process exited with 1: b"),
        (None, "", FailureKind.CRASHED, "The gemini process closed its output"),
    ],
)
def test_a_process_that_ended_too_soon_says_why(
    status: int | None, stderr: str, kind: FailureKind, words: str
) -> None:
    failure = failure_of_exit(GEMINI, status, stderr)
    assert failure.kind is kind
    assert words in failure.message

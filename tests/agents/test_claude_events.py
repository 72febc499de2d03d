"""What Claude's messages become. The shapes are those that Claude 2.1.330 was seen to send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    RateLimitEvent,
    RateLimitInfo,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from bug_lsp.agents.claude.events import Translation, answer
from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.events import (
    Error,
    Event,
    FileEdit,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)


@pytest.fixture
def heard(tmp_path: Path) -> Translation:
    return Translation(tmp_path / "package", tmp_path)


def stream(heard: Translation, kind: str, parent: str | None = None, **event: Any) -> list[Event]:
    message = StreamEvent("u", "s", {"type": kind, **event}, parent_tool_use_id=parent)
    return heard.events(message)


def begin(heard: Translation, message: str, **usage: int) -> None:
    stream(heard, "message_start", message={"id": message, "usage": usage})


def delta(heard: Translation, text: str, kind: str = "text", index: int = 0) -> list[Event]:
    return stream(
        heard, "content_block_delta", index=index, delta={"type": f"{kind}_delta", kind: text}
    )


def whole(heard: Translation, *blocks: Any, message: str = "m", **more: Any) -> list[Event]:
    return heard.events(AssistantMessage(list(blocks), "model", message_id=message, **more))


def call(heard: Translation, name: str, **arguments: Any) -> ToolCall:
    (event,) = whole(heard, ToolUseBlock("t", name, arguments))
    assert isinstance(event, ToolCall)
    return event


def result(heard: Translation, content: Any, *, failed: bool | None = None) -> list[Event]:
    return heard.events(UserMessage([ToolResultBlock("t", content, failed)]))


def retry(heard: Translation, status: int | None, error: str) -> list[Event]:
    data = {"attempt": 1, "max_retries": 10, "error_status": status, "error": error}
    return heard.events(SystemMessage("api_retry", data))


def ended(**more: Any) -> ResultMessage:
    times = {"duration_ms": 1, "duration_api_ms": 1, "num_turns": 1}
    return ResultMessage("success", is_error=False, session_id="s", **times, **more)


def end(heard: Translation, cost: float, **model: Any) -> list[Event]:
    return heard.events(ended(total_cost_usd=cost, model_usage={"model": model}))


def test_pieces_of_one_message_join_and_the_next_follows_a_blank_line(heard: Translation) -> None:
    events = []
    for message, pieces in (("a", ["It is ", "here."]), ("b", ["Or ", "there."])):
        begin(heard, message)
        events += [event for piece in pieces for event in delta(heard, piece)]
    assert "".join(event.text for event in events) == "It is here.\n\nOr there."


def test_what_was_streamed_is_not_said_twice(heard: Translation) -> None:
    begin(heard, "m")
    assert delta(heard, "Hm.", "thinking") == [Thinking(text="Hm.")]
    assert whole(heard, ThinkingBlock("Hm.", "")) == []
    assert delta(heard, "Here.", index=1) == [Text(text="Here.")]
    assert whole(heard, TextBlock("Here.")) == []


def test_what_was_not_streamed_is_said_when_it_is_complete(heard: Translation) -> None:
    assert whole(heard, ThinkingBlock("Hm.", "")) == [Thinking(text="Hm.")]
    assert whole(heard, TextBlock("Here.")) == [Text(text="Here.")]


def test_parts_of_a_thought_are_set_apart(heard: Translation) -> None:
    begin(heard, "m")
    pieces = [(0, "Look"), (0, "ing."), (1, "Found.")]
    events = [event for index, text in pieces for event in delta(heard, text, "thinking", index)]
    assert events == [Thinking(text="Look"), Thinking(text="ing."), Thinking(text="\n\nFound.")]


def test_what_an_agent_of_the_agent_says_is_not_its_answer(heard: Translation) -> None:
    event = {"index": 0, "delta": {"type": "text_delta", "text": "I am another."}}
    assert stream(heard, "content_block_delta", parent="task", **event) == []
    assert whole(heard, TextBlock("I am another."), parent_tool_use_id="task") == []


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        ("Bash", {"command": "pytest -q  tests\ncat log"}, ("shell", "pytest -q tests cat log")),
        ("Grep", {"pattern": "add(", "path": "src"}, ("search", "add( in src")),
        ("Glob", {"pattern": "**/*.py"}, ("search", "**/*.py")),
        ("Read", {"file_path": "/etc/hosts"}, ("read", "/etc/hosts")),
        ("Read", {"file_path": "calc.py"}, ("read", "package/calc.py")),
        ("Edit", {"file_path": "../setup.py"}, ("edit", "setup.py")),
        ("NotebookEdit", {"notebook_path": "a.ipynb"}, ("edit", "package/a.ipynb")),
        ("OfTomorrow", {"sql": "select 1"}, ("OfTomorrow", '{"sql": "select 1"}')),
        ("OfTomorrow", {}, ("OfTomorrow", "")),
    ],
)
def test_a_call_has_our_name_and_one_line_of_detail(
    heard: Translation, name: str, arguments: dict[str, Any], shown: tuple[str, str]
) -> None:
    event = call(heard, name, **arguments)
    assert (event.call_id, event.name, event.detail) == ("t", *shown)


@pytest.mark.parametrize(("failed", "ok"), [(None, True), (False, True), (True, False)])
def test_a_result_is_ok_unless_it_is_called_an_error(
    heard: Translation, failed: bool | None, ok: bool
) -> None:
    call(heard, "Bash", command="pytest")
    assert result(heard, "1 passed", failed=failed) == [
        ToolResult(call_id="t", ok=ok, output="1 passed")
    ]


def test_the_texts_of_a_result_in_parts_are_joined(heard: Translation) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    assert result(heard, parts) == [ToolResult(call_id="t", ok=True, output="a\nb")]
    assert result(heard, None) == [ToolResult(call_id="t", ok=True, output="")]


def test_of_a_long_output_both_ends_are_kept(heard: Translation) -> None:
    (event,) = result(heard, "start" + "x" * 1_000_000 + "end")
    assert isinstance(event, ToolResult)
    assert event.output.startswith("start")
    assert event.output.endswith("end")
    assert "984008 characters left out" in event.output
    assert len(event.output) < 16_100


def test_a_file_is_edited_once_its_edit_has_succeeded(heard: Translation, tmp_path: Path) -> None:
    call(heard, "Edit", file_path=f"{tmp_path}/package/calc.py")
    assert result(heard, "done")[1:] == [FileEdit(path="package/calc.py")]
    assert result(heard, "done")[1:] == []


def test_an_edit_that_was_refused_is_no_edit(heard: Translation) -> None:
    call(heard, "Write", file_path="new.py")
    assert result(heard, "no", failed=True) == [ToolResult(call_id="t", ok=False, output="no")]


def test_reading_a_file_does_not_edit_it(heard: Translation) -> None:
    call(heard, "Read", file_path="calc.py")
    assert result(heard, "1\tx") == [ToolResult(call_id="t", ok=True, output="1\tx")]


def test_paths_below_a_symbolic_link_to_the_copy_are_relative_to_it_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert call(Translation(link, link), "Read", file_path=f"{tmp_path}/real/a.py").detail == "a.py"


def test_tokens_are_counted_while_it_works(heard: Translation) -> None:
    begin(heard, "a", input_tokens=10, cache_read_input_tokens=90, output_tokens=1)
    assert stream(heard, "message_delta", usage={"output_tokens": 7}) == [
        Usage(input_tokens=100, output_tokens=7)
    ]
    begin(heard, "b", input_tokens=20)
    assert stream(heard, "message_delta", usage={"output_tokens": 3}) == [
        Usage(input_tokens=120, output_tokens=10)
    ]


def test_at_the_end_usage_is_that_of_the_whole_conversation_with_its_cost(
    heard: Translation,
) -> None:
    events = end(
        heard,
        0.5,
        inputTokens=10,
        cacheReadInputTokens=200,
        cacheCreationInputTokens=90,
        outputTokens=20,
        costBasis="list",
    )
    assert events == [Usage(input_tokens=300, output_tokens=20, cost_usd=0.5)]
    assert heard.usage == events[0]


def test_a_cost_that_claude_guessed_is_unknown(heard: Translation) -> None:
    assert end(heard, 0.5, inputTokens=1, outputTokens=2, costBasis="unknown") == [
        Usage(input_tokens=1, output_tokens=2, cost_usd=None)
    ]


def test_an_error_is_no_text_of_the_answer(heard: Translation) -> None:
    events = whole(heard, TextBlock("Not logged in"), error="authentication_failed")
    assert events == [Error(message="Not logged in")]
    assert heard.error_word == "authentication_failed"
    whole(heard, TextBlock("Here it is."))
    assert heard.error_word is None


def test_a_refused_tool_is_an_error_on_one_line(heard: Translation) -> None:
    message = SystemMessage("permission_denied", {"message": "Not\nallowed."})
    assert heard.events(message) == [Error(message="Not allowed.")]


def test_a_refused_login_is_hopeless_at_the_first_try(heard: Translation) -> None:
    assert retry(heard, 401, "authentication_failed") == [
        Error(message="Trying again, 1 of 10: 401 authentication_failed")
    ]
    assert heard.hopeless is not None
    assert heard.hopeless.kind is FailureKind.AUTH


def test_a_busy_service_is_hopeless_after_a_few_tries_in_a_row(heard: Translation) -> None:
    for _ in range(3):
        retry(heard, 429, "rate_limit")
    begin(heard, "m")
    for _ in range(3):
        retry(heard, 529, "overloaded")
    assert heard.hopeless is None
    retry(heard, 429, "rate_limit")
    assert heard.hopeless is not None
    assert heard.hopeless.kind is FailureKind.RATE_LIMIT


def test_an_error_of_the_service_is_never_hopeless(heard: Translation) -> None:
    for _ in range(9):
        assert retry(heard, 500, "server_error")
    assert retry(heard, None, "unknown") == [Error(message="Trying again, 1 of 10: unknown")]
    assert heard.hopeless is None


@pytest.mark.parametrize(("status", "spent"), [("rejected", True), ("allowed_warning", False)])
def test_it_is_known_when_the_users_limit_is_reached(
    heard: Translation, status: Any, spent: bool
) -> None:
    assert heard.events(RateLimitEvent(RateLimitInfo(status), "u", "s")) == []
    assert heard.spent is spent


def test_of_an_answer_that_nobody_could_read_both_ends_are_kept() -> None:
    assert answer(ended(result="Here.")) == "Here."
    assert answer(ended(result=None)) == ""
    assert len(answer(ended(result="x" * 5_000_000))) < 1_000_100


@pytest.mark.parametrize(
    "message",
    [
        SystemMessage("of_tomorrow", {}),
        SystemMessage("permission_denied", {}),
        StreamEvent("u", "s", {}),
        StreamEvent("u", "s", {"type": "of_tomorrow"}),
        StreamEvent("u", "s", {"type": "message_start", "message": None}),
        StreamEvent("u", "s", {"type": "content_block_delta", "index": 0, "delta": 5}),
        StreamEvent("u", "s", {"type": "message_delta"}),
        AssistantMessage([ToolUseBlock("t", "Bash", None)], "m"),
        AssistantMessage(None, "m"),
        UserMessage("a text"),
        UserMessage([ToolResultBlock("t", [3])]),
        ended(model_usage={"m": None}),
        RateLimitEvent(None, "u", "s"),
        "no message",
    ],
    ids=repr,
)
def test_what_it_does_not_know_it_passes_over(heard: Translation, message: Any) -> None:
    assert heard.events(message) == []
    begin(heard, "m")
    assert delta(heard, "Go on.") == [Text(text="Go on.")]

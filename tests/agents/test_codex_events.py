"""What Codex's notifications become. The shapes are those that Codex 0.163 was seen to send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bug_lsp.agents.codex.events import Translation
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

COMMAND = {
    "type": "commandExecution",
    "id": "call_1",
    "command": "/bin/bash -lc 'pytest -q  tests\ncat log'",
    "status": "inProgress",
}


@pytest.fixture
def heard(tmp_path: Path) -> Translation:
    return Translation(tmp_path / "package", tmp_path)


def started(heard: Translation, **item: Any) -> list[Event]:
    return heard.events("item/started", {"item": item})


def completed(heard: Translation, **item: Any) -> list[Event]:
    return heard.events("item/completed", {"item": item})


def delta(heard: Translation, item: str, text: str) -> list[Event]:
    return heard.events("item/agentMessage/delta", {"itemId": item, "delta": text})


def test_deltas_of_one_message_join_and_a_new_message_follows_a_blank_line(
    heard: Translation,
) -> None:
    pieces = [("a", "It is "), ("a", "here."), ("b", "Or "), ("b", "there.")]
    events = [event for item, text in pieces for event in delta(heard, item, text)]
    assert "".join(event.text for event in events) == "It is here.\n\nOr there."


def test_a_message_that_was_streamed_is_not_said_twice(heard: Translation) -> None:
    delta(heard, "a", "Here.")
    assert completed(heard, type="agentMessage", id="a", text="Here.") == []
    assert heard.answer == "Here."


def test_a_message_that_was_not_streamed_is_said_when_it_is_complete(heard: Translation) -> None:
    assert completed(heard, type="agentMessage", id="a", text="Here.") == [Text(text="Here.")]


def test_the_answer_is_the_last_message_that_is_no_commentary(heard: Translation) -> None:
    for number, (phase, text) in enumerate(
        [(None, "First."), (None, "Second."), ("commentary", "Still looking.")]
    ):
        completed(heard, type="agentMessage", id=str(number), text=text, phase=phase)
    assert heard.answer == "Second."


def test_a_message_marked_as_final_is_the_answer_whatever_follows(heard: Translation) -> None:
    completed(heard, type="agentMessage", id="a", text="The cause.", phase="final_answer")
    completed(heard, type="agentMessage", id="b", text="By the way.", phase=None)
    assert heard.answer == "The cause."


def test_a_new_turn_has_no_answer_yet(heard: Translation) -> None:
    completed(heard, type="agentMessage", id="a", text="The cause.", phase="final_answer")
    heard.begin_turn()
    assert heard.answer == ""


def test_parts_of_a_thought_are_set_apart(heard: Translation) -> None:
    method = "item/reasoning/summaryTextDelta"
    parts = [(0, "Look"), (0, "ing."), (1, "Found.")]
    events = [
        event
        for index, text in parts
        for event in heard.events(method, {"itemId": "r", "summaryIndex": index, "delta": text})
    ]
    assert events == [Thinking(text="Look"), Thinking(text="ing."), Thinking(text="\n\nFound.")]


def test_a_command_is_shown_on_one_line_without_the_shell_around_it(heard: Translation) -> None:
    assert started(heard, **COMMAND) == [
        ToolCall(call_id="call_1", name="shell", detail="pytest -q tests cat log")
    ]


@pytest.mark.parametrize(("exit_code", "ok"), [(0, True), (1, False), (None, False)])
def test_a_command_is_ok_when_it_exits_with_zero(
    heard: Translation, exit_code: int | None, ok: bool
) -> None:
    started(heard, **COMMAND)
    done = COMMAND | {"exitCode": exit_code, "aggregatedOutput": "1 passed\n"}
    assert completed(heard, **done) == [ToolResult(call_id="call_1", ok=ok, output="1 passed\n")]


def test_a_result_without_a_start_brings_its_call_along(heard: Translation) -> None:
    call, result = completed(heard, **COMMAND, exitCode=0)
    assert isinstance(call, ToolCall)
    assert result == ToolResult(call_id="call_1", ok=True, output="")


def test_of_a_long_output_both_ends_are_kept(heard: Translation) -> None:
    output = "start" + "x" * 1_000_000 + "end"
    _, result = completed(heard, **COMMAND, exitCode=0, aggregatedOutput=output)
    assert isinstance(result, ToolResult)
    assert result.output.startswith("start")
    assert result.output.endswith("end")
    assert "984008 characters left out" in result.output
    assert len(result.output) < 16_100


def test_each_changed_file_is_an_edit_relative_to_the_copy(
    heard: Translation, tmp_path: Path
) -> None:
    paths = [f"{tmp_path}/package/calc.py", "other.py", f"{tmp_path}/setup.py", "/etc/hosts"]
    change = {"type": "fileChange", "id": "c", "changes": [{"path": path} for path in paths]}
    assert completed(heard, **change, status="completed") == [
        FileEdit(path="package/calc.py"),
        FileEdit(path="package/other.py"),
        FileEdit(path="setup.py"),
        FileEdit(path="/etc/hosts"),
    ]


def test_paths_below_a_symbolic_link_to_the_copy_are_relative_to_it_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    change = {"type": "fileChange", "id": "c", "changes": [{"path": f"{tmp_path}/real/a.py"}]}
    assert completed(Translation(link, link), **change, status="completed") == [
        FileEdit(path="a.py")
    ]


def test_a_change_that_was_not_made_is_no_edit(heard: Translation) -> None:
    change = {"type": "fileChange", "id": "c", "changes": [{"path": "a.py"}]}
    call, result = completed(heard, **change, status="declined")
    assert call == ToolCall(call_id="c", name="edit", detail="package/a.py")
    assert result == ToolResult(call_id="c", ok=False, output="declined")


def test_a_web_search_is_a_tool_call(heard: Translation) -> None:
    item = {"type": "webSearch", "id": "w", "query": "KeyError in urllib"}
    assert started(heard, **item) == [
        ToolCall(call_id="w", name="search", detail="KeyError in urllib")
    ]
    assert completed(heard, **item) == [ToolResult(call_id="w", ok=True, output="")]


def test_a_tool_of_an_mcp_server_is_a_tool_call(heard: Translation) -> None:
    item = {"type": "mcpToolCall", "id": "m", "tool": "query", "arguments": {"sql": "select 1"}}
    call = ToolCall(call_id="m", name="query", detail='{"sql": "select 1"}')
    assert started(heard, **item) == [call]
    good = item | {"status": "completed", "result": {"content": [{"type": "text", "text": "1"}]}}
    assert completed(heard, **good) == [ToolResult(call_id="m", ok=True, output="1")]
    bad = item | {"status": "failed", "error": {"message": "no such table"}}
    assert completed(heard, **bad) == [ToolResult(call_id="m", ok=False, output="no such table")]


def test_usage_is_that_of_the_whole_thread(heard: Translation) -> None:
    usage = {
        "last": {"inputTokens": 10, "outputTokens": 1},
        "total": {"inputTokens": 300, "outputTokens": 20},
    }
    events = heard.events("thread/tokenUsage/updated", {"tokenUsage": usage})
    assert events == [Usage(input_tokens=300, output_tokens=20)]
    assert heard.usage == events[0]


def test_an_error_says_its_details(heard: Translation) -> None:
    error = {"message": "Reconnecting... 1/5", "additionalDetails": "stream disconnected"}
    assert heard.events("error", {"error": error, "willRetry": True}) == [
        Error(message="Reconnecting... 1/5: stream disconnected")
    ]
    assert heard.events("error", {"error": {"message": "Over."}}) == [Error(message="Over.")]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("turn/diff/updated", {"diff": ""}),
        ("of/tomorrow", {"x": 1}),
        ("item/started", {}),
        ("item/started", {"item": None}),
        ("item/started", {"item": {"type": "commandExecution"}}),
        ("item/completed", {"item": {"type": "of tomorrow", "id": "x"}}),
        ("item/completed", {"item": {"type": "agentMessage", "id": "x", "text": None}}),
        ("item/completed", {"item": {"type": "fileChange", "id": "x", "changes": 3}}),
        ("item/completed", {"item": {"type": "mcpToolCall", "id": "x", "tool": 1, "result": 2}}),
        ("item/agentMessage/delta", {"delta": 5}),
        ("thread/tokenUsage/updated", {"tokenUsage": {"total": []}}),
        ("error", {"error": "no object"}),
    ],
)
def test_what_it_does_not_know_it_passes_over(
    heard: Translation, method: str, params: dict[str, Any]
) -> None:
    assert heard.events(method, params) == []
    assert delta(heard, "a", "Go on.") == [Text(text="Go on.")]

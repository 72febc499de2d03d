"""What ACP agents report, as events: the shapes that differ between agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from acp.schema import PromptResponse, SessionNotification, ToolCallUpdate

from bug_lsp.agents.acp.events import Translation
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

COPY = Path("/copy")


@pytest.fixture
def heard() -> Translation:
    return Translation(COPY / "package", COPY)


def take(heard: Translation, kind: str, /, **update: Any) -> list[Event]:
    """What an update says that came over the wire like this."""
    wire = {"sessionId": "s", "update": {"sessionUpdate": kind, **update}}
    return list(heard.events(SessionNotification.model_validate(wire).update))


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_a_message_goes_on_until_a_tool_is_called(heard: Translation) -> None:
    assert take(heard, "agent_message_chunk", content=text("One ")) == [Text(text="One ")]
    assert take(heard, "agent_thought_chunk", content=text("Hm.")) == [Thinking(text="Hm.")]
    take(heard, "agent_message_chunk", content=text("two."))
    assert heard.answer == "One two."
    take(heard, "tool_call", toolCallId="1", title="ls", kind="execute", status="pending")
    assert take(heard, "agent_message_chunk", content=text("\n")) == []
    assert heard.answer == "One two."
    said = take(heard, "agent_message_chunk", content=text("Three."))
    assert said == [Text(text="\n\n"), Text(text="Three.")]
    assert heard.answer == "Three."


def test_a_turn_has_its_own_answer(heard: Translation) -> None:
    take(heard, "agent_message_chunk", content=text("One."))
    heard.begin_turn()
    assert heard.answer == ""


def test_a_command_is_told_of_when_it_is_known_and_its_exit_status_counts(
    heard: Translation,
) -> None:
    assert take(heard, "tool_call", toolCallId="1", title="bash", kind="execute") == []
    given = {"command": "make test", "cwd": "/copy"}
    assert take(
        heard, "tool_call_update", toolCallId="1", status="in_progress", rawInput=given
    ) == [ToolCall(call_id="1", name="shell", detail="make test")]
    output = {"output": "broken", "metadata": {"exit": 2}}
    assert take(
        heard, "tool_call_update", toolCallId="1", status="completed", rawOutput=output
    ) == [ToolResult(call_id="1", ok=False, output="broken")]
    assert take(heard, "tool_call_update", toolCallId="1", status="completed") == []


def test_an_edit_is_told_of_when_it_is_made_by_its_diff_or_else_its_place(
    heard: Translation,
) -> None:
    diff = {"type": "diff", "path": "/copy/a.py", "oldText": "a", "newText": "b"}
    call = {"toolCallId": "1", "title": "Edit", "kind": "edit", "content": [diff]}
    assert take(heard, "tool_call", **call, status="in_progress") == []
    done = take(heard, "tool_call_update", toolCallId="1", status="completed", content=[])
    assert done == [FileEdit(path="a.py")]
    place = [{"path": "b.py"}]
    call = {"toolCallId": "2", "title": "Write", "kind": "edit", "locations": place}
    assert take(heard, "tool_call", **call, status="completed") == [FileEdit(path="package/b.py")]


def test_an_edit_that_failed_is_a_failed_call(heard: Translation) -> None:
    failed = take(
        heard,
        "tool_call_update",
        toolCallId="1",
        kind="edit",
        title="Edit",
        status="failed",
        locations=[{"path": "/copy/a.py"}],
        content=[{"type": "content", "content": text("no such text")}],
    )
    assert failed == [
        ToolCall(call_id="1", name="edit", detail="a.py"),
        ToolResult(call_id="1", ok=False, output="no such text"),
    ]


def test_an_edit_outside_of_the_copy_that_nobody_was_asked_about_is_a_problem(
    heard: Translation,
) -> None:
    call = {"toolCallId": "1", "title": "Write", "kind": "edit", "status": "completed"}
    (problem,) = take(heard, "tool_call", **call, locations=[{"path": "/copy/../etc/x"}])
    assert problem == Error(message="/copy/../etc/x was changed, and it is outside of the copy")


def test_a_request_for_permission_adds_to_what_is_known_and_replaces_nothing(
    heard: Translation,
) -> None:
    take(heard, "tool_call", toolCallId="1", title="write", kind="edit", status="pending")
    about = {
        "toolCallId": "1",
        "title": "/etc",
        "kind": "other",
        "locations": [{"path": "/etc/x"}],
        "rawInput": {"filepath": "/etc/x"},
        "content": [{"type": "content", "content": text("I want to write there")}],
    }
    seen, events = heard.asked(ToolCallUpdate.model_validate(about))
    assert (seen.name, seen.title, seen.locations) == ("edit", "write", ("/etc/x",))
    assert seen.output == ""
    assert events == []


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}}, (10, 5)),
        (
            {
                "usage": {
                    "inputTokens": 10,
                    "outputTokens": 5,
                    "totalTokens": 118,
                    "cachedReadTokens": 100,
                    "thoughtTokens": 3,
                }
            },
            (110, 8),
        ),
        ({"_meta": {"quota": {"token_count": {"input_tokens": 7, "output_tokens": 2}}}}, (7, 2)),
    ],
    ids=["plain", "with a cache", "in the notes"],
)
def test_tokens_are_found_where_agents_put_them(
    answer: dict[str, Any], usage: tuple[int, int], heard: Translation
) -> None:
    response = PromptResponse.model_validate({"stopReason": "end_turn", **answer})
    assert list(heard.ended(response)) == [Usage(input_tokens=usage[0], output_tokens=usage[1])]


def test_an_answer_that_counts_nothing_leaves_the_usage_unknown(heard: Translation) -> None:
    response = PromptResponse.model_validate({"stopReason": "end_turn", "_meta": {"quota": 3}})
    assert list(heard.ended(response)) == []
    assert heard.usage is None


def test_a_cost_of_nothing_is_an_unknown_cost(heard: Translation) -> None:
    free = take(heard, "usage_update", used=9, size=90, cost={"amount": 0, "currency": "USD"})
    assert free == [Usage(input_tokens=9, output_tokens=0, cost_usd=None)]
    foreign = take(heard, "usage_update", used=9, size=90, cost={"amount": 1, "currency": "EUR"})
    assert foreign == []

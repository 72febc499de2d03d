"""What agents were seen to send, with anything in it replaced: a translation passes over what it
does not know and never raises.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from acp.schema import SessionNotification
from claude_agent_sdk._internal.message_parser import parse_message
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bug_lsp.agents.acp.events import Translation as OfAcp
from bug_lsp.agents.claude.events import Translation as OfClaude
from bug_lsp.agents.claude.events import answer
from bug_lsp.agents.codex.events import Translation as OfCodex
from bug_lsp.domain.events import Event
from bug_lsp.domain.report import parse_report, parse_synthesis
from bug_lsp.domain.transcript import Transcript, told
from tests.security.judge import active

pytestmark = pytest.mark.fault(10)

COPY = Path("/copy")
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)

CODEX: list[tuple[str, dict[str, Any]]] = [
    ("item/agentMessage/delta", {"itemId": "a", "delta": "It is "}),
    ("item/agentMessage/delta", {"itemId": "a", "delta": "here."}),
    ("item/reasoning/summaryTextDelta", {"itemId": "b", "summaryIndex": 0, "delta": "Hm."}),
    ("item/started", {"item": {
        "type": "commandExecution", "id": "c", "status": "inProgress",
        "command": "/bin/bash -lc 'pytest -q'",
    }}),
    ("item/completed", {"item": {
        "type": "commandExecution", "id": "c", "status": "completed", "exitCode": 1,
        "command": "/bin/bash -lc 'pytest -q'", "aggregatedOutput": "1 failed",
    }}),
    ("item/completed", {"item": {
        "type": "fileChange", "id": "d", "status": "completed",
        "changes": [{"path": "/copy/a.py", "kind": {"type": "update"}, "diff": "@@"}],
    }}),
    ("item/completed", {"item": {"type": "webSearch", "id": "e", "query": "x"}}),
    ("item/completed", {"item": {
        "type": "mcpToolCall", "id": "f", "server": "s", "tool": "t", "status": "failed",
        "arguments": {"a": 1}, "error": {"message": "no"},
    }}),
    ("thread/tokenUsage/updated", {"tokenUsage": {"total": {
        "inputTokens": 5, "outputTokens": 7, "totalTokens": 12,
    }}}),
    ("error", {"error": {"message": "no", "additionalDetails": "x"}, "willRetry": False}),
    ("item/completed", {"item": {
        "type": "agentMessage", "id": "a", "text": "It is here.", "phase": "final_answer",
    }}),
]  # fmt: skip
_CLAUDE = {"session_id": "s", "uuid": "u", "parent_tool_use_id": None}
_USAGE = {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1}
CLAUDE: list[dict[str, Any]] = [
    {"type": "stream_event", **_CLAUDE, "event": event}
    for event in (
        {"type": "message_start", "message": {"id": "m", "usage": _USAGE}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "message_delta", "usage": _USAGE},
    )
] + [
    {"type": "assistant", **_CLAUDE, "message": {"id": "m", "model": "x", "content": [
        {"type": "text", "text": "x"},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "e", "name": "Edit", "input": {"file_path": "/copy/a.py"}},
    ]}},
    {"type": "user", **_CLAUDE, "message": {"content": [
        {"type": "tool_result", "tool_use_id": "t", "content": "a.py", "is_error": False},
        {"type": "tool_result", "tool_use_id": "e", "content": [{"type": "text", "text": "ok"}]},
    ]}},
    {"type": "system", "subtype": "api_retry", "attempt": 1, "error": "rate_limit",
     "error_status": 429, **_CLAUDE},
    {"type": "result", "subtype": "success", "duration_ms": 1, "duration_api_ms": 1, **_CLAUDE,
     "modelUsage": {"x": {"inputTokens": 1, "outputTokens": 2, "costBasis": "list"}},
     "is_error": False, "num_turns": 1, "result": "Done.", "total_cost_usd": 0.1, "usage": _USAGE},
]  # fmt: skip
ACP: list[dict[str, Any]] = [
    {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "One "}},
    {"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "Hm."}},
    {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "bash", "kind": "execute",
     "status": "pending", "rawInput": {"command": "make"}},
    {"sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "completed",
     "rawOutput": {"output": "broken", "metadata": {"exit": 2}}},
    {"sessionUpdate": "tool_call", "toolCallId": "2", "title": "edit", "kind": "edit",
     "status": "completed", "locations": [{"path": "/copy/a.py"}],
     "content": [{"type": "diff", "path": "/copy/a.py", "oldText": "a", "newText": "b"}]},
    {"sessionUpdate": "usage_update", "used": 5, "size": 9, "cost": {"amount": 1, "currency": "X"}},
]  # fmt: skip

odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\0", "![x](https://e.x)", "```", "x" * 30_000, 10**400, -1, ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Everything in it that can be replaced."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(value, key) for key, _ in list(items)]
    inner = [one for holder, key in found if isinstance(one := holder[key], dict | list)]
    return [*found, *(place for one in inner for place in places(one))]


@st.composite
def mutated(draw: st.DrawFn, stream: list[Any]) -> list[Any]:
    """A stream with some of it replaced, gone, twice or in another order."""
    some = [copy.deepcopy(draw(st.sampled_from(stream))) for _ in range(draw(st.integers(1, 8)))]
    for _ in range(draw(st.integers(0, 4))):
        one = draw(st.sampled_from(some))
        body = one[1] if isinstance(one, tuple) else one
        if found := places(body):
            holder, key = draw(st.sampled_from(found))
            if draw(st.booleans()):
                holder[key] = draw(odd)
            else:
                del holder[key]
    return some


def are_events(found: list[Event]) -> None:
    """What came of it can be shown, told and kept."""
    transcript = Transcript()
    for event in found:
        _EVENT.validate_python(event.model_dump())
        told(event).encode()
    assert active("".join(transcript.add(event) for event in found)) == []


@given(mutated(CODEX))
@example([("item/completed", {"item": {"type": "agentMessage", "id": "a", "text": []}})])
@example([CODEX[0], ("item/completed", {"item": CODEX[-1][1]["item"] | {"text": 7}})])
def test_whatever_codex_notifies_is_translated_or_passed_over(stream: list[Any]) -> None:
    heard = OfCodex(COPY, COPY)
    are_events([event for method, params in stream for event in heard.events(method, params)])
    assert isinstance(heard.answer, str)


@given(mutated(CLAUDE))
@example([{**CLAUDE[-1], "result": 7}])
def test_whatever_claude_says_is_translated_or_passed_over(stream: list[Any]) -> None:
    heard, found = OfClaude(COPY, COPY), []
    for wire in stream:
        try:
            message = parse_message(wire)
        except Exception:  # noqa: BLE001 - what the SDK refuses never comes to us
            continue
        if message is None:
            continue
        found += heard.events(message)
        if type(message).__name__ == "ResultMessage":
            assert isinstance(answer(message), str)
    are_events(found)


@given(mutated(ACP))
def test_whatever_an_acp_agent_updates_is_translated_or_passed_over(stream: list[Any]) -> None:
    heard, found = OfAcp(COPY, COPY), []
    for update in stream:
        try:
            told_ = SessionNotification.model_validate({"sessionId": "s", "update": update})
        except ValidationError:  # what the SDK refuses never comes to us
            continue
        found += list(heard.events(told_.update))
    are_events(found)
    assert isinstance(heard.answer, str)


@given(st.lists(st.text(max_size=20) | odd.map(repr), max_size=5).map("```json\n".join))
def test_whatever_an_answer_ends_with_is_read_or_named(text: str) -> None:
    for parse in (parse_report, parse_synthesis):
        found = parse(text)
        assert found
        assert not isinstance(found, str) or "\n" not in found

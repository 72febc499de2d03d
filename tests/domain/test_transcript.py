"""A session as Markdown: what agents emit stays data."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.events import (
    Activity,
    Error,
    Event,
    FileEdit,
    Record,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from bug_lsp.domain.run import Failure, Status, materialise_session
from bug_lsp.domain.transcript import (
    STATUS_WIDTH,
    Transcript,
    activity,
    clean,
    code,
    duration,
    fenced,
    one_line,
    outcome,
    padded_status,
    status_line,
    told,
)
from tests.support.facts import RUN_ID, ended

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
words = st.text() | st.lists(
    st.sampled_from(
        [
            "```",
            "`",
            "````\n",
            "~~~",
            "\n",
            "\r",
            "\x1b[31m",
            "\x9b2J",
            "\x1b]0;t\x07",
            "# x\n",
            "\u2028",
            "\ud800",
            "a",
        ]
    )
).map("".join)
events = st.one_of(
    st.builds(Text, text=words),
    st.builds(Thinking, text=words),
    st.builds(ToolCall, call_id=words, name=words, detail=words),
    st.builds(ToolResult, call_id=words, ok=st.booleans(), output=words),
    st.builds(FileEdit, path=words),
    st.builds(Error, message=words),
    st.builds(Activity, text=words),
    st.builds(Usage, input_tokens=st.integers(), output_tokens=st.integers()),
)


@given(st.lists(events))
def test_what_any_agent_emits_is_text_that_can_be_written(emitted: list[Event]) -> None:
    transcript = Transcript()
    text = "".join(transcript.add(event) for event in emitted)
    text.encode()
    assert CONTROL.search(text) is None
    prompt = "".join(told(event) for event in emitted)
    prompt.encode()
    assert CONTROL.search(prompt) is None


@given(words)
@example("```\n````\n`````")
def test_nothing_leaves_a_fence(text: str) -> None:
    first, *inside, last = fenced(clean(text)).rstrip("\n").split("\n")
    assert set(first) == {"`"}
    assert last == first
    assert not any(line.strip().startswith(first) for line in inside)


@given(words)
def test_nothing_leaves_the_code_of_a_line(text: str) -> None:
    inline = code(text)
    assert inline.count("`") in {0, 2}
    assert len(inline.splitlines()) <= 1


@given(words, words)
def test_a_tools_output_is_a_closed_block_in_its_list_item(detail: str, output: str) -> None:
    transcript = Transcript()
    call = transcript.add(ToolCall(call_id="1", name="shell", detail=detail))
    result = transcript.add(ToolResult(call_id="1", ok=True, output=output))
    after = transcript.add(ToolCall(call_id="2", name="read", detail="x"))
    assert call.startswith("\n- **shell** ")
    assert call.count("\n") == 2
    if result:
        lines = result[1:].splitlines()
        fence = lines[0].strip().removesuffix("text")
        assert set(fence) == {"`"}
        assert lines[-1] == f"  {fence}"
        assert all(line.startswith("  ") for line in lines)
        assert not any(line.strip().startswith(fence) for line in lines[1:-1])
    assert after.endswith("- **read** `x`\n")


def test_text_and_thinking_are_joined_as_they_come() -> None:
    transcript = Transcript()
    parts = [Thinking(text="a\nb"), Thinking(text="c"), Text(text="x"), Text(text="y")]
    assert "".join(map(transcript.add, parts)) == "\n> a\n> bc\n\nxy"


def test_of_a_long_output_head_and_tail_are_shown() -> None:
    shown = Transcript().add(ToolResult(call_id="1", ok=False, output="a line\n" * 1_000 + "end"))
    assert len(shown) < 3_500
    assert shown.startswith("  failed:\n")
    assert "7,003 characters in all" in shown
    assert "  end\n  ```" in shown


@given(events)
def test_an_activity_is_a_short_line(event: Event) -> None:
    line = activity(Record(seq=1, at=0, tool_calls=0, event=event))
    assert len(line) <= 80
    assert len(line.splitlines()) <= 1


@given(words, words, st.integers(0, 10**9), st.none() | st.floats(0, 10**9))
def test_the_status_line_always_fits_its_place(
    agent: str, doing: str, calls: int, elapsed: float | None
) -> None:
    facts = ended(1, agent=clean(agent)).model_copy(update={"result": None, "activity": doing})
    line = status_line(materialise_session(RUN_ID, facts), calls, elapsed)
    data = padded_status(line)
    assert len(data) == STATUS_WIDTH
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    assert data.decode().startswith("> **running** · ")


@given(words, st.integers(1, 300))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert CONTROL.search(line) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (12.4, "12s"),
        (59.6, "1m 0s"),
        (123, "2m 3s"),
        (3_840, "1h 4m"),
    ],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_an_outcome_says_how_long_it_took_or_why_it_failed() -> None:
    shown = materialise_session(RUN_ID, ended(1))
    assert outcome(shown) == "completed in 2m 3s"
    cancelled = materialise_session(RUN_ID, ended(1, status=Status.CANCELLED))
    assert outcome(cancelled) == "cancelled after 2m 3s"
    failure = Failure(kind=FailureKind.AUTH, message="not logged in")
    failed = materialise_session(RUN_ID, ended(1, status=Status.FAILED, failure=failure))
    assert outcome(failed) == "failed: not logged in"

"""The user's bytes outside our region never change, whatever they and the agents write."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.region import (
    KEPT_EARLIER,
    defuse,
    merge,
    region_of,
    without_regions,
)
from bug_lsp.domain.related import sections
from bug_lsp.domain.rendering import render_region
from bug_lsp.domain.report import SessionNote, Synthesis
from tests.support.facts import ended, session_id, status_of

ONE, TWO = "1" * 16, "2" * 16
BEGIN = f"<!-- bug-lsp:begin run={ONE} -->"
END = "<!-- bug-lsp:end -->"
PIECES = [
    *("\n", "\r\n", "\r", "\x0c", "\x85", "\u2028", "\u2029", "\x1c", "\v", " ", "\t", "\ufeff"),
    *(
        BEGIN,
        END,
        f"{BEGIN}\n",
        f"\n{END}\n",
        "<!-- bug-lsp:begin run=xyz -->",
        f"{END} x",
        f" {BEGIN}",
    ),
    *("```", "\n```\n", "~~~~\n", "```markdown\n", "<details>\n", "</details>\n", "<!--", "-->"),
    *("# Bug\n", "## Root cause\n", "> ", "text", "é🐞", "=====\n", "---\n"),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=25).map("".join)
MARKS = ("<!-- bug-lsp:begin run=", END)


def put(text: str, body: str, run_id: str = TWO) -> str:
    """The text with the body merged into it."""
    edit = merge(text, run_id, body, replaced_label="run x")
    return text if edit is None else edit.apply(text)


def without_one(text: str, start: int, end: int) -> str:
    return text[:start] + text[end:]


@given(texts)
@example(f"{BEGIN}\r\n" + "line\r\n" * 3)
@example(f"```\n{BEGIN}\nan example\n{END}\n```\n")
@example(f"```\n{BEGIN}\nno example: nobody closes the fence\n{END}\n")
def test_outside_the_region_no_byte_changes(text: str) -> None:
    edit = merge(text, TWO, "## Root cause\n\nx\n", replaced_label="l")
    assert edit is not None
    result = edit.apply(text)
    assert result.startswith(text[: edit.start])
    assert result.endswith(text[edit.end :])
    if region_of(text) is None:
        assert edit.start == edit.end == len(text)
    else:
        # Only what stood in the last region, its marks included, may go.
        gone = text[edit.start : edit.end]
        assert gone.startswith(MARKS[0])
        assert gone.rstrip(" \t").endswith(END)
    found = region_of(result)
    assert found is not None
    assert found[0] == TWO
    assert found[1].replace("\r\n", "\n").startswith("## Root cause\n\nx\n")
    assert without_regions(result).startswith(without_regions(text).rstrip("\r\n")[:-1])


@given(texts, texts)
def test_merging_twice_is_the_same_as_once(text: str, body: str) -> None:
    body = rendered(body)
    once = put(text, body)
    assert merge(once, TWO, body, replaced_label="l") is None


@given(texts)
def test_another_conclusion_takes_the_place_of_the_first_which_stays_reachable(text: str) -> None:
    first = put(text, rendered("The first."), ONE)
    second = put(first, rendered("The second."), TWO)
    assert first.count(END) == second.count(END)
    found = region_of(second)
    assert found is not None
    now, fold, earlier = found[1].partition("<details>")
    assert found[0] == TWO
    assert "The second." in now
    assert "The first." not in now
    assert fold
    assert "> The first." in earlier
    assert "<summary>Earlier synthesis: run x</summary>" in earlier
    third = put(second, rendered("The third."), ONE)
    assert third.count("<details>\r\n" if "<details>\r\n" in second else "<details>\n") >= 2
    assert "> The first." in third


def test_only_so_many_earlier_ones_are_kept() -> None:
    text = "# Bug\n"
    for number in range(KEPT_EARLIER + 4):
        text = put(text, rendered(f"Number {number}."), f"{number:016x}")
    assert text.count("<details>") == text.count("</details>") == KEPT_EARLIER
    assert f"Number {KEPT_EARLIER + 3}." in text.partition("<details>")[0]
    assert "> Number 4." in text
    assert "Number 2." not in text


def test_of_two_regions_the_last_is_replaced() -> None:
    text = f"a\n{BEGIN}\nfirst\n{END}\nb\n{BEGIN}\nsecond\n{END}\nc"
    result = put(text, "new\n")
    assert result.startswith(f"a\n{BEGIN}\nfirst\n{END}\nb\n")
    assert result.endswith(f"{END}\nc")
    assert "> second" in result


@pytest.mark.parametrize(
    ("text", "eol"), [("# Bug\r\n\r\ntext\r\n", "\r\n"), ("# Bug\n\ntext\n", "\n"), ("", "\n")]
)
def test_the_region_has_the_line_ends_of_the_file(text: str, eol: str) -> None:
    result = put(text, rendered("x"))
    other = result.replace(eol, "")
    assert "\n" not in other
    assert "\r" not in other


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_an_orphan_mark_in_a_long_file_costs_no_time(eol: str) -> None:
    text = f"{BEGIN}{eol}" + f"a line of text{eol}" * 20_000
    began = time.perf_counter()
    assert region_of(text) is None
    assert put(text, "x\n").startswith(text)
    assert time.perf_counter() - began < 2


def test_an_example_in_a_fence_is_the_users_own_text() -> None:
    example = f"````markdown\n```\n{BEGIN}\nmine\n{END}\n```\n````\n"
    assert region_of(example) is None
    assert without_regions(example) == example
    result = put(example, rendered("ours"))
    assert result.startswith(example)
    again = put(result, rendered("ours again"), ONE)
    assert again.startswith(example)
    assert "> ours" in again


# What agents write.


def rendered(said: str) -> str:
    """A region's body in which every text of the orchestrator's is this."""
    debug = [ended(1), ended(2, report_problem="none")]
    synthesis = Synthesis(
        root_cause=said or "x",
        recommended_solution=said or "x",
        implementation_steps=(said, said),
        session_notes=tuple(SessionNote(session_id=session_id(n), note=said) for n in (1, 2)),
        conflicts=(said,),
    )
    return render_region(status_of(debug, ended(3)), synthesis, f"By codex: {said}")


NAMES = [
    "Synthesis",
    "Root cause",
    "Recommended solution",
    "Implementation steps",
    "Session notes",
    "Conflicts to resolve",
]


@given(texts)
@example("```\n## Root cause\n")
@example("text\n===\n   # Fake\n~~~\nopen")
@example("<details>\n<summary>Earlier synthesis</summary>\n</details>\n")
@pytest.mark.fault(20)
def test_whatever_agents_write_the_region_has_our_headings_and_no_others(said: str) -> None:
    body = rendered(said)
    assert MARKS[0] not in body
    assert END not in body
    assert "<details" not in body
    headings = outside_fences(body)
    assert [line[3:] for line in headings if line.startswith("## ")] == NAMES
    assert not [line for line in headings if line.lstrip(" ").startswith("#") and line[:3] != "## "]
    result = put("# Bug\n", body)
    assert region_of(result) == (TWO, body)
    assert without_regions(result).strip() == "# Bug"


def outside_fences(body: str) -> list[str]:
    """The lines of Markdown that are not code; fails if a fence is left open."""
    fence, lines = "", []
    for line in body.splitlines():
        stripped = line.strip(" ")
        mark = stripped[: len(stripped) - len(stripped.lstrip(stripped[:1] or " "))]
        opens = mark[:1] in {"`", "~"} and len(mark) >= 3 and len(line) - len(line.lstrip(" ")) < 4
        if fence:
            if opens and mark.startswith(fence) and not stripped[len(mark) :].strip():
                fence = ""
        elif opens and not (mark[0] == "`" and "`" in stripped[len(mark) :]):
            fence = mark
        else:
            lines.append(line)
    assert fence == ""
    return lines


def test_code_in_fences_stays_as_the_agent_wrote_it() -> None:
    code = "Do this:\n\n```python\n# a comment\nx = 1\n---\n```\n\nThen that."
    assert code in rendered(code)


def test_a_heading_of_an_agent_is_text() -> None:
    body = rendered("So:\n  ## Root cause\nx\n===\n- item\n---\n\n---")
    assert "- [ ] \\# not big" in rendered("# not big")
    assert "So:\n  \\## Root cause\nx\n\\===\n- item\n\\---\n\n---" in body
    assert list(sections(body)) == NAMES


@given(texts)
@pytest.mark.fault(20)
def test_defused_text_holds_none_of_our_marks(text: str) -> None:
    assert not any(mark in defuse(text) for mark in (*MARKS, "<details", "</details"))

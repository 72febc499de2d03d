"""What a conclusion cites, and how what is not so is marked in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.citations import (
    ids_in,
    mark,
    places_in,
    sentences_without_evidence,
    unknown_ids,
)
from bug_lsp.domain.prose import UNVERIFIED, code_spans, sentences

KNOWN = {"E1", "E2", "E3", "E4"}
REFUTED = {"E2": "not in this file"}
WRONG = {("calc.py", 999): "no such line", ("my file.py", 3): "no such file"}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("The sign is wrong [E3].", ["E3"]),
        ("Both say so [E1, E4] and (E2).", ["E1", "E4", "E2"]),
        ("Wrong.[E3]", ["E3"]),
        ("So [E1][E2] and [E3; E4], [E5 and E6], [E7, and E8]", [f"E{n}" for n in range(1, 9)]),
        ("From [E2-E5] or [E7 to E8]", ["E2", "E3", "E4", "E5", "E7", "E8"]),
        ("(see E1) (evidence: E2) **[E3]** _(E4)_", ["E1", "E2", "E3", "E4"]),
        ("As code: `[E3]`, `f(E1)`, `x[E2]`", ["E3"]),
        ("f(E1), E2, [E], [E1x], (E501 of ruff), [1]", []),
        ("```\n[E1]\n```\n~~~python\n[E2]\n```\n~~~\n[E3]", ["E3"]),
        ("- item\n  ```\n  [E1]\n  ```\n  [E2]", ["E2"]),
        ("# A heading [E1]\n| a | [E2] |\n", ["E1", "E2"]),
        ("[E1 **(no such evidence)**, E2 **(refuted)**]", ["E1", "E2"]),
    ],
)
def test_ids_are_found(text: str, ids: list[str]) -> None:
    assert list(ids_in(text)) == ids


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("At calc.py:41, `src/calc.py:42`, and (src/a/b.c:7).", [
            ("src/calc.py", 42), ("calc.py", 41), ("src/a/b.c", 7),
        ]),
        ("`calc.py:41-43` and calc.py:5:9", [("calc.py", 41), ("calc.py", 43), ("calc.py", 5)]),
        ("calc.py#L4-L6", [("calc.py", 4), ("calc.py", 6)]),
        ("`my file.py:3` Makefile:9 größe.py:2", [
            ("my file.py", 3), ("Makefile", 9), ("größe.py", 2),
        ]),
        ("`python -m pdb calc.py:3`", [("python -m pdb calc.py", 3)]),
        ("At 12:30, http://a.com:80/x.py:3, localhost:80, example.com:443, a:1, 3.11:2", []),
        ("[x](calc.py:3) <file:calc.py:3> [calc.py:4](calc.py#L4)", [("calc.py", 4)]),
        ("test.py::test_x:3 1.2.3:4", []),
        ("```\ncalc.py:3\n```", []),
    ],
)  # fmt: skip
def test_places_are_found(text: str, places: list[tuple[str, int]]) -> None:
    assert list(places_in(text)) == places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It is in calc.py and v3.11.2, e.g. `a. B`, i.e. There. Next", [
            "It is in calc.py and v3.11.2, e.g. `a. B`, i.e. There.", "Next",
        ]),
        ("See calc.py. Then.", ["See calc.py.", "Then."]),
        ("The sign is wrong. [E1] The rate is right. [E2] shows it.", [
            "The sign is wrong. [E1]", "The rate is right.", "[E2] shows it.",
        ]),
        ("Wrong.[E1] Right. (E2). Next", ["Wrong.[E1]", "Right. (E2).", "Next"]),
        ("It fails. with_tax() adds. `x` stays. but not here", [
            "It fails.", "with_tax() adds.", "`x` stays. but not here",
        ]),
        ("- one. Two\n- three\n  more.\n\n1. four", ["one.", "Two", "three\n  more.", "four"]),
        ("# Heading. Not\nText.\n\n| a. B | c |\n---\n", ["Text."]),
        ("Because of:\n\n- this", ["this"]),
        ("> quoted. And\n> on", ["quoted.", "And\n> on"]),
        ("**Bold.** Then *(it is).* End", ["**Bold.**", "Then *(it is).*", "End"]),
        ("It waits... and goes on… Then", ["It waits... and goes on…", "Then"]),
        ("See No. 3 and fig. 4. The answer is no. Next", [
            "See No. 3 and fig. 4.", "The answer is no.", "Next",
        ]),
        ("符号が逆。次の文。", ["符号が逆。", "次の文。"]),
        ("One.\r\nTwo.\r\n", ["One.", "Two."]),
        ("", []),
        ("...", []),
    ],
)  # fmt: skip
def test_a_text_is_split_into_its_sentences(text: str, expected: list[str]) -> None:
    assert [one.text for one in sentences(text)] == expected


def test_sentences_without_evidence_are_told() -> None:
    text = f"One [E9]. Two. Three. {UNVERIFIED} (E1) says so. Four. [E2]\n\n- Five"
    assert sentences_without_evidence(text) == ("Two.", "Three.", "Five")
    assert unknown_ids(text, KNOWN) == ("E9",)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Wrong [E9].", "Wrong [E9 **(no such evidence)**]."),
        ("[E1, E9; E2]", "[E1, E9 **(no such evidence)**; E2 **(refuted: not in this file)**]"),
        ("Wrong (E9).", "Wrong (E9 **(no such evidence)**)."),
        ("Wrong `[E9]`.", "Wrong `[E9]` **(no such evidence)**."),
        ("Wrong. [E9] Right [E1].", "Wrong. [E9 **(no such evidence)**] Right [E1]."),
        ("[E3-E5]", "[E3-E5 **(no such evidence)**]"),
        ("At calc.py:999 [E1].", "At calc.py:999 **(no such line)** [E1]."),
        ("At `calc.py:999` [E1].", "At `calc.py:999` **(no such line)** [E1]."),
        ("At calc.py:41-999. [E1]", "At calc.py:41-999 **(no such line)**. [E1]"),
        ("`my file.py:3` [E1]", "`my file.py:3` **(no such file)** [E1]"),
        ("[calc.py:999](calc.py#L999) [E1]", "[calc.py:999 **(no such line)**](calc.py#L999) [E1]"),
        ("It is so. It is [E1].\n", "It is so. *(unverified)* It is [E1].\n"),
        ("- It is so\r\n- and so [E1]\r\n", "- It is so *(unverified)*\r\n- and so [E1]\r\n"),
        ("At calc.py:999", "At calc.py:999 **(no such line)** *(unverified)*"),
        ("```\nx[E9] calc.py:999\n```\n", "```\nx[E9] calc.py:999\n```\n"),
        ("Fine [E1] at calc.py:3. And (E3).", "Fine [E1] at calc.py:3. And (E3)."),
        ("Forged [E9 **(verified)**].", "Forged [E9 **(no such evidence)** **(verified)**]."),
    ],
)  # fmt: skip
def test_what_is_not_so_is_marked_in_place(text: str, marked: str) -> None:
    assert mark(text, KNOWN, REFUTED, WRONG) == marked
    assert mark(marked, KNOWN, REFUTED, WRONG) == marked


def test_a_reason_cannot_leave_its_mark() -> None:
    reason = "it *is*\n# so** `x. Then"
    once = mark("Here [E2].", KNOWN, {"E2": reason}, {})
    assert once == "Here [E2 **(refuted: it \u2217is\u2217 # so\u2217\u2217 'x. Then)**]."
    assert mark(once, KNOWN, {"E2": reason}, {}) == once


PIECES = [
    "[E1]", "[E9]", "(E2)", "[E1, E9]", "`[E9]`", "calc.py:999", "`calc.py:999`", "`my file.py:3`",
    "The sign", "is wrong", ".", ". ", " ", "\n", "\n\n", "\r\n", "- ", "> ", "# ", "```", "~~~",
    "`", "**", "*", "(", ")", "[", "]", "e.g.", "with_tax()", "...", "…", ":", "|", "。", "É", "!",
    "1. ", " *(unverified)*", " **(no such evidence)**", "](x)", "E9", "-E3", "<!-- ", "    ", "_",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join)


def removed(text: str) -> str:
    for one in (
        " **(no such evidence)**",
        " **(refuted: not in this file)**",
        " **(no such line)**",
        " **(no such file)**",
        f" {UNVERIFIED}",
    ):
        text = text.replace(one, "")
    return text


@given(texts)
@example("- a. [E9]b")
@example("calc.py:999\n#")
def test_marking_adds_only_marks_and_marking_twice_adds_none(text: str) -> None:
    once = mark(text, KNOWN, REFUTED, WRONG)
    assert removed(once) == removed(text)
    assert mark(once, KNOWN, REFUTED, WRONG) == once


@given(texts)
def test_sentences_lie_in_the_text_one_after_the_other(text: str) -> None:
    end = 0
    for one in sentences(text):
        assert end <= one.start < one.end
        assert text[one.start : one.end] == one.text == one.text.strip()
        end = one.end
    for span in code_spans(text):
        assert text[span.start] == text[span.end - 1] == "`"


@given(texts)
def test_what_is_cited_stays_cited_when_it_is_marked(text: str) -> None:
    once = mark(text, KNOWN, REFUTED, WRONG)
    assert set(ids_in(text)) <= set(ids_in(once))
    assert set(places_in(text)) <= set(places_in(once))


@pytest.mark.parametrize(
    "piece",
    ["`", "[E1, ", "a.b/", "((", "a. ", "[E1-E999999]", "](", "<a:", "**(", "> ", "+", "- "],
)
def test_long_texts_cost_little_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    began = time.perf_counter()
    mark(text, KNOWN, REFUTED, WRONG)
    assert time.perf_counter() - began < 10

"""Where a finding is in a text that has been edited since, and whether a patch is in it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bug_lsp.domain.findings import (
    AROUND,
    Anchor,
    VerifiedFinding,
    anchor,
    finding_id,
    hunks_of,
    is_in,
)
from bug_lsp.domain.source import Source, split_lines

CODE = """\
def f(a):
    b = a
    if b:
        return a - b
    return b


def g():
    return b
"""
LINES = st.lists(st.sampled_from(["a", "b", "    a", "", "c = 1", "c  =  1", "é"]), min_size=1)


def found(text: str, line: int) -> VerifiedFinding:
    """A finding at a line (from 1) of this text."""
    lines = split_lines(text)
    return VerifiedFinding(
        id="0" * 12,
        claim="It is wrong.",
        path="a.py",
        line=line,
        text=lines[line - 1],
        before=tuple(lines[max(0, line - 1 - AROUND) : line - 1]),
        after=tuple(lines[line : line + AROUND]),
        confidence=0.9,
    )


def at(one: VerifiedFinding, text: str, hint: int | None = None) -> Anchor | None:
    """Where it is in another text."""
    return anchor(one, Source(split_lines(text)), one.line - 1 if hint is None else hint)


def test_a_finding_is_where_it_was_in_a_text_that_has_not_changed():
    for number, line in enumerate(split_lines(CODE), start=1):
        if line:
            assert at(found(CODE, number), CODE) == Anchor(number - 1)


def test_lines_above_move_it():
    assert at(found(CODE, 4), "# one\n# two\n" + CODE) == Anchor(5)


def test_of_two_lines_of_the_same_text_it_is_the_one_with_its_own_lines_around():
    swapped = "def g():\n    return b\n\n\n" + CODE.partition("\n\n\n")[0] + "\n"
    assert at(found(CODE, 5), swapped) == Anchor(8)
    assert at(found(CODE, 9), swapped) == Anchor(1)


def test_a_line_that_was_only_indented_is_the_same_line():
    assert at(found(CODE, 4), CODE.replace("        return a - b", "\treturn a - b")) == Anchor(3)


def test_a_line_that_was_changed_is_stale_where_it_was():
    assert at(found(CODE, 4), CODE.replace("a - b", "a + b")) == Anchor(3, stale=True)
    assert at(found(CODE, 4), "#\n#\n" + CODE.replace("a - b", "a + b")) == Anchor(5, stale=True)


def test_in_an_empty_text_it_is_nowhere():
    assert at(found(CODE, 4), "") is None


@given(LINES, LINES, st.data())
def test_a_line_whose_text_is_there_is_never_called_stale_and_a_stale_one_is_not_there(
    old: list[str], new: list[str], data: st.DataObject
):
    text = "\n".join(old)
    number = data.draw(st.integers(1, len(old)))
    assume(old[number - 1].strip())
    hint = data.draw(st.integers(-3, len(new) + 3))
    there = at(found(text, number), "\n".join(new), hint)
    wanted = "".join(old[number - 1].split())
    same = [index for index, line in enumerate(new) if "".join(line.split()) == wanted]
    if there is None:
        assert not "".join(new)
        return
    assert 0 <= there.index < len(new)
    if there.stale:
        assert old[number - 1] not in new
    else:
        assert there.index in same


def test_its_id_is_that_of_the_lines_text_wherever_it_stands():
    one = finding_id("/t.md", "a.py", "    return a - b", 0)
    assert one == finding_id("/t.md", "a.py", "\treturn a -  b", 0)
    others = {
        finding_id("/other.md", "a.py", "    return a - b", 0),
        finding_id("/t.md", "b.py", "    return a - b", 0),
        finding_id("/t.md", "a.py", "    return a + b", 0),
        finding_id("/t.md", "a.py", "    return a - b", 1),
    }
    assert len(others | {one}) == 5


FIXES = [
    CODE.replace("a - b", "a + b"),
    CODE.replace("    b = a\n", ""),
    CODE + "\n\ndef h():\n    return 1\n",
    CODE.replace("return b", "return a"),
    "import os\n" + CODE,
]


@pytest.mark.parametrize("fixed", FIXES)
def test_a_patch_is_in_the_code_when_what_it_makes_stands_there(fixed: str):
    hunks = hunks_of("a.py", CODE, fixed)
    assert not is_in(hunks, {"a.py": CODE})
    assert is_in(hunks, {"a.py": fixed})
    assert is_in(hunks, {"a.py": fixed.replace("\n", "\r\n")})
    assert is_in(hunks, {"a.py": "# first\n\n\n\n" + fixed + "\n\n\n\n# last\n"}), "other edits are"
    assert not is_in(hunks, {"a.py": None})


def test_half_of_a_patch_is_not_in():
    far = "\n".join(f"x{number} = {number}" for number in range(40)) + "\n"
    fixed = far.replace("x3 = 3", "x3 = 4").replace("x30 = 30", "x30 = 31")
    hunks = hunks_of("a.py", far, fixed)
    assert len(hunks) == 2
    assert not is_in(hunks, {"a.py": far.replace("x3 = 3", "x3 = 4")})


def test_a_file_that_a_patch_deletes_is_not_there_when_it_is_in():
    hunks = hunks_of("a.py", CODE, None)
    assert is_in(hunks, {"a.py": None})
    assert not is_in(hunks, {"a.py": CODE})


def test_no_patch_is_in_nothing():
    assert not is_in((), {})


@given(st.data())
def test_whatever_a_patch_changes_it_is_in_after_it_and_not_before(data: st.DataObject):
    """Of lines that are not the same: else what a patch makes may have stood there before."""
    lines = st.lists(st.sampled_from([f"line {number}" for number in range(12)]), unique=True)
    old, new = data.draw(lines), data.draw(lines)
    assume(old != new)
    before, after = "\n".join(old), "\n".join(new)
    hunks = hunks_of("a.py", before, after)
    assert is_in(hunks, {"a.py": after})
    assert not is_in(hunks, {"a.py": before})

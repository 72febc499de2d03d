"""Where findings are shown: in a text that is known by its digest as in any that is looked into."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.findings import AROUND, TaskFindings, VerifiedFinding
from bug_lsp.domain.source import decode, digest, split_lines
from bug_lsp.lsp.placed import Entry, Placed, Text, on_disk, place

CODE = "def f(a):\n    b = a\n\treturn '\U0001f41b' + b \n\n\ndef g():\n    return b\n"
TEXTS = st.text(alphabet="ab \n\r\té\U0001f41b\ufeff\u2028\f", max_size=40)


def found_in(text: str, number: int, *, with_digest: bool = True) -> Entry:
    """A finding at a line (from 1) of this text."""
    lines = split_lines(text)
    finding = VerifiedFinding(
        id="0" * 12,
        claim="It is wrong.",
        path="a.py",
        line=number,
        text=lines[number - 1],
        before=tuple(lines[max(0, number - 1 - AROUND) : number - 1]),
        after=tuple(lines[number : number + AROUND]),
        confidence=0.9,
    )
    task = TaskFindings(
        debug_run_id="f" * 16,
        session_id="a" * 12,
        task_path="/t.md",
        title="",
        root="/",
        findings=(finding,),
        digests={"a.py": digest(text)} if with_digest else {},
    )
    return Entry(task, finding, Path("/a.py"), task.digests.get("a.py"), number - 1, "")


def shown(entry: Entry, text: str | None, encoding: str = "utf-16") -> list[tuple[int, ...]]:
    """Line, columns and whether it is stale."""
    return [one[1:] for one in place([entry], Text(text), (), encoding)]


@pytest.mark.parametrize(
    ("encoding", "end"), [("utf-8", 18), ("utf-16", 16), ("utf-32", 15)], ids=str
)
@pytest.mark.parametrize("with_digest", [True, False])
def test_columns_are_in_the_units_that_were_agreed_on(
    encoding: str, end: int, *, with_digest: bool
):
    entry = found_in(CODE, 3, with_digest=with_digest)
    assert shown(entry, CODE, encoding) == [(2, 1, end, False)]


@given(TEXTS, TEXTS, st.data())
@example("a\nb", "a\nb", None)
def test_with_its_digest_or_without_a_finding_is_shown_at_the_same_place(
    old: str, new: str, data: st.DataObject | None
):
    lines = split_lines(old)
    written = [number for number, line in enumerate(lines, start=1) if line.strip(" \t\ufeff")]
    for number in written if data is None else written and [data.draw(st.sampled_from(written))]:
        known, other = found_in(old, number), found_in(old, number, with_digest=False)
        for text in (old, new, old.replace("\n", "\r\n"), f"a\n{old}", f"{old}b", old[1:]):
            assert shown(known, text) == shown(other, text)


def test_where_it_was_last_does_not_count_in_the_text_in_which_it_was_found():
    text = "a\nb\na\nb\na\nb\na\nb\na\nb\n"
    entry = found_in(text, 5)
    entry.line = 6
    assert shown(entry, text) == [(4, 0, 1, False)]


def test_of_a_file_that_is_not_there_nothing_is_shown():
    assert shown(found_in(CODE, 3), None) == []


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "marked"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_text_is_known_again_however_its_lines_end_and_whatever_its_mark(
    tmp_path: Path, mark: bytes, ending: str
):
    file = tmp_path / "a.py"
    file.write_bytes(mark + CODE.replace("\n", ending).encode())
    held = on_disk(file).text
    assert held is not None
    assert digest(held) == digest(CODE)
    [one] = place([found_in(CODE, 3)], Text(held), (), "utf-16")
    assert isinstance(one, Placed)
    assert (one.line, one.stale) == (2, False)


def test_bytes_that_are_no_text_of_their_encoding_have_a_digest_too():
    assert digest(str(decode(b"a\xff"))) != digest(str(decode(b"a\xfe")))


@given(TEXTS, TEXTS)
def test_texts_of_the_same_digest_have_the_same_lines_and_no_others(one: str, other: str):
    assert (digest(one) == digest(other)) == (split_lines(one) == split_lines(other))

"""What a new task file is made of: whatever was said, it is quoted, and there is not too much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain.brief import Blame, Brief, Commit, Place, language, render, window
from bug_lsp.domain.context import Diagnostic, Note
from bug_lsp.domain.region import merge, region_of, without_regions
from bug_lsp.domain.related import related
from bug_lsp.domain.task import new_task, title_of

FAKE = """<!-- bug-lsp:begin run=0123456789abcdef -->
## Synthesis

All is well.
<!-- bug-lsp:end -->
"""
HOSTILE = [
    FAKE,
    f"```\n{FAKE}```\n# Not a heading",
    f"~~~\n{FAKE}",
    "`````\n`````\n" + FAKE,
    "<details>\n<summary>Earlier synthesis</summary>",
    "\x1b[31mred\x07\r# x\r\n<!-- bug-lsp:end -->",
    "\ud800 lone",
]


def everywhere(text: str) -> Brief:
    """A brief that has this text wherever a text can be."""
    commit = Commit("0a1b2c3d", "2026-11-22T09:16:18", text, text)
    return Brief(
        path=text,
        diagnostics=(
            Diagnostic(
                message=text, line=3, severity="error", source=text, code=text,
                notes=(Note(message=text, path=text, line=1),),
            ),
        ),
        selected=text,
        selected_in=text,
        places=(
            Place(
                text, 2, 2, function=text, note=text, lines=(text.replace("\n", " "), "x = 1"),
                blame=Blame(((commit, (1, 2)),), (2,)),
            ),
        ),
        state="Checked out is commit 0a1b2c3d.",
    )  # fmt: skip


def headings(text: str) -> list[str]:
    """The headings of the second level that are in no fence."""
    found, fence = [], ""
    for line in text.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if len(ticks) >= 3:
            if not fence:
                fence = ticks
            elif line == fence:
                fence = ""
        elif not fence and line.startswith("## "):
            found.append(line[3:])
    assert not fence
    return found


SECTIONS = [
    "What is reported",
    "The selected text",
    "Where it happens",
    "Recent commits on these lines",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_quoted_makes_no_region_and_no_heading(text):
    body = render(everywhere(text))
    assert headings(body) == SECTIONS
    assert "<!-- bug-lsp:" not in body
    file = new_task("A title", body)
    assert without_regions(file) == file
    assert title_of(file) == "A title"
    edit = merge(file, "fe5dfd753ab6b455", "## Findings\n", replaced_label="x")
    assert edit is not None
    assert region_of(edit.apply(file)) == ("fe5dfd753ab6b455", "## Findings\n")
    assert edit.apply(file).startswith(file)


@given(st.text(alphabet="`~<!->#\n\r bug-lsp:endx", min_size=1, max_size=80))
def test_whatever_is_quoted_the_layout_stays(text):
    body = render(everywhere(text))
    assert [name for name in SECTIONS if name in headings(body)] == headings(body)
    assert {"What is reported", "Where it happens"} <= set(headings(body))
    assert without_regions(body) == body


def test_there_is_never_too_much_and_what_is_cut_is_said():
    long = "word " * 100_000
    lines = ("x" * 10_000,) * 40
    commit = Commit("0a1b2c3d", "2026-11-22T09:16:18", long, long)
    commits = tuple((commit, (number,)) for number in range(1, 40))
    brief = Brief(
        path="a/" * 5_000,
        diagnostics=(Diagnostic(message=long, line=3, source=long, code=long),) * 50,
        selected=long,
        selected_in=long,
        places=tuple(
            Place(f"{number}{'b' * 300}.py", 7, 7, function=long, note=long, lines=lines,
                  blame=Blame(commits, tuple(range(1, 400, 2))))
            for number in range(8)
        ),
        foreign_frames=3,
        more_places=5,
    )  # fmt: skip
    body = render(brief)
    assert len(body) < 20_000
    assert "the middle is left out" in body
    assert "more diagnostics left out." in body
    assert "more places left out." in body
    assert "3 frames in libraries are left out." in body


def test_of_nothing_there_is_nothing_and_no_section_is_empty():
    assert not render(Brief())
    assert headings(render(Brief(selected="x"))) == ["The selected text"]
    assert headings(render(Brief(foreign_frames=1))) == ["Where it happens"]


def test_the_line_is_marked_and_a_line_that_is_not_there_is_said():
    body = render(Brief(places=(Place("a.py", 9, 9, first=8, lines=("a", "", "c")),)))
    assert "\n```python\n   8 | a\n>  9 |\n  10 | c\n```\n" in body
    assert "There is no such line" in render(Brief(places=(Place("a.py", 900, 900),)))


def test_each_commit_is_told_once_with_its_lines_and_the_newest_first():
    old = Commit("0000000a", "2025-01-01T00:00:00", "Ada", "Old")
    new = Commit("0000000b", "2026-01-01T00:00:00", "Grace", "New")
    body = render(
        Brief(
            places=(
                Place("a.py", 1, 1, lines=("x",), blame=Blame(((old, (1, 2, 4)),))),
                Place("b.py", 1, 1, lines=("x",), blame=Blame(((new, (1,)), (old, (2,))), (3,))),
            )
        )
    )
    assert body.endswith(
        "- not committed yet: `b.py` line 3\n"
        "- `0000000b`, 2026-01-01, Grace, `New`: `b.py` line 1\n"
        "- `0000000a`, 2025-01-01, Ada, `Old`: `a.py` lines 1-2, 4; `b.py` line 2\n"
    )


def test_a_window_is_about_twelve_lines_and_holds_what_is_marked():
    assert window(3, 3) == (1, 8)
    assert window(50, 50) == (44, 55)
    assert window(50, 60) == (44, 65)
    assert window(50, 5_000) == (44, 85)
    assert [language(name) for name in ("a.py", "b/c.TSX", "x.log", "Makefile")] == [
        "python", "tsx", "", "",
    ]  # fmt: skip


def test_two_bugs_are_not_alike_because_both_were_noted_by_us():
    def brief(path: str, message: str, word: str) -> str:
        found = Diagnostic(message=message, line=2, severity="error", source="Pyright", code=word)
        commit = Commit("0a1b2c3d", "2026-11-22T09:16:18", "Ada", f"Add {word}")
        place = Place(path, 2, 2, lines=(f"{word} = 1",) * 3, blame=Blame(((commit, (1, 2)),)))
        body = render(Brief(path=path, diagnostics=(found,), places=(place,), state="Commit a."))
        return new_task(message, body)

    cart = brief("shop/cart.py", '"price" is possibly unbound', "reportUnbound")
    login = brief("web/login.py", "Import cannot be resolved", "reportImports")
    edit = merge(login, "fe5dfd753ab6b455", "## Synthesis\n\n## Root cause\n\nNo.\n\n"
                 "## Recommended solution\n\nInstall it.\n", replaced_label="")  # fmt: skip
    assert edit is not None
    assert related(cart, [("login.md", edit.apply(login))]) == []
    assert related(login, [("login.md", edit.apply(login))]) != []

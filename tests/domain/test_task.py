"""Titles, names and ids."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.ids import (
    is_run_id,
    is_session_id,
    new_run_id,
    new_session_id,
    parse_session_uri,
    session_uri,
)
from bug_lsp.domain.task import new_task, slug, title_of

REGION = f"<!-- bug-lsp:begin run={'a' * 16} -->\n## Root cause\n<!-- bug-lsp:end -->\n"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Prices are too low\n", "Prices are too low"),
        ("\ntext\n\n### Deeper ###\n", "Deeper"),
        ("# Crash in C#\n", "Crash in C#"),
        ("# Closed ##  \n", "Closed"),
        ("Underlined\n===\n", "Underlined"),
        ("Also so\r\n---\r\n", "Also so"),
        ("---\ntitle: x\n---\n# After front matter\n", "After front matter"),
        ("```sh\n# a comment\n```\n# Real\n", "Real"),
        ("~~~~\n# no\n~~~\n# no\n~~~~~\n# Real\n", "Real"),
        ("# **Bold** `code` and [a link](http://x.y) ![pic](z)\n", "Bold code and a link pic"),
        (f"{REGION}# The user's\n", "The user's"),
        ("#\n# #\n## **\n# Third\n", "Third"),
        ("\ufeff\n# Later\n", "Later"),
        ("#no space\n", None),
        ("    # code\n", None),
        ("---\n", None),
        (REGION, None),
        ("", None),
    ],
)
def test_the_title_is_the_first_heading_as_plain_text(text: str, title: str | None) -> None:
    assert title_of(text) == title


@given(st.text())
@example("# \\[")
def test_any_text_has_a_title_or_none(text: str) -> None:
    title = title_of(text)
    assert title is None or (title == " ".join(title.split()) and title)


@pytest.mark.parametrize("filling", [" ", "#", "# ", "[", "*", "-", "`"])
def test_a_long_line_costs_no_time(filling: str) -> None:
    began = time.perf_counter()
    title_of("# a" + filling * 20_000 + "b\n")
    assert time.perf_counter() - began < 2


@given(st.text())
@example("../..")
@example("İ" * 100)
@example("🐞")
def test_a_slug_is_a_name_that_a_file_can_have(title: str) -> None:
    name = slug(title)
    assert 1 <= len(name) <= 60
    assert len(f"{name}-999.md".encode()) <= 255
    assert not set(name) & set('/\\:*?"<>| .\0\n')
    assert not name.startswith("-")
    assert not name.endswith("-")
    assert slug(name) == name


def test_a_new_task_opens_with_its_title() -> None:
    assert new_task("T", "") == "# T\n"
    assert title_of(new_task("T", "\n\nwords\n\n")) == "T"
    assert new_task("T", "\n\nwords\n\n") == "# T\n\nwords\n"


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=20, unique=True))
def test_the_newest_run_sorts_first_by_its_name(moments: list[int]) -> None:
    names = {moment: new_run_id(moment) for moment in moments}
    assert all(map(is_run_id, names.values()))
    newest_first = sorted(moments, reverse=True)
    assert sorted(names.values()) == [names[moment] for moment in newest_first]


def test_an_address_tells_its_run_and_its_session() -> None:
    run, session = new_run_id(1_800_000_000_000), new_session_id()
    assert is_session_id(session)
    assert parse_session_uri(session_uri(run, session)) == (run, session)
    assert parse_session_uri(session_uri(run, session).replace("bug-lsp:/", "bug-lsp:///")) == (
        run,
        session,
    )


@given(st.text())
@example("bug-lsp:/runs/../../../etc/passwd.md")
@example(f"bug-lsp:/runs/{'a' * 16}/{'b' * 12}.md\n")
def test_what_is_no_id_is_none(text: str) -> None:
    assert not is_run_id(f"{text}/")
    assert not is_session_id(f"{text}\n")
    assert parse_session_uri(text) is None

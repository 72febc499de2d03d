"""The list of real bugs, and how what is said of them is judged; nothing is downloaded."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from benchmarks.real import catalogue, outcomes, table
from benchmarks.real.catalogue import MODULE, Bug, Package, Place
from benchmarks.real.measure import Result, blamed, claimed
from benchmarks.real.places import changed_lines, edits_true_function, function_of, rank
from benchmarks.real.sdists import CannotBuild, run
from bug_lsp.domain.report import Finding

CODE = """\
import re

WORDS = [
    "a",
    "b",
]


class Shop:
    @property
    def total(self):
        if self.empty:
            return 0
        return sum(
            self.items,
        )

    def name(self):
        def inner():
            return 1
        return inner
"""


def bug(*places: Place) -> Bug:
    return Bug(
        name="shop-total", package=Package("shop", "MIT", ()), history=("1",), before="2",
        after="3", tests=("test_shop.py::test_total",), copied=("test_shop.py",),
        is_committed=False, since=None, places=places, title="Total", text="It is wrong.",
    )  # fmt: skip


def found(*lines: int, path: str = "shop.py") -> list[Finding]:
    return [Finding(claim="here", path=path, line=line, quote="") for line in lines]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(CODE)
    return tmp_path


def test_there_are_at_least_25_bugs_of_15_packages_each_with_a_licence():
    bugs = catalogue.load()
    assert len(bugs) >= 25
    assert len({one.package.name for one in bugs}) >= 15
    assert all(one.package.licence for one in bugs)
    assert len({one.name for one in bugs}) == len(bugs)


@pytest.mark.parametrize("one", catalogue.load(), ids=lambda one: one.name)
def test_an_entry_says_all_that_its_project_and_its_judgement_need(one):
    assert one.name.startswith(f"{one.package.name}-")
    assert one.places
    assert all(place.first <= place.last for place in one.places)
    assert {test.partition("::")[0] for test in one.tests} <= set(one.copied)
    assert all("==" in requirement for requirement in one.package.requirements)
    names = [test.partition("[")[0].rpartition("::")[2] for test in one.tests]
    assert any(name in one.text or name.removeprefix("test_") in one.text for name in names)
    if one.since is not None:
        assert one.since in (*one.history[1:], one.before), "the version before it is needed too"


def test_an_unknown_name_is_refused_with_the_place_of_the_known_ones():
    with pytest.raises(ValueError, match=r"no bug named nothing; the names are in bugs\.toml"):
        catalogue.load(only=["nothing"])


@pytest.mark.parametrize(
    ("line", "name"),
    [(1, MODULE), (4, MODULE), (9, "Shop"), (10, "Shop.total"), (13, "Shop.total"),
     (20, "Shop.name.inner"), (21, "Shop.name")],
)  # fmt: skip
def test_the_function_of_a_line_is_the_innermost_with_its_decorators(line, name):
    assert function_of(ast.parse(CODE), line) == name


def test_a_finding_is_at_the_true_line_if_its_statement_is(shop):
    true = bug(Place("shop.py", "Shop.total", 15, 15))
    assert rank(found(14), true, shop, "line") == 1
    assert rank(found(13, 12, 14), true, shop, "line") == 3
    true = bug(Place("shop.py", "Shop.total", 13, 13))
    assert rank(found(12), true, shop, "line") == 0, "the head of a branch is not its body"


def test_findings_in_one_function_share_a_rank(shop):
    true = bug(Place("shop.py", "Shop.name", 21, 21))
    assert rank(found(11, 12, 13, 21), true, shop, "function") == 2
    assert rank(found(20), true, shop, "function") == 1, "a function in the true one counts"
    assert rank(found(11), true, shop, "function") == 0
    assert rank(found(11, path="other.py"), true, shop, "file") == 0


def test_outside_of_functions_the_true_statement_counts(shop):
    true = bug(Place("shop.py", MODULE, 5, 5))
    assert rank(found(4), true, shop, "function") == 1
    assert rank(found(1), true, shop, "function") == 0


def test_a_diff_is_read_by_the_lines_before_it():
    diff = "--- a/shop.py\n+++ b/shop.py\n@@ -11,3 +11,3 @@\n a\n-b\n+c\n d\n+e\n"
    assert changed_lines(diff) == [("shop.py", 12), ("shop.py", 12), ("shop.py", 13)]


def test_a_patch_elsewhere_does_not_edit_the_true_function(shop):
    diff = "--- a/shop.py\n+++ b/shop.py\n@@ -13 +13 @@\n-    return 0\n+    return 1\n"
    assert edits_true_function(diff, bug(Place("shop.py", "Shop.total", 13, 13)), shop)
    assert not edits_true_function(diff, bug(Place("shop.py", "Shop.name", 21, 21)), shop)


@pytest.mark.parametrize(
    ("markdown", "claim"),
    [
        ("## Synthesis (proven: a.py:3)\n\n## Root cause\n", "proven"),
        ("## Synthesis (likely: a.py:3)\n", "likely"),
        ("## Synthesis (2 of 3 agents agree on a.py:3)\n\n## Root cause\n", "cause"),
        ("## Synthesis (a place to begin: a.py:3)\n\n## Where to look\n", ""),
        ("## Synthesis (not proven; likely: a.py:3)\n", "likely"),
        ("## Synthesis (no root cause found)\n\nproven\n", ""),
    ],
)
def test_the_strongest_word_of_the_headings_is_what_is_claimed(markdown, claim):
    assert claimed(markdown) == claim


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        ("commit 1a2b3c4 (Release 2, someone, 2026-01-02) made `test_a` fail", "1a2b3c4"),
        ("one of 3 commits, 1111111 to 2222222, of which all but the newest", "2222222"),
        ("what is not committed yet made `test_a` fail", ""),
        ("", ""),
    ],
)
def test_the_commit_that_is_blamed_is_the_first_that_is_named(text, commit):
    assert blamed(text) == commit


def test_the_table_has_a_summary_and_each_bug():
    results = [
        Result("one", 10, {"file": 1, "function": 1, "line": 0}, {"repair": {"function": 2}},
               patch="proven", is_right=True, claim="proven"),
        Result("two", 31, {"file": 1, "function": 4, "line": 0}, claim="cause", is_false=True),
    ]  # fmt: skip
    text = table.table(results)
    assert text.startswith(
        "2 bugs: true function first 50 %, in the first three 50 %; median 20 s, longest 31 s; "
        "1 false claims."
    )
    assert "| one | 1 / 1 / - | - | 2 | - | - | proven, right | proven | 10 |" in text
    assert "| two | 1 / 4 / - | - | - | - | - | - | cause, **false** | 31 |" in text


def test_the_table_is_written_between_its_marks(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.write("new", page)
    assert page.read_text() == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"
    assert table.BEGIN in table.PAGE.read_text()


def test_outcomes_are_those_of_the_project_s_own_pytest(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text("total = 3\n")
    (tmp_path / "test_shop.py").write_text(
        "import shop\ndef test_good(): assert shop.total == 3\n"
        "def test_bad(): assert shop.total == 4\ndef test_broken(missing): pass\n"
    )
    seen = outcomes.outcomes(sys.executable, tmp_path)
    assert seen == {
        "test_shop.py::test_good": "passed",
        "test_shop.py::test_bad": "failed",
        "test_shop.py::test_broken": "failed",
    }


def test_a_command_that_fails_is_told_with_its_last_line():
    command = [sys.executable, "-c", "raise SystemExit('no such version')"]
    with pytest.raises(CannotBuild, match="it cannot be had: no such version"):
        run(command, "it cannot be had")


def test_a_run_without_anything_built_says_what_to_do_first(tmp_path):
    command = [sys.executable, "-m", "benchmarks.real", "run", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run `python -m benchmarks.real build" in done.stdout

"""What stands before what among the suspects, and what is said of how sure that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bug_lsp.agents.python_tests import SuiteRun
from bug_lsp.agents.python_tests.named_in_files import find_named_tests
from bug_lsp.agents.python_tests.results import Failure, Frame, RanTest
from bug_lsp.agents.spectrum.agent import Spectrum
from bug_lsp.agents.spectrum.python_source import PythonSource
from bug_lsp.agents.spectrum.suspects import rank
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.report import Basis

from .small_projects import SmallProject, run_agent

RANGE = b"""
class Range:
    def __getitem__(self, i):
        if i < 0:
            i += len(self)
        if i >= len(self):
            raise IndexError("out of range")
        return i

    def __reversed__(self):
        return iter(range(self[-1], 0, -1))


def first(items):
    try:
        return items[0]
    except IndexError:
        name = "first"
        raise LookupError(name)
"""


def ran(name: str, *lines: int, error: str = "IndexError") -> RanTest:
    frames = tuple(Frame(path="more.py", line=line) for line in lines)
    failure = Failure(type=error, message="out of range", frames=frames) if lines else None
    outcome = "failed" if lines else "passed"
    return RanTest(
        id=f"test_more.py::{name}", path="test_more.py", outcome=outcome, failure=failure
    )


def lines_of(run: SuiteRun) -> list[int]:
    source = PythonSource.parse(RANGE)
    return [one.line for one in rank(run, [0], lambda _path: source)]


def test_a_raise_stands_behind_its_condition_and_what_led_to_it():
    """more-itertools: the lines that raise stood first."""
    run = SuiteRun(
        tests=(ran("test_reversed", 11, 7), ran("test_get"), ran("test_negative")),
        coverage={
            "more.py": {4: (0, 1, 2), 5: (0, 2), 6: (0, 1, 2), 7: (0,), 8: (1, 2), 11: (0,)},
        },
    )

    assert lines_of(run) == [11, 5, 4, 6, 7]


def test_a_handler_that_raises_again_stands_behind_what_was_raised():
    run = SuiteRun(
        tests=(ran("test_first", 19, 16), ran("test_other")),
        coverage={"more.py": {15: (0,), 16: (0,), 17: (0,), 18: (0,), 19: (0,)}},
    )

    assert lines_of(run)[:2] == [16, 15]
    assert set(lines_of(run)[2:]) == {17, 18, 19}


def test_where_an_exception_arose_is_a_suspect_however_many_tests_pass_there():
    many = tuple(ran(f"test_{n}") for n in range(40))
    run = SuiteRun(
        tests=(ran("test_get", 5), *many),
        coverage={"more.py": {4: (0,), 5: tuple(range(41)), 6: tuple(range(41))}},
    )

    assert lines_of(run) == [4, 5]


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


@pytest.mark.anyio
async def test_ties_are_shown_as_ties(project):
    tests = "".join(f"def test_{n}():\n    assert total([{n}]) == {n}\n\n" for n in range(3, 6))
    project.write(
        {
            "shop.py": """
                def total(prices):
                    found = sum(prices)
                    last = prices[-1]
                    if last > 4:
                        pass
                    return found if last != 5 else 0
            """,
            "test_shop.py": f"from shop import total\n\n{tests}",
        }
    )
    job = replace(project.job(), beside=("repair",))

    done = await run_agent(Spectrum(), job)

    assert "| 2-5 | `shop.py:2` | 0.58 | 1 of 1 | 2 of 2 |" in done.answer.text
    assert done.places[0] == "shop.py:5"
    assert {finding.measurement for finding in done.report.findings} == {"tests"}
    assert {finding.basis for finding in done.report.findings} == {Basis.COVERAGE}
    assert "small edit" not in done.answer.text
    assert done.report.findings[1].claim.endswith("4 lines stand out equally")


@pytest.mark.anyio
async def test_a_weak_score_is_said_as_a_doubt(project):
    tests = "".join(f"def test_{n}():\n    assert half({n}) == {n} / 2\n\n" for n in range(6))
    project.write(
        {
            "shop.py": "def half(n):\n    return n // 2 if n == 5 else n / 2\n",
            "test_shop.py": f"from shop import half\n\n{tests}",
        }
    )

    done = await run_agent(Spectrum(), replace(project.job(), beside=("repair",)))

    doubt = "(Ochiai 0.41). Weak evidence: most of the tests that execute it pass. This says where"
    assert doubt in done.report.root_cause
    assert done.report.findings[0].confidence < 0.4


@pytest.mark.anyio
async def test_unrelated_failures_are_left_out_of_the_ranking_and_told(project):
    project.write(
        {
            "cells.py": "def width(text):\n    return len(text) + 1\n",
            "syntax.py": "def colours(text):\n    return text.colour\n",
            "tests/test_cells.py": """
                from cells import width

                def test_width():
                    assert width("a") == 1
            """,
            "tests/test_syntax.py": """
                from syntax import colours

                def test_colours():
                    assert colours("a")

                def test_more_colours():
                    assert colours("b")
            """,
        }
    )
    job = replace(project.job(), task="The width is wrong, see `test_width`.")

    done = await run_agent(Spectrum(), job)

    assert done.places == ["cells.py:2"]
    assert "## Left out of the ranking" in done.answer.text
    assert "fail too, probably not this bug: the task names others" in done.answer.text


@pytest.mark.anyio
async def test_without_a_named_test_the_doubt_is_said(project):
    project.write(
        {
            "cells.py": "def width(text):\n    return len(text) + 1\n",
            "syntax.py": "def colours(text):\n    return text.colour\n",
            "test_a.py": "from cells import width\n\ndef test_a():\n    assert width('a') == 1\n",
            "test_b.py": "from syntax import colours\n\ndef test_b():\n    colours('a')\n",
        }
    )
    job = replace(project.job(), task="Cells are too wide")

    done = await run_agent(Spectrum(), job)

    assert done.places == ["cells.py:2"]
    assert "1 other test failing for other reasons may as well be the bug" in done.report.root_cause


@pytest.mark.anyio
async def test_a_named_test_that_passes_is_said_where_nothing_fails(project):
    project.write({"shop.py": "", "test_shop.py": "def test_shop():\n    pass\n"})

    with pytest.raises(AgentFailure, match="test_shop, which the task names, passes here; "):
        await run_agent(Spectrum(), replace(project.job(), task="`test_shop` is red"))


def test_named_tests_are_found_in_the_files_before_anything_runs(tmp_path):
    project = SmallProject(tmp_path)
    project.write(
        {
            "tests/test_a.py": """
                class TestA:
                    def test_total(self):
                        pass

                    def helper_test_total(self):
                        pass
            """,
            "tests/test_b.py": "async def test_total():\n    pass\n",
            "tests/broken_test.py": "def test_total(:\n",
            "shop.py": "def test_total():\n    pass\n",
            "node_modules/test_c.py": "def test_total():\n    pass\n",
        }
    )

    assert find_named_tests(project.root, "`test_total` fails") == (
        "tests/test_a.py::TestA::test_total",
        "tests/test_b.py::test_total",
    )
    assert find_named_tests(project.root, "TestA::test_total") == (
        "tests/test_a.py::TestA::test_total",
    )
    assert find_named_tests(project.root, "all of tests/test_a.py") == ()
    assert find_named_tests(project.root, "nothing is named") == ()

"""Which of the failing tests show the bug that a task is about."""

from __future__ import annotations

import pytest

from bug_lsp.agents.python_tests import SuiteRun, triage
from bug_lsp.agents.python_tests.named import named_tests
from bug_lsp.agents.python_tests.results import CollectionError, Failure, Frame, RanTest

IDS = (
    "tests/test_cart.py::test_total",
    "tests/test_cart.py::test_total_of_nothing",
    "tests/test_cart.py::test_price[1]",
    "tests/test_cart.py::test_price[2]",
    "tests/test_cart.py::TestTax::test_rate",
    "tests/test_shop.py::TestTax::test_rate",
    "tests/deep/test_shop.py::test_total",
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("test_total_of_nothing fails", IDS[1:2]),
        ("`test_total` fails", (IDS[0], IDS[6])),
        ("see tests/test_cart.py: test_total fails", IDS[:1]),
        ('File "/home/ada/shop/tests/test_cart.py", line 12, in test_total', IDS[:1]),
        ("FAILED tests/test_cart.py::test_total - assert 1 == 2", IDS[:1]),
        ("FAILED tests/test_cart.py::test_price[2] - assert", IDS[3:4]),
        ("tests/test_cart.py::test_price", IDS[2:4]),
        ("the case test_price[1] alone", IDS[2:3]),
        ("TestTax::test_rate fails", IDS[4:6]),
        ("FAIL: test_rate (tests.test_shop.TestTax)", IDS[5:6]),
        ("FAIL: test_rate (tests.test_shop.TestTax.test_rate)", IDS[5:6]),
        ("python -m unittest tests.test_cart.TestTax.test_rate", IDS[4:5]),
        ("deep/test_shop.py::test_total", IDS[6:]),
    ],
)
def test_a_test_is_named_in_the_ways_of_people_and_tools(text, ids):
    named = named_tests(IDS, text)

    assert named.ids == set(ids)
    assert named.is_exact


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("run tests/test_cart.py", IDS[:5]),
        ("all of test_cart.py", IDS[:5]),
        ("python -m pytest tests/deep/test_shop.py", IDS[6:]),
        ("the module tests.test_cart is red", IDS[:5]),
        ("everything in TestTax", IDS[4:6]),
        ("my_test_total and test_totals are other names", ()),
        ("the total of the test is wrong", ()),
        ("", ()),
    ],
)
def test_a_class_or_a_file_names_all_of_its_tests(text, ids):
    named = named_tests(IDS, text)

    assert named.ids == set(ids)
    assert not named.is_exact


def failed(name: str, error: str = "AssertionError", said: str = "", *places: str) -> RanTest:
    frames = [Frame(path=p.partition(":")[0], line=int(p.partition(":")[2])) for p in places]
    failure = Failure(type=error, message=said, frames=tuple(frames))
    path = name.partition("::")[0]
    return RanTest(id=name, path=path, outcome="failed", failure=failure)


def passed(name: str) -> RanTest:
    return RanTest(id=name, path=name.partition("::")[0], outcome="passed")


RICH = SuiteRun(
    tests=(
        failed("tests/test_cells.py::test_split", "AssertionError", "assert 1 == 2"),
        failed("tests/test_syntax.py::test_a", "AttributeError", "no 'x' in it", "syntax.py:605"),
        failed("tests/test_syntax.py::test_b", "AttributeError", "no 'y' in it", "syntax.py:605"),
        failed("tests/test_markdown.py::test_c", "AssertionError", "assert 'a' == 'b'"),
        passed("tests/test_cells.py::test_len"),
        passed("tests/test_syntax.py::test_d"),
    ),
    coverage={
        "cells.py": {3: (0, 4), 7: (0,)},
        "syntax.py": {10: (1, 2, 3, 5), 605: (1, 2)},
        "markdown.py": {4: (3,), 5: (3,)},
    },
)


def test_what_the_task_names_is_the_bug_and_the_others_are_told():
    found = triage(RICH, "A lone escape hangs: `test_split` of tests/test_cells.py")

    assert found.shown == ("tests/test_cells.py::test_split",)
    assert found.is_named
    assert found.told == (
        (
            f"{', '.join(test.id for test in RICH.failing[1:])} fail too, probably not this bug:"
            " the task names others"
        ),
    )


def test_where_nothing_is_named_the_group_that_fits_the_words_is_the_bug():
    assert triage(RICH, "Cells are counted wrongly").shown == ("tests/test_cells.py::test_split",)
    assert triage(RICH, "Markdown is shown wrongly").shown == ("tests/test_markdown.py::test_c",)
    found = triage(RICH, "AttributeError in syntax.py")
    assert found.shown == ("tests/test_syntax.py::test_a", "tests/test_syntax.py::test_b")
    assert not found.is_named


def test_where_no_word_fits_the_largest_group_is_the_bug():
    found = triage(RICH, "It is broken")

    assert found.shown == ("tests/test_syntax.py::test_a", "tests/test_syntax.py::test_b")
    assert found.told[0] == (
        "tests/test_cells.py::test_split fails too, probably not this bug:"
        " AssertionError: assert 1 == 2"
    )


def test_tests_of_one_bug_stay_together_whatever_they_raise():
    run = SuiteRun(
        tests=(
            failed("test_a.py::test_a", "AssertionError", "assert 1 == 2"),
            failed("test_a.py::test_b", "KeyError", "'x'", "shop.py:4"),
            failed("test_a.py::test_c", "IndexError", "list index out of range", "shop.py:5"),
            passed("test_a.py::test_d"),
        ),
        coverage={"shop.py": {1: (0, 1, 2, 3), 2: (0, 1, 2), 4: (1, 2), 5: (2,)}},
    )

    assert len(triage(run, "").shown) == 3


def test_a_test_that_shares_its_lines_with_the_named_one_may_show_the_same_bug():
    found = triage(RICH, "`test_a` of tests/test_syntax.py is red")

    assert found.shown == ("tests/test_syntax.py::test_a",)
    assert list(found.related) == ["tests/test_syntax.py::test_b"]
    assert "tests/test_syntax.py::test_b fails too, perhaps for the same reason" in found.told[0]
    assert "tests/test_cells.py::test_split" in found.others


def test_the_command_says_which_tests_count():
    ids = {test.id for test in RICH.tests if "syntax" in test.id}

    found = triage(RICH, "It is broken", of_command=ids)

    assert set(found.shown) < ids
    assert "tests/test_cells.py::test_split" in found.others
    one = triage(RICH, "", command="pytest tests/test_syntax.py::test_b", of_command=ids)
    assert one.shown == ("tests/test_syntax.py::test_b",)


@pytest.mark.parametrize(
    ("error", "said", "reason"),
    [
        ("ModuleNotFoundError", "No module named 'yaml'", "`yaml` is not installed"),
        ("ImportError", "cannot import name 'x' from 'yaml' (/y)", "the installed `yaml` has no"),
        ("AttributeError", "module 'numpy' has no attribute 'int'", "the installed `numpy` has no"),
        ("ConnectionError", "[Errno 111] Connection refused", "it needs the network"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'less'", "the program `less`"),
        ("DeprecationWarning", "utcnow() is deprecated", "a warning is an error here"),
        ("Failed", "async def functions are not natively supported.", "no installed plugin runs"),
    ],
)
def test_what_the_environment_lacks_is_not_the_bug(error, said, reason):
    run = SuiteRun(tests=(failed("test_a.py::test_a", error, said), failed("test_b.py::test_b")))

    found = triage(run, "", own_modules={"shop"})

    assert found.shown == ("test_b.py::test_b",)
    assert found.environment["test_a.py::test_a"].startswith(reason)


def test_a_missing_name_of_the_projects_own_is_the_bug():
    run = SuiteRun(
        collection_errors=(
            CollectionError(
                where="tests/test_a.py",
                failure=Failure(type="ImportError", message="cannot import name 'x' from 'shop'"),
            ),
        )
    )

    assert triage(run, "", own_modules={"shop"}).shown == ("tests/test_a.py",)


def test_a_name_that_the_environment_may_lack_is_the_bug_where_nothing_else_fails():
    run = SuiteRun(
        tests=(failed("t.py::test_a", "AttributeError", "module 'math' has no attribute 'sqroot'"),)
    )

    assert triage(run, "").shown == ("t.py::test_a",)


def test_a_slow_test_is_unknown_unless_it_is_named_or_all_that_fails():
    slow = failed("t.py::test_slow", "Timeout", "still running after 10 s", "shop.py:4")
    both = SuiteRun(tests=(slow, failed("t.py::test_fails", "KeyError", "'x'", "shop.py:4")))

    found = triage(both, "")
    assert found.shown == ("t.py::test_fails",)
    assert found.told == (
        (
            "t.py::test_slow may or may not fail:"
            " still running when the time of a test was over, which says nothing"
        ),
    )
    assert triage(both, "test_slow hangs").shown == ("t.py::test_slow",)
    assert triage(SuiteRun(tests=(slow,)), "").shown == ("t.py::test_slow",)


def test_a_named_test_that_passes_is_told():
    found = triage(RICH, "test_len is red")

    assert found.passing == ("tests/test_cells.py::test_len",)
    assert "tests/test_cells.py::test_len, which the task names, passes here" in found.told

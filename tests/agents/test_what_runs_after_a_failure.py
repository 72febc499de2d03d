"""What runs when a test has failed already, or only to show that it has, is no suspect."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bug_lsp.agents.python_tests import Plan, PythonProject, SuiteRun, run_tests
from bug_lsp.agents.spectrum.agent import Spectrum

from .small_projects import SmallProject, run_agent

pytestmark = pytest.mark.anyio

SHOP = """
    class Price:
        def __init__(self, cents):
            self.cents = cents

        def __eq__(self, other):
            return self.cents == other.cents

        def __repr__(self):
            text = str(self.cents)
            return f"<Price {text}>"


    def total(items):
        cents = 0
        for item in items:
            cents += item.cents
        return Price(round(cents / 10) * 10)


    def clear(items):
        for item in items:
            item.cents = 0
"""
TOTAL = {14, 15, 16, 17}
REPR = {9, 10}
CLEAR = {21, 22}


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


async def executed(project: SmallProject, test: str, path: str = "shop.py") -> set[int]:
    """The lines that a test is said to execute."""
    run = await measured(project)
    number = next(n for n, one in enumerate(run.tests) if one.id.endswith(f"::{test}"))
    return {line for line, tests in run.coverage.get(path, {}).items() if number in tests}


async def measured(project: SmallProject, plan: Plan | None = None) -> SuiteRun:
    return await run_tests(PythonProject.of(project.job()), plan or Plan(coverage=True))


@pytest.mark.parametrize(
    "check",
    [
        "assert total(PRICES) == Price(31)",
        "assert total(PRICES) == Price(31), 'too little'",
        "assert [total(PRICES)] == [Price(31)]",
        "assert total(PRICES) in [Price(31), Price(32)]",
        "assert total(PRICES) == Price(31) and PRICES",
        "assert not total(PRICES)",
    ],
)
async def test_showing_the_values_of_an_assertion_of_pytest_executes_nothing(project, check):
    project.write(
        {
            "shop.py": SHOP,
            "test_shop.py": f"""
                from shop import Price, total

                PRICES = [Price(10), Price(21)]

                def test_total():
                    {check}
            """,
        }
    )

    lines = await executed(project, "test_total")

    assert lines >= TOTAL
    assert not lines & REPR


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
@pytest.mark.parametrize(
    "check",
    [
        "self.assertEqual(total(PRICES), Price(31))",
        "self.assertEqual([total(PRICES)], [Price(31)])",
        "self.assertEqual({'a': total(PRICES)}, {'a': Price(31)})",
        "self.assertIn(total(PRICES), [Price(31)])",
        "self.assertFalse(total(PRICES))",
        "self.assertIsNone(total(PRICES))",
    ],
)
async def test_showing_the_values_of_an_assertion_of_unittest_executes_nothing(
    project, framework, check
):
    project.write(
        {
            "shop.py": SHOP,
            "test_shop.py": f"""
                import unittest
                from shop import Price, clear, total

                PRICES = [Price(10), Price(21)]

                class Total(unittest.TestCase):
                    def test_total(self):
                        {check}

                    def tearDown(self):
                        clear(PRICES)
            """,
        }
    )
    run = await measured(project, Plan(framework, coverage=True))

    lines = set(run.coverage["shop.py"])
    assert lines >= TOTAL
    assert not lines & (REPR | CLEAR)


async def test_a_test_that_catches_an_assertion_goes_on_to_be_measured(project):
    project.write(
        {
            "shop.py": SHOP,
            "test_shop.py": """
                import unittest
                import pytest
                from shop import Price, clear

                def test_caught():
                    with pytest.raises(AssertionError):
                        assert Price(1) == Price(2)
                    clear([Price(1)])
                    assert False

                class Caught(unittest.TestCase):
                    def test_caught_too(self):
                        with self.assertRaises(AssertionError):
                            self.assertEqual(Price(1), Price(2))
                        clear([Price(1)])
                        self.fail()
            """,
        }
    )
    run = await measured(project)

    assert [test.outcome for test in run.tests] == ["failed", "failed"]
    assert all(run.coverage["shop.py"][line] == (0, 1) for line in CLEAR)
    assert not REPR & set(run.coverage["shop.py"])


async def test_tear_down_belongs_to_tests_that_pass_and_to_those_that_fail_in_it(project):
    project.write(
        {
            "shop.py": SHOP,
            "test_shop.py": """
                import pytest
                from shop import Price, clear, total

                @pytest.fixture
                def prices():
                    prices = [Price(10), Price(21)]
                    yield prices
                    clear(prices)

                @pytest.fixture
                def broken(prices):
                    yield
                    clear(None)

                def test_fails(prices):
                    assert total(prices) == Price(31)

                def test_passes(prices):
                    assert total(prices) == Price(30)

                def test_fails_in_its_tear_down(broken):
                    pass
            """,
        }
    )
    run = await measured(project)

    assert [test.outcome for test in run.tests] == ["failed", "passed", "error"]
    assert run.coverage["shop.py"][21] == (1, 2)


async def test_the_set_up_of_a_shared_fixture_belongs_to_each_test_that_uses_it(project):
    project.write(
        {
            "shop.py": SHOP,
            "test_shop.py": """
                import pytest
                from shop import Price, total

                @pytest.fixture(scope="module")
                def sum():
                    return total([Price(10), Price(21)])

                @pytest.fixture
                def copied(sum):
                    return Price(sum.cents)

                def test_fails(sum):
                    assert sum == Price(31)

                def test_passes(sum):
                    assert sum == Price(30)

                def test_asks_for_it(request):
                    assert request.getfixturevalue("copied") == Price(30)

                def test_other():
                    assert Price(3) == Price(3)
            """,
        }
    )
    run = await measured(project)

    assert all(run.coverage["shop.py"][line] == (0, 1, 2) for line in TOTAL)
    assert run.coverage["shop.py"][3] == (0, 1, 2, 3)


LAZY = """
    import functools

    made = []

    def words():
        if not made:
            made.extend(["a", "b"])
        return made

    @functools.cache
    def longest():
        return max(map(len, words()))

    def count(text):
        return len([word for word in text.split() if word in words()]) + longest()
"""


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
async def test_what_is_made_once_is_not_said_of_the_failing_test_that_comes_first(
    project, framework
):
    """sqlparse: the lines that make the lexer's one instance led the ranking."""
    project.write(
        {
            "shop.py": LAZY,
            "test_shop.py": """
                import unittest
                from shop import count

                class Count(unittest.TestCase):
                    def test_a_fails(self):
                        self.assertEqual(count("a c"), 1)

                    def test_b_passes(self):
                        self.assertEqual(count("a b"), 3)
            """,
        }
    )
    run = await measured(project, Plan(framework, coverage=True))

    assert [test.outcome for test in run.tests] == ["failed", "passed"]
    assert run.coverage["shop.py"] == {6: (0, 1), 8: (0, 1), 15: (0, 1)}


async def test_a_test_that_passes_the_second_time_keeps_what_it_executed_the_first(project):
    project.write(
        {
            "shop.py": LAZY,
            "test_shop.py": """
                from shop import count, made

                def test_first():
                    was_made = bool(made)
                    count("a")
                    assert was_made
            """,
        }
    )
    run = await measured(project)

    assert [test.outcome for test in run.tests] == ["failed"]
    assert run.coverage["shop.py"][7] == (0,)


async def test_the_examples_in_a_docstring_do_not_make_a_file_test_code(project):
    """humanize: the guilty file was left out, as pytest finds doctests in it."""
    project.write(
        {
            "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
            "shop/__init__.py": "",
            "shop/total.py": """
                def total(prices):
                    \"\"\"
                    >>> total([1])
                    1
                    \"\"\"
                    if len(prices) > 1:
                        return prices[0]
                    return sum(prices)
            """,
            "test_total.py": """
                from shop.total import total

                def test_two():
                    assert total([1, 2]) == 3
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job())

    assert sorted(done.places) == ["shop/total.py:6", "shop/total.py:7"]


async def test_a_helper_that_shows_itself_when_an_assertion_fails_is_no_suspect(project):
    """click: the line of a `__repr__` led the ranking, 'executed only by the failing test'."""
    project.write(
        {
            "shop/__init__.py": "",
            "shop/options.py": """
                def parse(args):
                    values = {}
                    for arg in args:
                        if arg.startswith("--"):
                            name, _, value = arg[2:].partition("=")
                            values[name] = value or None
                    return values
            """,
            "shop/testing.py": """
                from shop.options import parse

                class Result:
                    def __init__(self, values):
                        self.values = values

                    def __repr__(self):
                        text = ", ".join(self.values)
                        return f"<Result {text}>"

                def run(*args):
                    return Result(parse(args))
            """,
            "tests/test_options.py": """
                from shop.testing import run

                def test_flag():
                    assert run("--flag").values["flag"] is True

                def test_value():
                    assert run("--flag=1").values["flag"] == "1"

                def test_word():
                    assert not run("word").values
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job())

    assert "shop/options.py:6" in done.places[:2]
    assert not {"shop/testing.py:8", "shop/testing.py:9"} & set(done.places)


@pytest.mark.parametrize("pytest_version", ["", "7"])
async def test_warnings_that_are_errors_do_not_turn_our_own_hooks_into_failures(
    project, tmp_path, pytest_version
):
    project.write(
        {
            "pytest.ini": "[pytest]\nfilterwarnings = error\n",
            "shop.py": SHOP,
            "test_shop.py": """
                import pytest
                from shop import Price, total

                @pytest.fixture
                def broken():
                    yield
                    raise OSError

                def test_fails():
                    assert total([Price(10), Price(21)]) == Price(31)

                def test_fails_in_its_tear_down(broken):
                    pass

                def test_skips():
                    pytest.skip("later")

                def test_passes():
                    assert total([Price(10)]) == Price(10)
            """,
        }
    )
    job = project.job()
    if pytest_version:
        target = tmp_path / "site"
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir"]
        subprocess.run([*command, "--target", target, "pytest<8"], check=True)
        job = replace(job, env={"PYTHONPATH": os.fspath(target)})

    run = await run_tests(PythonProject.of(job), Plan(coverage=True))

    assert run.runner.startswith(f"pytest {pytest_version}")
    outcomes = {test.id.partition("::")[2]: test.outcome for test in run.tests}
    assert outcomes == {
        "test_fails": "failed",
        "test_fails_in_its_tear_down": "error",
        "test_skips": "skipped",
        "test_passes": "passed",
    }
    failures = [test.failure.type for test in run.failing if test.failure]
    assert failures == ["AssertionError", "OSError"]
    assert not run.coverage.get("shop.py", {}).keys() & REPR


@pytest.mark.parametrize("framework", ["pytest", "unittest"])
async def test_what_runs_while_an_exception_is_on_its_way_out_has_not_led_to_it(project, framework):
    """freezegun: the lines of an `__exit__` led the ranking."""
    project.write(
        {
            "shop.py": """
                class Till:
                    def __enter__(self):
                        self.sum = 0
                        return self

                    def __exit__(self, kind, *_):
                        if kind is not None:
                            self.sum = -1

                def price(thing):
                    return {"tea": 3}[thing]

                def pay(thing):
                    with Till() as till:
                        try:
                            till.sum += price(thing)
                        finally:
                            till.last = thing

                def buy(thing):
                    try:
                        pay(thing)
                    except KeyError as error:
                        name = thing.title()
                        raise LookupError(name) from error
            """,
            "test_shop.py": """
                import unittest
                from shop import buy

                class Buy(unittest.TestCase):
                    def test_milk(self):
                        buy("milk")

                    def test_tea(self):
                        buy("tea")
            """,
        }
    )
    run = await measured(project, Plan(framework, coverage=True))

    lines = {line for line, tests in run.coverage["shop.py"].items() if 0 in tests}
    assert lines == {3, 4, 11, 14, 15, 16, 21, 22}
    assert run.coverage["shop.py"][11] == (0, 1)

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bug_lsp.agents.spectrum.agent import Spectrum
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Text, ToolCall, ToolResult
from bug_lsp.domain.report import without_last_json_block

from .small_projects import SmallProject, run_agent

pytestmark = pytest.mark.anyio

CART = """
    import math

    RATE = 2


    class Cart:
        \"\"\"Things to buy.\"\"\"

        def total(self, prices):
            \"\"\"What they cost.\"\"\"
            total = 0
            for price in prices:
                if price > 10:
                    total += (
                        price * RATE
                        - 1
                    )
                else:
                    total += price
            return total
"""
CART_TESTS = """
    import pytest
    from shop.cart import Cart

    def test_cheap():
        assert Cart().total([1, 2]) == 3

    def test_nothing():
        assert Cart().total([]) == 0

    @pytest.mark.parametrize("price", [11, 12])
    def test_dear(price):
        assert Cart().total([price]) == 2 * price
"""


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


@pytest.fixture
def cart(project: SmallProject) -> SmallProject:
    """A project in `src` layout whose expensive things cost one too little."""
    project.write(
        {"src/shop/__init__.py": "", "src/shop/cart.py": CART, "tests/test_cart.py": CART_TESTS}
    )
    return project


async def refusal(job) -> AgentFailure:
    with pytest.raises(AgentFailure) as caught:
        await Spectrum().run(job, lambda _event: None)
    return caught.value


async def test_the_line_only_failing_tests_execute_comes_first(cart):
    done = await run_agent(Spectrum(), cart.job())

    first = done.report.findings[0]
    assert (first.path, first.line) == ("src/shop/cart.py", 14)
    assert first.quote == "                total += ("
    observed, _, edits = first.claim.partition("; ")
    assert observed == "executed by 2 of 2 failing and 0 of 2 passing tests (Ochiai 1.00)"
    assert edits.endswith("small edits here turn a failing test green")
    assert first.confidence == 0.9
    assert all(finding.confidence < 0.9 for finding in done.report.findings[1:])


async def test_the_ranking_names_statements_and_never_definitions_or_tests(cart):
    done = await run_agent(Spectrum(), cart.job())

    assert done.places[:2] == ["src/shop/cart.py:14", "src/shop/cart.py:13"]
    assert sorted(done.places) == [f"src/shop/cart.py:{line}" for line in (11, 12, 13, 14, 20)]


async def test_a_line_at_which_a_small_edit_repairs_comes_before_lines_that_fail_more_often(
    project,
):
    project.write(
        {
            "shop.py": """
                def fee(price):
                    if price >= 10:
                        free = True
                        return 0 if free else price
                    return 5
            """,
            "test_shop.py": """
                from shop import fee

                def test_dear():
                    assert fee(11) == 0

                def test_cheap():
                    assert fee(3) == 5

                def test_ten():
                    assert fee(10) == 5
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job())

    assert done.places[0] == "shop.py:2"
    assert "Ochiai 0.58" in done.report.findings[0].claim
    assert "Ochiai 0.71" in done.report.findings[1].claim


async def test_the_answer_reads_well_and_names_the_failing_tests(cart):
    done = await run_agent(Spectrum(), cart.job())

    text = without_last_json_block(done.answer.text)
    assert "- `tests/test_cart.py::test_dear[11]`: AssertionError: assert 21 == (2 \\* 11)" in text
    assert "| 1 | `src/shop/cart.py:14` | 1.00 | 2 of 2 | 0 of 2 |  | `total += (` |" in text
    assert "`tests/test_cart.py::test_dear[12]`" in done.report.root_cause
    assert "not why" in done.report.root_cause


async def test_what_it_does_is_told_as_events(cart):
    done = await run_agent(Spectrum(), cart.job())

    assert [e.name for e in done.events if isinstance(e, ToolCall)] == ["test"]
    result = next(e for e in done.events if isinstance(e, ToolResult))
    assert result.ok
    assert "2 failed, 2 passed" in result.output
    progress = [e for e in done.events if isinstance(e, Activity) and "running" in e.text]
    assert progress[-1] == Activity(text="running tests 4/4", percentage=100)
    doubt, answer = (e.text for e in done.events if isinstance(e, Text))
    assert "No environment of this project was found" in doubt
    assert answer == done.answer.text


async def test_the_same_tests_give_the_same_answer(cart):
    job = cart.job()

    first = await run_agent(Spectrum(), job)
    second = await run_agent(Spectrum(), job)

    assert first.answer == second.answer


async def test_the_copy_is_left_as_it_was(cart):
    job = cart.job()
    before = cart.files_of_copy()

    await run_agent(Spectrum(), job)

    assert cart.files_of_copy() == before


async def test_a_test_command_says_which_failing_tests_count(project):
    project.write(
        {
            "shop.py": "def one():\n    return 2\n\n\ndef two():\n    return 3\n",
            "test_shop.py": """
                import shop

                def test_one():
                    assert shop.one() == 1

                def test_two():
                    assert shop.two() == 2
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job("COLOR=no python -m pytest -x -k two"))

    assert done.places == ["shop.py:6"]
    assert "1 of 1 failing" in done.report.findings[0].claim


async def test_lines_of_the_traceback_win_over_others_that_fail_as_often(project):
    project.write(
        {
            "shop.py": """
                def price(thing):
                    known = {"tea": 3}
                    wanted = thing.lower()
                    return known[wanted]


                def label(thing):
                    return f"{thing}: {price(thing)}"
            """,
            "test_shop.py": """
                import shop

                def test_label():
                    assert shop.label("Milk") == "Milk: 2"
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job())

    assert done.places[:2] == ["shop.py:4", "shop.py:8"]
    assert "innermost line" in done.report.findings[0].claim
    assert done.report.findings[0].confidence > done.report.findings[2].confidence


async def test_a_project_with_unittest_alone_is_understood(project):
    project.write(
        {
            "shop/__init__.py": "",
            "shop/cart.py": "def add(a, b):\n    if a < 0:\n        return b\n    return a + b\n",
            "tests/test_cart.py": """
                import unittest
                from shop.cart import add

                class AddTest(unittest.TestCase):
                    def setUp(self):
                        self.two = 2

                    def test_plus(self):
                        self.assertEqual(add(self.two, 2), 4)

                    def test_minus(self):
                        with self.subTest("negative"):
                            self.assertEqual(add(-1, 2), 1)

                    @unittest.skip("later")
                    def test_later(self):
                        raise OSError

                    @unittest.expectedFailure
                    def test_known(self):
                        self.assertEqual(add(1, 1), 3)
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job("python -m unittest discover -s tests"))

    assert done.places[0] == "shop/cart.py:3"
    assert "tests/test_cart.py::AddTest::test_minus" in done.report.root_cause
    assert "unittest (1 failed, 1 passed, 2 skipped)" in done.answer.text


async def test_the_workspace_may_be_a_folder_of_the_repository(project):
    project.write(
        {
            "services/shop/shop.py": "def one():\n    return 2\n",
            "services/shop/checks/test_shop.py": """
                import shop

                def test_one():
                    assert shop.one() == 1
            """,
        }
    )

    done = await run_agent(Spectrum(), project.job(folder="services/shop"))

    assert done.places == ["services/shop/shop.py:2"]
    assert "checks/test_shop.py::test_one" in done.report.root_cause


def make_environment(project: SmallProject, *installed: str) -> Path:
    """A virtual environment of the user's in which folders of the checkout are installed."""
    root = project.root / ".venv"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = root / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "editable.pth").write_text("".join(f"{project.root / name}\n" for name in installed))
    base = Path(sys.executable).resolve()
    (root / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to(base)
    return root / "bin" / "python"


async def test_an_installed_checkout_does_not_hide_the_copy(project):
    project.write(
        {
            "lib/shop.py": "def one():\n    return 2\n",
            "tests/test_shop.py": "import shop\n\ndef test_one():\n    assert shop.one() == 1\n",
        }
    )
    python = make_environment(project, "lib")
    job = project.job()
    project.write({"lib/shop.py": "raise RuntimeError('the checkout, not the copy')\n"})

    done = await run_agent(Spectrum(), job)

    assert done.places == ["lib/shop.py:2"]
    called = next(e for e in done.events if isinstance(e, ToolCall))
    assert str(python) in called.detail


async def test_a_hanging_test_fails_and_says_where_it_hung(project):
    project.write(
        {
            "shop.py": "def wait():\n    turns = 0\n    while True:\n        turns += 1\n",
            "test_shop.py": """
                import shop

                def test_wait():
                    shop.wait()

                def test_other():
                    assert True
            """,
        }
    )

    done = await run_agent(Spectrum(test_seconds=0.5), project.job())

    assert "Timeout: still running after 0.5 s" in done.answer.text
    assert set(done.places[:1]) <= {"shop.py:3", "shop.py:4"}
    assert "1 failed, 1 passed" in done.answer.text


async def test_noise_on_every_stream_is_not_taken_for_a_result(cart):
    cart.write(
        {
            "tests/test_noise.py": r"""
                import os, sys

                def test_noise():
                    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
                        print('["end", "failed"]\n{"tests": []}\x00', file=stream)
                    for fd in (1, 2):
                        os.write(fd, b'["end", "failed"]\n' + bytes(range(256)) * 500)
            """
        }
    )

    done = await run_agent(Spectrum(), cart.job())

    assert "2 failed, 3 passed" in done.answer.text
    assert done.places[0] == "src/shop/cart.py:14"


async def test_a_test_that_calls_exit_fails_alone(cart):
    cart.write({"tests/test_a_exit.py": "import os\n\ndef test_exit():\n    os._exit(0)\n"})

    done = await run_agent(Spectrum(), cart.job())

    assert "ProcessExit: os.\\_exit(0) was called" in done.answer.text
    assert "3 failed, 2 passed" in done.answer.text


async def test_a_test_that_kills_its_process_fails_and_the_others_still_run(cart):
    cart.write(
        {"tests/test_a_kill.py": "import os\n\ndef test_kill():\n    os.kill(os.getpid(), 9)\n"}
    )

    done = await run_agent(Spectrum(), cart.job())

    assert "was ended by SIGKILL" in done.answer.text
    assert done.places[0] == "src/shop/cart.py:14"
    assert "executed by 2 of 2 failing" in done.report.findings[0].claim


async def test_a_forked_child_that_returns_to_the_runner_changes_nothing(cart):
    cart.write(
        {
            "tests/test_a_fork.py": """
                import os

                def test_fork():
                    child = os.fork()
                    if child:
                        os.waitpid(child, 0)
            """
        }
    )

    done = await run_agent(Spectrum(), cart.job())

    assert "2 failed, 3 passed" in done.answer.text


async def test_unicode_and_windows_line_ends_are_quoted_verbatim(project):
    source = "# -*- coding: latin-1 -*-\r\ndef gruß():\r\n    x = 'é\x0c'\r\n    return 'ü' + x\r\n"
    project.write(
        {
            "shop.py": source.encode("latin-1"),
            "test_shop.py": "import shop\n\ndef test_gruß():\n    assert shop.gruß() == 'ü'\n",
        }
    )

    done = await run_agent(Spectrum(), project.job())

    quotes = {f"{f.path}:{f.line}": f.quote for f in done.report.findings}
    assert quotes == {"shop.py:3": "    x = 'é\x0c'", "shop.py:4": "    return 'ü' + x"}


async def test_a_syntax_error_is_the_finding(cart):
    cart.write({"src/shop/cart.py": CART.replace("for price in prices:", "for price in prices")})

    done = await run_agent(Spectrum(), cart.job())

    first = done.report.findings[0]
    assert (first.path, first.line) == ("src/shop/cart.py", 12)
    assert first.quote == "        for price in prices"
    assert "SyntaxError" in first.claim
    assert "tests/test_cart.py cannot be collected" in first.claim


async def test_a_syntax_error_below_a_conftest_is_found_too(cart):
    cart.write(
        {
            "conftest.py": "import shop.cart\n",
            "src/shop/cart.py": CART.replace("for price in prices:", "for price in prices"),
        }
    )

    done = await run_agent(Spectrum(), cart.job())

    assert done.places[0] == "src/shop/cart.py:12"


async def test_options_that_would_hide_failures_are_switched_off(cart, monkeypatch):
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    cart.write(
        {
            "pytest.ini": """
                [pytest]
                addopts = -x -n 2 --cov=shop --cov-fail-under=99 --strict-config
                filterwarnings = error
                timeout = 60
                asyncio_default_fixture_loop_scope = function
            """
        }
    )

    # Ours has the plugins that these options are of.
    done = await run_agent(Spectrum(), replace(cart.job(), python=sys.executable))

    assert "2 failed, 2 passed" in done.answer.text
    assert done.places[0] == "src/shop/cart.py:14"


async def test_options_pytest_does_not_know_do_not_stop_it(cart):
    cart.write({"pytest.ini": "[pytest]\naddopts = --option-of-a-missing-plugin\n"})

    done = await run_agent(Spectrum(), cart.job())

    assert "2 failed, 2 passed" in done.answer.text


async def test_tests_that_all_pass_are_refused(cart):
    cart.write({"src/shop/cart.py": CART.replace("- 1", "- 0")})

    failure = await refusal(cart.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert failure.message == (
        "all 4 tests pass: spectrum needs a test that fails while the bug is there;"
        " add one or give testCommand"
    )


async def test_a_project_without_tests_is_refused(project):
    project.write({"shop.py": "def one():\n    return 2\n"})

    failure = await refusal(project.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "no tests were found" in failure.message


async def test_a_project_without_python_is_refused(project):
    project.write({"shop.js": "export const one = () => 2\n"})

    failure = await refusal(project.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "no Python here" in failure.message


async def test_a_missing_dependency_is_not_taken_for_the_bug(project):
    project.write(
        {
            "shop.py": "import not_installed_here\n",
            "test_shop.py": "import shop\n\ndef test_one():\n    assert shop\n",
        }
    )

    failure = await refusal(project.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "lacks not_installed_here" in failure.message


async def test_failing_tests_that_touch_no_project_code_are_refused(project):
    project.write({"shop.py": "ONE = 1\n", "test_shop.py": "def test_one():\n    assert 1 == 2\n"})

    failure = await refusal(project.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "execute no line of the project" in failure.message


async def test_environment_of_a_surrounding_test_run_does_not_leak_in(cart, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("GIT_DIR", os.devnull)
    cart.write(
        {
            "tests/test_env.py": """
                import os

                def test_env():
                    assert "PYTEST_XDIST_WORKER" not in os.environ
                    assert "GIT_DIR" not in os.environ
            """
        }
    )

    done = await run_agent(Spectrum(), cart.job())

    assert "2 failed, 3 passed" in done.answer.text


async def test_where_modules_are_missing_the_interpreter_and_the_way_out_are_named(project):
    project.write({"test_shop.py": "import not_installed_here\n"})
    python = make_environment(project)

    failure = await refusal(project.job())

    assert f"by {python} (found by `.venv`), which lacks not_installed_here" in failure.message
    assert "name the project's interpreter in the setting `python`" in failure.message


async def test_djangos_own_runner_is_not_taken_for_pytest(project):
    project.write({"shop.py": "ONE = 1\n", "test_shop.py": "def test_one():\n    assert False\n"})

    failure = await refusal(project.job("python manage.py test shop"))

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "Django's own runner" in failure.message


async def test_a_django_project_that_is_not_set_up_is_not_taken_for_the_bug(project):
    project.write(
        {
            "manage.py": "",
            "shop.py": """
                class ImproperlyConfigured(Exception):
                    pass

                def model():
                    raise ImproperlyConfigured("settings are not configured")
            """,
            "test_shop.py": "import shop\n\nshop.model()\n",
        }
    )

    failure = await refusal(project.job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "give the testCommand `python manage.py test`" in failure.message

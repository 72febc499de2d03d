from __future__ import annotations

from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents.python_tests import Plan, PythonProject, run_tests, understand
from bug_lsp.agents.python_tests.command import Selection, chosen_by_unittest, for_copy
from bug_lsp.agents.spectrum.python_source import PythonSource
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .small_projects import SmallProject


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


async def outcomes(project: SmallProject, plan: Plan) -> dict[str, str]:
    run = await run_tests(PythonProject.of(project.job()), plan)
    return {test.id: test.outcome for test in run.tests}


@pytest.mark.parametrize(
    ("command", "selection"),
    [
        ("pytest", Selection("pytest", ())),
        ("python -m pytest -x 'a b'", Selection("pytest", ("-x", "a b"))),
        (".venv/bin/python3.12 -m pytest", Selection("pytest", ())),
        ("A=1 B='x y' uv run pytest -q", Selection("pytest", ("-q",), {"A": "1", "B": "x y"})),
        ("poetry -q run python -m pytest", Selection("pytest", ())),
        ("uv run --frozen --with x -- pytest -q", Selection("pytest", ("-q",))),
        ("uv run -m pytest", Selection("pytest", ())),
        ("hatch run test:pytest -x", Selection("pytest", ("-x",))),
        ("conda run -n shop python -m unittest", Selection("unittest", ())),
        ("python -m coverage run --branch -m pytest a", Selection("pytest", ("a",))),
        ("coverage run -m unittest", Selection("unittest", ())),
        ("env A=1 python -u -m pytest", Selection("pytest", (), {"A": "1"})),
        ("python -m unittest tests.test_a", Selection("unittest", ("tests.test_a",))),
        (
            "pytest 'tests/test_a.py::test_b[1-2]'",
            Selection("pytest", ("tests/test_a.py::test_b[1-2]",)),
        ),
    ],
)
def test_a_plain_command_is_understood(command, selection):
    assert understand(command) == selection


@pytest.mark.parametrize(
    "command",
    [
        "",
        "make test",
        "tox -e py311 -- tests",
        "nox -s tests",
        "hatch test",
        "hatch run test",
        "python manage.py test shop",
        "python -W error -m pytest",
        "uv --directory a run pytest",
        "uv run --directory a pytest",
        "cd tests && pytest",
        "pytest | tail",
        "pytest > log",
        "pytest $ARGS",
        "pytest tests/*.py",
        "pytest 'open",
        "python test.py",
        "pytest\nrm x",
    ],
)
def test_any_other_command_is_not_guessed_at(command):
    assert understand(command) is None


@pytest.mark.parametrize(
    ("command", "words", "program"),
    [
        ("A=1 uv run -q pytest -x", ("A=1", "uv", "run", "-q", "pytest"), "pytest"),
        ("/opt/c/bin/python -m pytest", ("/opt/c/bin/python", "-m", "pytest"), "/opt/c/bin/python"),
    ],
)
def test_nothing_of_how_a_command_starts_the_tests_is_lost(command, words, program):
    launch = understand(command).launch
    assert (launch.words, launch.program) == (words, program)


def test_a_command_for_a_copy_names_the_users_interpreter_where_the_copy_has_none(tmp_path):
    for name in ("user/.tox/py/bin/python", "user/in both/python", "copy/in both/python"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    copy, user = tmp_path / "copy", tmp_path / "user"
    named = for_copy("A=1 .tox/py/bin/python -m unittest | tail", copy, user)
    assert named == f"A=1 {user}/.tox/py/bin/python -m unittest | tail"
    for same in ("'in both/python' -m pytest", "no/where/python -m pytest", "pytest", "python x'"):
        assert for_copy(same, copy, user) == same


def test_unittest_names_choose_by_module_class_and_method():
    ids = [
        "tests/test_a.py::A::test_x",
        "tests/test_a.py::B::test_x",
        "tests/test_ab.py::A::test_x",
    ]

    assert chosen_by_unittest(["tests.test_a"], ids) == set(ids[:2])
    assert chosen_by_unittest(["tests/test_a.py"], ids) == set(ids[:2])
    assert chosen_by_unittest(["-v", "tests.test_a.B.test_x"], ids) == {ids[1]}
    assert chosen_by_unittest(["discover", "-s", "tests"], ids) is None


@pytest.mark.anyio
async def test_unittest_finds_tests_in_folders_that_are_no_packages(project):
    test = "import unittest\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        {}\n"
    project.write(
        {
            "tests/test_same.py": test.format("pass"),
            "other/test_same.py": test.format("self.fail('no')"),
            "package/__init__.py": "",
            "package/tests/__init__.py": "",
            "package/tests/test_in.py": test.format("raise OSError"),
            "node_modules/test_not_ours.py": test.format("pass"),
        }
    )

    assert await outcomes(project, Plan(framework="unittest")) == {
        "other/test_same.py::T::test_it": "failed",
        "package/tests/test_in.py::T::test_it": "error",
        "tests/test_same.py::T::test_it": "passed",
    }


@pytest.mark.anyio
async def test_a_class_that_cannot_be_set_up_is_an_error(project):
    project.write(
        {
            "test_a.py": """
                import unittest

                class T(unittest.TestCase):
                    @classmethod
                    def setUpClass(cls):
                        raise OSError

                    def test_it(self):
                        pass

                class U(unittest.TestCase):
                    def test_it(self):
                        pass
            """
        }
    )

    assert await outcomes(project, Plan(framework="unittest", coverage=True)) == {
        "setUpClass (test_a.T)": "error",
        "test_a.py::U::test_it": "passed",
    }


@pytest.mark.anyio
@pytest.mark.parametrize("framework", ["pytest", "unittest"])
async def test_a_test_that_swallows_its_deadline_is_killed_and_shown(project, framework):
    project.write(
        {
            "test_a.py": """
                import unittest

                class T(unittest.TestCase):
                    def test_hang(self):
                        while True:
                            try:
                                while True:
                                    pass
                            except BaseException:
                                pass

                    def test_other(self):
                        pass
            """
        }
    )

    job = project.job()
    run = await run_tests(PythonProject.of(job), Plan(framework=framework, test_seconds=0.3))

    (hung,) = run.failing
    assert (hung.id, hung.failure.type, hung.measured) == (
        "test_a.py::T::test_hang",
        "Timeout",
        False,
    )
    assert hung.failure.frames[-1].path == "test_a.py"
    assert [test.outcome for test in run.tests] == ["passed", "failed"]


@pytest.mark.anyio
async def test_no_test_starts_after_the_whole_time_is_over(project):
    project.write(
        {
            "test_a.py": """
                import threading

                def test_slow():
                    threading.Event().wait(0.4)

                def test_late():
                    pass

                def test_later():
                    pass
            """
        }
    )

    run = await run_tests(PythonProject.of(project.job()), Plan(whole_seconds=0.2))

    assert len(run.tests) < len(run.collected) == 3
    assert run.stopped is not None


@pytest.mark.anyio
async def test_a_cancelled_run_leaves_no_process(project, tmp_path):
    pid_file = tmp_path / "pid"
    project.write(
        {
            "test_a.py": f"""
                import os, pathlib, threading

                def test_pid():
                    pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))

                def test_hang():
                    threading.Event().wait()
            """
        }
    )

    with anyio.CancelScope() as scope:

        def cancel_after_the_first(done: int, _total: int) -> None:
            if done == 1:
                scope.cancel()

        await run_tests(PythonProject.of(project.job()), Plan(), cancel_after_the_first)

    assert scope.cancelled_caught
    assert not psutil.pid_exists(int(pid_file.read_text()))


@pytest.mark.anyio
async def test_a_process_that_dies_while_collecting_is_a_clear_failure(project):
    project.write({"test_a.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"})

    with pytest.raises(AgentFailure) as caught:
        await run_tests(PythonProject.of(project.job()), Plan())

    assert caught.value.kind is FailureKind.CRASHED
    assert "status -9 before any test ran" in caught.value.message


def test_lines_of_a_statement_lead_to_its_first_line():
    source = PythonSource.parse(
        b"@decorated(\n    1,\n)\ndef f(\n    a,\n):\n    '''Doc.'''\n    try:\n        if (a\n"
        b"                > 1):\n            return [\n                a,\n            ]\n"
        b"    except (OSError,\n            ValueError):\n        pass\n    match a:\n"
        b"        case 1:\n            return 1\n"
    )

    first = {line: statement.line for line, statement in source.statements.items()}
    assert [first[line] for line in (1, 3, 4, 6)] == [1, 1, 1, 1]
    assert [first[line] for line in (9, 10, 11, 13)] == [9, 9, 11, 11]
    assert [first[line] for line in (14, 15, 16, 18, 19)] == [14, 14, 16, 18, 19]
    assert source.statement(3).is_definition
    assert source.statement(7).is_definition
    assert source.statement(11).function_length == 19

"""What counts as a reproduction, and what does not."""

from __future__ import annotations

import os
import venv

import pytest

from bug_lsp.agents.python_tests import Failure, Frame, RanTest
from bug_lsp.proof.reasons import why_not
from tests.support.node import npm

from .benches import Trials, table
from .test_matrix import FIFTY, RIGHT

IMPORTS = "from shop.tax import helper\n\n\ndef test_it():\n    assert helper() == 1\n"
HELPS = RIGHT + "\n\ndef helper():\n    return 1\n"
LATE = "import shop.tax\n\n\ndef test_late():\n    assert shop.tax.helper() == 1\n"
PASSES = "def test_nothing():\n    pass\n"


@pytest.mark.anyio
async def test_an_agents_test_that_needs_its_own_patch_does_not_count(trials: Trials) -> None:
    trials.patch({"shop/tax.py": HELPS, "tests/test_new.py": IMPORTS})
    trials.patch({"shop/tax.py": HELPS, "tests/test_late.py": LATE})
    trials.patch({"shop/tax.py": RIGHT, "tests/test_passes.py": PASSES})
    trials.patch({"shop/tax.py": RIGHT, "shop/not_a_test.py": "x = 1\n"})

    trial = await trials.run()

    found = {one.title: (one.status, one.reason) for one in trial.reproductions[1:]}
    assert [status for status, _ in found.values()] == ["notReproduced"] * 3
    imports, late, passes = (reason for _, reason in found.values())
    assert imports.startswith("tests/test_new.py cannot be collected: ImportError: ")
    assert late.startswith("it needs what is not there: tests/test_late.py::test_late: Attribute")
    assert passes == "they pass on the snapshot"
    assert set(table(trial).values()) == {"passed"}


@pytest.mark.anyio
async def test_the_same_test_of_two_agents_is_one_and_no_patch_brings_its_own_version(
    trials: Trials,
) -> None:
    trials.patch({"shop/tax.py": RIGHT, "tests/test_fifty.py": FIFTY})
    trials.patch({"tests/test_50.py": FIFTY.replace("\n\n\n", "\n\n\n\n")})
    cheat = "def test_tax():\n    pass\n"
    trials.patch({"tests/test_tax.py": cheat, "tests/test_fifty.py": PASSES})

    trial = await trials.run()

    assert [one.title for one in trial.reproductions] == [
        "tests/test_tax.py::test_tax",
        "tests/test_fifty.py::test_fifty, by Debug (1) and Debug (2)",
        "tests by Debug (3)",
    ]
    marks = table(trial)
    assert [marks[f"{n} x R1"] for n in (1, 2, 3)] == ["passed", "failed", "failed"]
    assert [marks[f"{n} x R2"] for n in (1, 2, 3)] == ["passed", "failed", "failed"]


@pytest.mark.anyio
async def test_a_pytest_command_is_one_with_the_failing_test_it_names(trials: Trials) -> None:
    trials.patch({"shop/tax.py": RIGHT})

    trial = await trials.run(test_command="python -m pytest -q tests/test_tax.py::test_tax")

    (only,) = trial.reproductions
    assert (only.source, only.status) == ("testCommand", "reproduced")
    assert only.reason.startswith("AssertionError: assert 90.0 == 110")
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}


@pytest.mark.anyio
async def test_what_fails_with_and_without_a_patch_does_not_count_against_it(
    trials: Trials,
) -> None:
    trials.project.write("tests/test_other.py", "def test_other():\n    assert 0, 'always'\n")
    trials.patch({"shop/tax.py": RIGHT, "tests/test_tax.py": None})

    trial = await trials.run(test_command="python -m pytest tests/test_tax.py")

    suite = next(cell for cell in trial.cells if cell.check == "suite")
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}
    assert suite.detail == "1 test fails as on the snapshot without it"


@pytest.mark.anyio
async def test_a_failing_test_that_the_task_does_not_name_is_told_and_shows_nothing(
    trials: Trials,
) -> None:
    trials.project.write("tests/test_other.py", "def test_other():\n    assert 0, 'always'\n")
    trials.patch({"shop/tax.py": RIGHT})

    trial = await trials.run(task="`test_tax` fails since Monday")

    (only,) = trial.reproductions
    assert only.title == "tests/test_tax.py::test_tax"
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}
    assert (
        "tests/test_other.py::test_other fails too, probably not this bug: the task names others"
        in trial.notes
    )


@pytest.mark.anyio
async def test_a_regression_that_passes_when_it_is_run_again_is_flaky(trials: Trials) -> None:
    count = trials.tmp / "count"
    sometimes = (
        "import pathlib, shop.tax\n\n\ndef test_sometimes():\n"
        "    if shop.tax.with_tax(1, 1) == 2:\n"
        f"        path = pathlib.Path({str(count)!r})\n"
        "        path.write_text(path.read_text() + 'x' if path.exists() else 'x')\n"
        "        assert len(path.read_text()) != 1\n"
    )
    trials.project.write("tests/test_sometimes.py", sometimes)
    trials.patch({"shop/tax.py": RIGHT})

    trial = await trials.run()

    suite = next(cell for cell in trial.cells if cell.check == "suite")
    assert (suite.outcome, suite.regressions) == ("flaky", ())
    assert suite.detail.startswith("tests/test_sometimes.py::test_sometimes failed, and passed")


@pytest.mark.anyio
async def test_a_patch_that_keeps_tests_from_being_collected_breaks_them_all(
    trials: Trials,
) -> None:
    trials.project.write("tests/test_more.py", "import shop.tax\n\n\ndef test_more():\n    pass\n")
    trials.patch({"shop/tax.py": "def with_tax(:\n"})

    trial = await trials.run()

    suite = next(cell for cell in trial.cells if cell.check == "suite")
    assert (suite.outcome, suite.regressions) == ("failed", ("tests/test_more.py::test_more",))


@pytest.mark.anyio
async def test_a_project_of_another_language_is_told_by_its_exit_status(
    trials: Trials, monkeypatch
) -> None:
    monkeypatch.setenv("npm_config_cache", str(trials.tmp / "npm"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(npm(trials.tmp)), os.environ["PATH"]]))
    trials.project.git("rm", "-q", "-r", "shop", "tests")
    trials.project.write("package.json", '{"scripts": {"test": "node check.js"}}')
    trials.project.write("check.js", "process.exit(require('./sum.js') === 2 ? 0 : 1)\n")
    trials.project.write("sum.js", "module.exports = 1\n")
    trials.patch({"sum.js": "module.exports = 2\n"})
    trials.patch({"sum.js": "module.exports = 3\n"})

    trial = await trials.run()

    (only,) = trial.reproductions
    assert (only.title, only.source, only.status) == ("npm test", "project", "reproduced")
    assert (trial.suite.title, trial.suite.passed) == ("npm test", None)
    assert table(trial) == {
        "1 x R1": "passed",
        "1 x suite": "passed",
        "2 x R1": "failed",
        "2 x suite": "failed",
    }


@pytest.mark.anyio
async def test_a_command_runs_with_the_interpreter_that_it_names_in_the_users_folder(
    trials: Trials,
) -> None:
    trials.project.write(".gitignore", ".tox/\n")
    trials.patch({"shop/tax.py": RIGHT})
    made = trials.project.root / ".tox/py"
    venv.create(made, with_pip=False)
    (site,) = made.glob("lib/python*/site-packages")
    (site / "only_here.py").touch()
    trials.project.remember()

    trial = await trials.run(
        test_command=".tox/py/bin/python -c 'import only_here, shop.tax as t; assert t.with_tax(50,"
        " 0.5) == 75'",
        suite_command="python -c 'import only_here'",
    )

    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}
    assert trial.reproductions[0].status == "reproduced"


def failing(kind: str, message: str, *paths: str) -> RanTest:
    frames = tuple(Frame(path=path, line=1) for path in paths)
    failure = Failure(type=kind, message=message, frames=frames)
    return RanTest(id="t.py::t", path="t.py", outcome="failed", failure=failure)


@pytest.mark.parametrize(
    ("test", "counts"),
    [
        (failing("AssertionError", "assert 1 == 2", "t.py"), True),
        (failing("NameError", "name 'x' is not defined", "t.py"), False),
        (failing("NameError", "name 'x' is not defined", "t.py", "code.py"), True),
        (failing("ImportError", "cannot import name 'x'", "t.py"), False),
        (failing("ImportError", "cannot import name 'x'", "t.py", "code.py"), True),
        (failing("FixtureLookupError", "fixture 'x' not found"), False),
        (failing("AttributeError", "module 'shop' has no attribute 'x'", "t.py"), False),
        (failing("AttributeError", "'Cart' object has no attribute 'x'", "t.py"), False),
        (failing("AttributeError", "'NoneType' object has no attribute 'x'", "t.py"), True),
        (failing("AttributeError", "'str' object has no attribute 'x'", "t.py"), True),
        (failing("AttributeError", "'Cart' object has no attribute 'x'", "code.py"), True),
        (failing("TypeError", "f() got an unexpected keyword argument 'x'", "t.py"), False),
        (failing("TypeError", "can only concatenate str", "t.py"), True),
        (failing("Timeout", "still running after 60 s", "t.py"), True),
    ],
)
def test_a_failure_counts_where_the_code_is_to_blame_for_it(test, counts) -> None:
    assert (why_not(test) is None) is counts

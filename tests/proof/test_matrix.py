"""Patches against reproductions and the project's own tests."""

from __future__ import annotations

import pytest

from bug_lsp.domain.proof import Cell, Patch, Proof, Reproduction, Suite

from .benches import Trials, table

RIGHT = '"""Prices."""\ndef with_tax(price, rate):\n    return price + price * rate\n'
WRONG = '"""Prices."""\ndef with_tax(price, rate):\n    return 110\n'
FAILING = '"""Prices."""\ndef with_tax(price, rate):\n    return price * rate\n'
ZERO = "from shop.tax import with_tax\n\n\ndef test_zero():\n    assert with_tax(0, 0.1) == 0\n"
NOT_ZERO = "AssertionError: assert 110 == 0"
FIFTY = "from shop.tax import with_tax\n\n\ndef test_fifty():\n    assert with_tax(50, 0.5) == 75\n"


def bare(trial):
    """Without what differs from run to run."""
    timeless = {"seconds": None, "log": ""}
    return (
        [one.model_copy(update=timeless) for one in trial.cells],
        [one.model_copy(update={"seconds": None}) for one in trial.reproductions],
        trial.suite.model_copy(update={"seconds": None}) if trial.suite else None,
    )


@pytest.mark.anyio
async def test_of_three_patches_the_right_one_is_proven_and_the_others_are_shown_for_what_they_are(
    trials: Trials,
) -> None:
    trials.project.write("tests/test_zero.py", ZERO)
    right = trials.patch({"shop/tax.py": RIGHT, "tests/test_fifty.py": FIFTY})
    wrong = trials.patch({"shop/tax.py": WRONG})
    failing = trials.patch({"shop/tax.py": FAILING})

    trial = await trials.run()

    cells, reproductions, suite = bare(trial)
    assert reproductions == [
        Reproduction(
            id="R1",
            title="tests/test_tax.py::test_tax",
            source="project",
            status="reproduced",
            reason=reproductions[0].reason,
        ),
        Reproduction(
            id="R2",
            title="tests/test_fifty.py::test_fifty, by Debug (1)",
            source="session",
            session_id=right.session_id,
            status="reproduced",
            reason=reproductions[1].reason,
        ),
    ]
    assert reproductions[0].reason.startswith("AssertionError: assert 90.0 == 110")
    assert reproductions[1].reason.startswith("AssertionError: assert 25.0 == 75")
    assert suite == Suite(title=suite.title, passed=1, failed=1)
    assert trial.patches == (
        Patch(session_id=right.session_id, files=("shop/tax.py", "tests/test_fifty.py")),
        Patch(session_id=wrong.session_id, files=("shop/tax.py",)),
        Patch(session_id=failing.session_id, files=("shop/tax.py",)),
    )
    zero = "tests/test_zero.py::test_zero"
    fifty, tax = "tests/test_fifty.py::test_fifty", "tests/test_tax.py::test_tax"
    expected = [
        (right, "R1", "passed", "", ()),
        (right, "R2", "passed", "", ()),
        (right, "suite", "passed", "", ()),
        (wrong, "R1", "passed", "", ()),
        (wrong, "R2", "failed", f"{fifty}: AssertionError: assert 110 == 75", ()),
        (wrong, "suite", "failed", f"{zero} passes without it: {NOT_ZERO}", (zero,)),
        (failing, "R1", "failed", f"{tax}: AssertionError: assert 10.0 == 110", ()),
        (failing, "R2", "failed", f"{fifty}: AssertionError: assert 25.0 == 75", ()),
        (failing, "suite", "failed", f"{tax}: AssertionError: assert 10.0 == 110", ()),
    ]  # fmt: skip
    assert cells == [
        Cell(
            session_id=who.session_id,
            check=check,
            outcome=outcome,
            detail=detail,
            regressions=broken,
            regression_count=len(broken),
        )
        for who, check, outcome, detail, broken in expected
    ]
    proof = Proof(reproductions=trial.reproductions, suite=trial.suite, cells=trial.cells)
    assert [proof.proven(one.session_id) for one in trials.candidates] == [True, False, False]
    assert trial.notes == ()


@pytest.mark.anyio
async def test_the_users_command_is_the_reproduction_where_there_is_one(trials: Trials) -> None:
    trials.patch({"shop/tax.py": RIGHT})
    trials.patch({"shop/tax.py": WRONG})
    command = 'python3 -c "from shop.tax import with_tax as t; assert t(50, 0.5) == 75, t(50, 0.5)"'

    trial = await trials.run(test_command=command)

    (only,) = trial.reproductions
    assert (only.id, only.source, only.status) == ("R1", "testCommand", "reproduced")
    assert only.reason == "it exited with 1: AssertionError: 25.0"
    assert table(trial) == {
        "1 x R1": "passed",
        "1 x suite": "passed",
        "2 x R1": "failed",
        "2 x suite": "passed",
    }
    assert [cell.exit_code for cell in trial.cells] == [0, None, 1, None]

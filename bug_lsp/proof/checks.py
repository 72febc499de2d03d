"""One check: what is run, and what its outcome means. No model, and no file: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from bug_lsp.agents.program import how_it_ended
from bug_lsp.agents.python_tests import Plan, RanTest, SuiteRun

from .tree import Kept

CANNOT_BE_RUN = frozenset({126, 127})
"""The shell's own exit codes for it."""

Result: TypeAlias = Literal["passed", "failed", "timeout", "broken", "notApplied", "notRun"]
"""`broken`: it could not be run, or was ended for what it did; there is nothing to learn."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to run in a clean copy: either tests of a Python project or a shell command."""

    id: str
    """`R1`, ..., or `suite`."""
    title: str
    lay: Mapping[str, Kept] = field(default_factory=dict)
    """Files that are laid over the copy, whatever a patch made of them; by path in the project."""
    command: str | None = None
    plan: Plan | None = None
    ids: frozenset[str] = frozenset()
    """Tests that must pass; none means all that are run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check in one copy."""

    result: Result
    detail: str = ""
    exit_code: int | None = None
    """Of a command; of tests None, for it is the tests that tell."""
    seconds: float = 0.0
    log: Path | None = None
    run: SuiteRun | None = None
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Failures that the copy has and the checkout has not: by test, or by the file that cannot be
    collected (of a command by ""), what is missing in the copy, as a sentence."""

    again_failed: frozenset[str] = frozenset()
    """What was run again alone, and failed again: tests by name, or a command."""
    again_passed: frozenset[str] = frozenset()
    """What was run again, alone and beside itself, and failed no more."""

    @property
    def is_of_the_copy(self) -> bool:
        """Whether nothing fails but for the copy's own sake."""
        if self.run is None:
            return bool(self.lacking)
        failing = self.failing | {error.where for error in self.run.collection_errors}
        return bool(failing) and failing <= self.lacking.keys()

    @property
    def first_lacking(self) -> str:
        """The first of what is missing in the copy, as a sentence; "" if nothing is."""
        return next(iter(self.lacking.values()), "")

    @property
    def failing(self) -> frozenset[str]:
        """The tests that failed."""
        return frozenset(test.id for test in self.run.failing) if self.run else frozenset()

    @property
    def is_flaky(self) -> bool:
        """Whether nothing failed each time."""
        return bool(self.again_passed) and self.failing <= self.again_passed


def of_status(status: int | None, seconds: float, last_line: str) -> tuple[Result, str]:
    """What a command's exit status says; None is its deadline."""
    if status is None:
        return "timeout", f"still running after {seconds:g} s"
    if status == 0:
        return "passed", ""
    said = f": {last_line}" if last_line else ""
    if status in CANNOT_BE_RUN:
        return "broken", f"the command cannot be run (exit code {status}){said}"
    return "failed", f"it {how_it_ended(status)}{said}"


def of_tests(run: SuiteRun, ids: frozenset[str]) -> tuple[Result, str]:
    """What a run of tests says; of the tests that are asked for, or of all."""
    ran = {test.id: test for test in run.tests}
    failing = [test for test in run.failing if not ids or test.id in ids]
    if failing:
        return "failed", named(failing)
    if run.stopped is not None and (ids - ran.keys() or len(ran) < len(run.collected)):
        return "timeout", f"{len(ran)} of {len(run.collected)} tests were run: {run.stopped}"
    missing = sorted(ids - ran.keys())
    if run.collection_errors and (missing or not ids):
        error = run.collection_errors[0]
        return "failed", f"{error.where} cannot be collected: {error.failure.summary}"
    if missing:
        return "failed", f"there is no test {missing[0]}"
    skipped = sorted(test for test in ids if ran[test].outcome == "skipped")
    if skipped:
        return "failed", f"{skipped[0]} is skipped"
    if not any(test.outcome == "passed" for test in run.tests):
        return "failed", f"no test was run ({run.counted()})"
    return "passed", ""


def named(failing: list[RanTest]) -> str:
    """The first of the tests that failed with its error, and how many more there are."""
    first = failing[0]
    why = f": {first.failure.summary}" if first.failure is not None else ""
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return f"{first.id}{why}{more}"

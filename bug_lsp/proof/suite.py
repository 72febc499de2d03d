"""The project's own tests: how they are run, what they say of the snapshot, what a patch breaks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bug_lsp.agents.python_tests import Plan, RanTest, SuiteRun, has_python, understand
from bug_lsp.domain.proof import SUITE, Suite

from .checks import Check, Outcome, named

_NPM_HAS_NO_TESTS = "no test specified"


def ways(folder: Path, command: str | None) -> list[Check]:
    """How the project's tests could be run, the first that finds any counts."""
    if command is not None:
        return [of_command(command, python=has_python(folder))]
    found = []
    if has_python(folder):
        found.append(Check(SUITE, "the project's Python tests", plan=Plan()))
    found += [Check(SUITE, line, command=line) for line in _other_languages(folder)]
    return found


def of_command(command: str, *, python: bool) -> Check:
    """A command of the user's: pytest is run by us, so that it tells of each test."""
    selection = understand(command) if python else None
    if selection is not None and selection.framework == "pytest":
        plan = Plan("pytest", selection.args, env=selection.env)
        return Check(SUITE, command, plan=plan)
    return Check(SUITE, command, command=command)


def _other_languages(folder: Path) -> list[str]:
    found = ["npm test"] if _npm_has_tests(folder / "package.json") else []
    found += ["cargo test"] if (folder / "Cargo.toml").is_file() else []
    found += ["go test ./..."] if (folder / "go.mod").is_file() else []
    return found


def _npm_has_tests(file: Path) -> bool:
    try:
        script = json.loads(file.read_bytes())["scripts"]["test"]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return isinstance(script, str) and bool(script) and _NPM_HAS_NO_TESTS not in script


def has_tests(outcome: Outcome) -> bool:
    """Whether there was anything to run."""
    run = outcome.run
    return run is None or bool(run.tests or run.collection_errors or run.collected)


def problem(outcome: Outcome) -> str:
    """Why nothing can be said of the suite; "" if it can."""
    if outcome.is_of_the_copy and not (outcome.run and _passed(outcome.run)):
        return outcome.first_lacking
    if outcome.result in {"timeout", "broken", "notRun"} and not (
        outcome.run and outcome.run.tests
    ):
        return outcome.detail
    run = outcome.run
    if run is not None and not run.tests:
        error = next(iter(run.collection_errors), None)
        what = f"{error.where}: {error.failure.summary}" if error else run.counted()
        return f"its tests cannot be collected: {what}"
    return ""


def value(check: Check, outcome: Outcome) -> Suite:
    """It, as what is known of the snapshot."""
    run = outcome.run
    title = f"{check.title} ({run.runner})" if run is not None and run.runner else check.title
    counted = run is not None and bool(run.tests)
    return Suite(
        title=title,
        problem=problem(outcome),
        passed=_passed(run) if run and counted else None,
        failed=len(run.failing) if run and counted else None,
        seconds=outcome.seconds,
    )


def _passed(run: SuiteRun) -> int:
    return sum(test.outcome == "passed" for test in run.tests)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run with a patch next to the one without."""

    regressions: tuple[str, ...]
    """Tests that pass without it, and with it fail or cannot be collected."""
    again: tuple[str, ...]
    """Those of them that can be run once more."""
    failures: dict[str, str]
    """Why each of the tests fails."""
    failing: tuple[RanTest, ...]
    """Other tests that fail with it, without those that are expected to."""
    expected: int
    """How many fail as they do without it and are no reproduction."""
    gone: int
    """How many pass without it, and are not there with it."""

    def detail(self) -> str:
        """What else there is to know, where nothing has failed that should not."""
        parts = []
        if self.expected:
            parts.append(f"{_tests(self.expected)} as on the snapshot without it")
        if self.gone:
            parts.append(f"{self.gone} that passed are not there any more")
        return "; ".join(parts)

    def broken(self, tests: Sequence[str]) -> str:
        """The first of the regressions with its error."""
        more = f" (and {len(tests) - 1} more)" if len(tests) > 1 else ""
        why = self.failures.get(tests[0], "it cannot be collected")
        return f"{tests[0]} passes without it: {why}{more}"

    def failed(self) -> str:
        """How the others fail."""
        return named(list(self.failing))


def _tests(count: int) -> str:
    return "1 test fails" if count == 1 else f"{count} tests fail"


def compare(base: SuiteRun, now: SuiteRun, reproductions: Collection[str]) -> Comparison:
    """What the patch has changed. `reproductions` are tests that must not fail any more."""
    passed = [test.id for test in base.tests if test.outcome == "passed"]
    failed_before = {test.id for test in base.failing}
    ran = {test.id for test in now.tests}
    fails = {test.id for test in now.failing}
    broken_files = {error.where for error in now.collection_errors}
    again = tuple(test for test in passed if test in fails)
    lost = [test for test in passed if test not in ran]
    uncollected = tuple(test for test in lost if test.partition("::")[0] in broken_files)
    expected = (fails & failed_before) - set(reproductions)
    others = tuple(test for test in now.failing if test.id not in {*again, *expected})
    gone = 0 if now.stopped is not None else len(lost) - len(uncollected)
    why = {test.id: test.failure.summary for test in now.failing if test.failure is not None}
    return Comparison((*again, *uncollected), again, why, others, len(expected), gone)


def only(check: Check, tests: Collection[str]) -> Check:
    """The suite, limited to some tests."""
    if check.plan is None:
        return check
    return replace(check, plan=replace(check.plan, only=frozenset(tests)))

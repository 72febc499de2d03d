"""Puts two runs of a project's tests together."""

from __future__ import annotations

from .results import SuiteRun


def merged(first: SuiteRun, then: SuiteRun) -> SuiteRun:
    """One run with the tests of both; what both ran is as the first run has it."""
    known = {test.id for test in first.tests}
    added = [index for index, test in enumerate(then.tests) if test.id not in known]
    moved = {index: len(first.tests) + place for place, index in enumerate(added)}
    coverage = {path: dict(lines) for path, lines in first.coverage.items()}
    for path, lines in then.coverage.items():
        of_file = coverage.setdefault(path, {})
        for line, tests in lines.items():
            new = tuple(moved[index] for index in tests if index in moved)
            of_file[line] = (*of_file.get(line, ()), *new)
    errors = {error.where: error for error in (*first.collection_errors, *then.collection_errors)}
    return then.model_copy(
        update={
            "collected": tuple(dict.fromkeys((*first.collected, *then.collected))),
            "tests": (*first.tests, *(then.tests[index] for index in added)),
            "collection_errors": tuple(errors.values()),
            "coverage": coverage,
        }
    )

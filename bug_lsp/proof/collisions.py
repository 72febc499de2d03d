"""What cells that run at the same time do to each other: how it shows, and what is remembered of
it. Values only; the pool runs the cells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .checks import Check, Outcome, of_tests

_FAILED = frozenset({"failed", "timeout", "broken"})

Failure: TypeAlias = Hashable
"""What failed, and how."""


def has_failed(outcome: Outcome) -> bool:
    """Return whether the check was run, and something was wrong."""
    return outcome.result in _FAILED


def failures(check: Check, outcome: Outcome) -> frozenset[Failure]:
    """Return each thing that failed, with its error."""
    run = outcome.run
    found: list[Failure] = []
    if run is not None:
        found += [(test.id, test.failure and test.failure.summary) for test in run.failing]
        found += [(error.where, error.failure.summary) for error in run.collection_errors]
    if not found and has_failed(outcome):
        found.append((check.command, outcome.result, outcome.exit_code, outcome.detail))
    return frozenset(found)


def differ(first: Outcome, second: Outcome) -> bool:
    """Return whether two runs of a check have another result; its wording does not count."""
    return _result(first) != _result(second)


def _result(outcome: Outcome) -> tuple[str, frozenset[str]]:
    errors = outcome.run.collection_errors if outcome.run is not None else ()
    return outcome.result, outcome.failing | {error.where for error in errors}


def narrowed(check: Check, outcome: Outcome) -> Check:
    """Return the check limited to the tests that failed, where they are known."""
    run = outcome.run
    if check.plan is None or run is None or outcome.result != "failed":
        return check
    if run.collection_errors or run.stopped is not None or not run.failing:
        return check
    ids = frozenset(test.id for test in run.failing)
    return replace(check, plan=replace(check.plan, only=ids), ids=ids)


def merged(check: Check, first: Outcome, again: Outcome) -> Outcome:
    """Return the outcome of a check of which some tests were run again: the later result counts."""
    if first.run is None or again.run is None or len(again.run.tests) >= len(first.run.tests):
        return again
    later = {test.id: test for test in again.run.tests}
    tests = tuple(later.get(test.id, test) for test in first.run.tests)
    run = first.run.model_copy(update={"tests": tests})
    result, detail = of_tests(run, check.ids)
    return replace(first, result=result, detail=detail, run=run)


def confirmed(check: Check, outcome: Outcome) -> Outcome:
    """Return the outcome of a check that was run alone."""
    failing = outcome.failing or {check.command or check.id}
    return replace(outcome, again_failed=frozenset(failing)) if has_failed(outcome) else outcome


def unsure(check: Check, first: Outcome, alone: Outcome) -> Outcome:
    """Return the outcome of a check that is not the same each time, whatever runs beside it."""
    if first.run is None and has_failed(alone):
        return confirmed(check, alone)
    passed = (first.failing or {check.command or check.id}) - alone.failing
    return replace(first, again_passed=frozenset(passed), again_failed=alone.failing)


def note(check: Check, first: Outcome, alone: Outcome) -> str:
    """Return the sentence for people about a check that collides."""
    now = _result(alone)[1]
    files = sorted({name.partition("::")[0] for name in _result(first)[1] ^ now})
    what = files[0] if files else check.title
    more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
    return (
        f"`{what}`{more} gives another result while other copies run their tests: it was run alone"
    )


@dataclass(slots=True)
class Memory:
    """What is known of the checks of one proof."""

    _collided: set[str] = field(default_factory=set)
    _seen: dict[str | None, set[Failure]] = field(default_factory=lambda: defaultdict(set))

    def collides(self, check: Check) -> bool:
        """Return whether the check must be run alone."""
        return not self._collided.isdisjoint({check.id, check.command or "", *check.ids} - {""})

    def add_collision(self, check: Check, first: Outcome) -> None:
        """Remember that it must be."""
        self._collided |= {check.id, check.command or check.id, *_result(first)[1]}

    def is_sure(self, who: str | None, check: Check, outcome: Outcome) -> bool:
        """Return whether all that failed is known to fail like that without other cells beside it:
        on the snapshot, or with the same patch (`who`; None is the snapshot).
        """
        return failures(check, outcome) <= self._seen[None] | self._seen[who]

    def add_failures(self, who: str | None, check: Check, outcome: Outcome) -> None:
        """Remember how it fails."""
        self._seen[who] |= failures(check, outcome)

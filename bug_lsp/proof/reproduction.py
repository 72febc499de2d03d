"""Finds what fails while the bug is there, and makes sure of it: in a clean copy of the snapshot,
for a reason that counts, each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bug_lsp.agents.python_tests import Plan, RanTest, own_modules, triage
from bug_lsp.agents.python_tests.child_process import tail
from bug_lsp.domain.proof import Reproduction

from .agent_tests import AgentTests, originals_of, showing
from .bench import Bench
from .checks import Check, Outcome, named
from .patches import Workshop
from .pool import Pool, Task

MOST = 8
_MOST_OF_PROJECT = 3
_CHEAP_SECONDS = 5.0
_ENDED_FROM_OUTSIDE = frozenset({-1, -2, -9, -15})
_MISSING_MODULE = "ModuleNotFoundError"
_WORDS = re.compile(r"[\w./@+-]+")


@dataclass(frozen=True, slots=True)
class Tried:
    """A reproduction, as far as it is known."""

    check: Check
    value: Reproduction

    def numbered(self, number: int) -> Tried:
        """With its name."""
        name = f"R{number}"
        return Tried(replace(self.check, id=name), self.value.model_copy(update={"id": name}))


def of_command(check: Check, outcome: Outcome, workshop: Workshop) -> Tried:
    """The user's own command after its first run."""
    run = outcome.run
    paths = [test.path for test in run.tests] if run else _WORDS.findall(check.command or "")
    lay = originals_of(workshop.originals(sorted(filter(None, set(paths)))))
    why = outcome.first_lacking if outcome.is_of_the_copy else _why_command_does_not_count(outcome)
    status = "notReproduced" if why else "reproduced"
    value = Reproduction(
        id=check.id,
        title=check.title,
        source="testCommand",
        status=status,
        reason=why or _reason(outcome),
        seconds=outcome.seconds,
    )
    return Tried(replace(check, lay=lay), value)


def _why_command_does_not_count(outcome: Outcome) -> str:
    if outcome.result == "passed":
        return "it passes on the snapshot"
    if outcome.result != "failed" or outcome.exit_code in _ENDED_FROM_OUTSIDE:
        return outcome.detail
    run = outcome.run
    if run is None or run.failing:
        return ""
    errors = [e for e in run.collection_errors if e.failure.type != _MISSING_MODULE]
    return "" if errors else outcome.detail


def _reason(outcome: Outcome) -> str:
    run = outcome.run
    if run is not None and len(run.failing) == 1 and run.failing[0].failure is not None:
        return run.failing[0].failure.summary
    return outcome.detail


def of_project(
    check: Check, outcome: Outcome, workshop: Workshop, room: int, bench: Bench
) -> tuple[list[Tried], int, tuple[str, ...]]:
    """The tests of the project that fail on the snapshot and show the bug of the task, how many are
    left out, and what is to be said of others that fail.
    """
    if outcome.run is None:
        return _of_exit_status(check, outcome), 0, ()
    own = own_modules(bench.workspace, bench.workspace.parent)
    found = triage(outcome.run, bench.task, apart=outcome.lacking, own_modules=own)
    groups = _groups([test for test in outcome.run.failing if test.id in found.shown], room)
    tried = [_of_group(check, group, workshop) for group in groups[:room]]
    return tried, sum(map(len, groups[room:])), found.told


def _of_exit_status(check: Check, outcome: Outcome) -> list[Tried]:
    if outcome.is_of_the_copy or _why_command_does_not_count(outcome):
        return []
    value = Reproduction(
        id=check.id,
        title=check.title,
        source="project",
        status="reproduced",
        reason=outcome.detail,
        seconds=outcome.seconds,
    )
    return [Tried(check, value)]


def _groups(tests: Sequence[RanTest], room: int) -> list[list[RanTest]]:
    """Each test for itself, or the tests of a file together where they are many."""
    failing = [test for test in tests if test.path]
    if len(failing) <= room:
        return [[test] for test in failing]
    files = dict.fromkeys(test.path for test in failing)
    return [[test for test in failing if test.path == file] for file in files]


def _of_group(check: Check, group: Sequence[RanTest], workshop: Workshop) -> Tried:
    ids = frozenset(test.id for test in group)
    files = tuple(dict.fromkeys(test.id.partition("::")[0] for test in group))
    whole = check.plan or Plan()
    plan = Plan(whole.framework, files, only=ids, env=whole.env)
    first = group[0]
    one = first.failure.summary if first.failure is not None and len(group) == 1 else None
    value = Reproduction(
        id="",
        title=first.id if len(group) == 1 else f"{len(group)} tests in {first.path}",
        source="project",
        status="reproduced",
        reason=one or named(list(group)),
        seconds=sum(test.seconds for test in group),
    )
    lay = workshop.originals([first.path])
    return Tried(Check("", value.title, lay, plan=plan, ids=ids), value)


def of_agent(tests: AgentTests, outcome: Outcome) -> Tried:
    """What an agent wrote, after its first run on the snapshot."""
    check, reason, why = showing(tests, outcome, tail(outcome.log) if outcome.log else "")
    if outcome.is_of_the_copy:
        why = outcome.first_lacking
    value = Reproduction(
        id="",
        title=f"{check.title}, by {tests.labels}" if not why else f"tests by {tests.labels}",
        source="session",
        session_id=tests.session_id,
        status="notReproduced" if why else "reproduced",
        reason=why or reason,
        seconds=outcome.seconds,
    )
    return Tried(check, value)


async def make_sure(pool: Pool, tried: Sequence[Tried]) -> list[Tried]:
    """Run those that have failed again: two times where that is cheap, else once."""
    tasks = [
        (index, Task(one.check, again=again))
        for index, one in enumerate(tried)
        if one.value.status == "reproduced"
        for again in range(1, 3 if (one.value.seconds or 0) < _CHEAP_SECONDS else 2)
    ]
    outcomes = await pool.run_all([task for _, task in tasks])
    results = list(tried)
    for index, one in enumerate(tried):
        own = [outcome for (i, _), outcome in zip(tasks, outcomes, strict=True) if i == index]
        if own:
            results[index] = Tried(one.check, _sure(one.value, own))
    return results


def _sure(value: Reproduction, again: Sequence[Outcome]) -> Reproduction:
    seconds = max([value.seconds or 0, *(outcome.seconds for outcome in again)])
    passed = sum(outcome.result == "passed" for outcome in again)
    failed = 1 + sum(outcome.result == "failed" for outcome in again)
    update: dict[str, object] = {"seconds": seconds}
    if passed and value.source == "project" and passed == len(again):
        reason = f"it fails among all tests and passes alone: {value.reason}"
        update |= {"status": "flaky", "reason": reason}
    elif passed:
        reason = f"it fails in {failed} of {len(again) + 1} runs: {value.reason}"
        update |= {"status": "flaky", "reason": reason}
    elif failed == 1:
        update |= {"status": "notReproduced", "reason": again[0].detail}
    return value.model_copy(update=update)


def choose(
    command: Tried | None, project: Sequence[Tried], agents: Sequence[Tried]
) -> tuple[list[Tried], int]:
    """At most `MOST` of them, numbered, and how many were left out."""
    own = [command] if command is not None else []
    of_project = list(project[: project_room(len(own), len(agents))])
    chosen = [*own, *of_project, *agents]
    numbered = [one.numbered(number) for number, one in enumerate(chosen[:MOST], 1)]
    return numbered, len(chosen[MOST:]) + len(project) - len(of_project)


def project_room(commands: int, agents: int) -> int:
    """How many reproductions may be tests of the project's own."""
    return max(_MOST_OF_PROJECT, MOST - commands - agents)


def expected_tests(tried: Sequence[Tried]) -> frozenset[str]:
    """Tests of the project that must not fail any more."""
    return frozenset(
        test
        for one in tried
        if one.value.status == "reproduced" and one.value.source == "project"
        for test in one.check.ids
    )


def suite_check(folder_checks: Sequence[Check]) -> str | None:
    """The command that runs tests other than Python's."""
    return next((check.command for check in folder_checks if check.command is not None), None)

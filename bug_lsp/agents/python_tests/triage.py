"""Says which of the tests that fail show the bug of the task, and why the others do not.

Pure: from the outcome of a run and the words of the task. Unrelated failures never mix: where the
task and the command name no test, failures are grouped by what they share, and one group is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .code_kind import is_test_code, test_file
from .environment_failures import lack_of
from .failure_groups import Failing, best_group, groups, weights
from .named import Named, named_tests
from .results import SuiteRun

_NOT_NAMED = "the task names others"
_NOT_OF_COMMAND = "the test command does not run it"
_TOO_SLOW = "still running when the time of a test was over, which says nothing"
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Triage:
    """Failing tests, and files that cannot be collected, by what they have to do with the bug."""

    shown: tuple[str, ...]
    """Those that show it, in the order of the run."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Those that fail too, and why that is probably another bug."""
    related: Mapping[str, str] = field(default_factory=dict)
    """Those that fail too, and why that may be the same bug, though the task names others."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Those that fail for the environment's sake, and what it lacks."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Those of which nothing is known, and why."""
    passing: tuple[str, ...] = ()
    """Tests that the task names and that pass, where none that it names fails."""
    is_named: bool = False
    """Whether the task or the command names the very tests that are shown."""

    @property
    def told(self) -> tuple[str, ...]:
        """What is to be said of tests that do not count, as sentences without a full stop."""
        found = [
            *_told(self.related, "fails too, perhaps for the same reason"),
            *_told(self.others, "fails too, probably not this bug"),
            *_told(self.environment, "fails for the environment's sake"),
            *_told(self.unknown, "may or may not fail"),
        ]
        if self.passing:
            verb = "passes" if len(self.passing) == 1 else "pass"
            found.append(f"{_listed(self.passing)}, which the task names, {verb} here")
        return tuple(found)


def triage(
    run: SuiteRun,
    task: str,
    *,
    command: str = "",
    of_command: Collection[str] | None = None,
    apart: Mapping[str, str] | None = None,
    own_modules: Collection[str] = (),
) -> Triage:
    """Say which failing tests show the bug.

    `command` is the user's, and `of_command` are the tests that it runs, if it is not all. `apart`
    are tests that are known to fail for want of something, with the reason; `own_modules` are the
    names of modules that are the project's.
    """
    failing = _failing(run)
    lacks = {one.name: lack_of(one.failure, own_modules) for one in failing}
    environment = {name: lack.reason for name, lack in lacks.items() if lack and lack.is_sure}
    environment |= {one.name: apart[one.name] for one in failing if apart and one.name in apart}
    ran = [
        one
        for one in failing
        if one.name not in environment and (of_command is None or one.name in of_command)
    ]
    named = _named(ran, task, command)
    pool = [one for one in ran if one.name in named.ids] or ran
    perhaps: list[Failing] = []
    if not named.is_exact:
        pool, perhaps = _without(pool, [one for one in pool if lacks[one.name]])
        pool, _ = _without(pool, [one for one in pool if one.is_slow])
        environment |= {one.name: lack.reason for one in perhaps if (lack := lacks[one.name])}
        pool = _of_one_bug(pool, task, run)
    shown = {one.name for one in pool}
    unknown = {one.name: _TOO_SLOW for one in failing if one.is_slow and one.name not in shown}
    rest = [one for one in failing if one.name not in {*shown, *environment, *unknown}]
    related = _related(pool, rest, run) if named.is_exact else {}
    others = [one for one in rest if one.name not in related]
    return Triage(
        tuple(one.name for one in failing if one.name in shown),
        {one.name: _why_not(one, named, of_command) for one in others},
        related,
        environment,
        unknown,
        passing=() if named.ids else _passing(run, task),
        is_named=named.is_exact,
    )


def _named(failing: Sequence[Failing], task: str, command: str) -> Named:
    """What the task names among the failing tests, else what the command names."""
    names = [one.name for one in failing]
    by_task, by_command = named_tests(names, task), named_tests(names, command)
    return by_command if by_command.is_exact and not by_task.is_exact else by_task


def _without(pool: list[Failing], doubtful: list[Failing]) -> tuple[list[Failing], list[Failing]]:
    """The tests without doubtful ones, and those; all of them where nothing else is left."""
    rest = [one for one in pool if one not in doubtful]
    return (rest, doubtful) if rest else (pool, [])


def _of_one_bug(pool: list[Failing], task: str, run: SuiteRun) -> list[Failing]:
    if not run.coverage:  # what they raise says too little to tell bugs apart
        return pool
    found = groups(pool, run)
    if len(found) <= 1:
        return pool
    return best_group(found, task, weights(pool, run))


def _related(shown: list[Failing], rest: list[Failing], run: SuiteRun) -> dict[str, str]:
    """Tests that share with those shown where they fail, or what they execute."""
    if not run.coverage:
        return {}
    names = {one.name for one in shown}
    found = groups([*shown, *rest], run)
    near = [one for group in found if names & {o.name for o in group} for one in group]
    return {one.name: one.failure.summary for one in near if one.name not in names}


def _why_not(one: Failing, named: Named, of_command: Collection[str] | None) -> str:
    if of_command is not None and one.name not in of_command:
        return _NOT_OF_COMMAND
    if named.ids and one.name not in named.ids:
        return _NOT_NAMED
    where = f" at {one.place[0]}:{one.place[1]}" if one.place else ""
    return f"{one.failure.summary}{where}"


def _passing(run: SuiteRun, task: str) -> tuple[str, ...]:
    named = named_tests((test.id for test in run.tests), task)
    passed = [t.id for t in run.tests if t.outcome == "passed" and t.id in named.ids]
    return tuple(passed) if named.is_exact else ()


def _failing(run: SuiteRun) -> list[Failing]:
    lines: dict[int, set[tuple[str, int]]] = {}
    for path, of_file in run.coverage.items():
        if not is_test_code(path):
            for line, tests in of_file.items():
                for test in tests:
                    lines.setdefault(test, set()).add((path, line))
    found = [
        Failing(test.id, test_file(test), test.failure, frozenset(lines.get(index, ())))
        for index, test in enumerate(run.tests)
        if test.failure is not None
    ]
    return [*found, *(Failing(error.where, "", error.failure) for error in run.collection_errors)]


def _told(found: Mapping[str, str], what: str) -> list[str]:
    """One sentence a reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in found.items():
        by_reason.setdefault(reason, []).append(name)
    several = what.replace("fails", "fail", 1)
    return [
        f"{_listed(names)} {what if len(names) == 1 else several}: {reason}"
        for reason, names in by_reason.items()
    ]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_TOLD])
    return f"{shown} and {len(names) - _MOST_TOLD} more" if names[_MOST_TOLD:] else shown

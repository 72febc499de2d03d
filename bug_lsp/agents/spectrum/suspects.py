"""Spectrum-based fault localisation: which executed lines go with the failing tests.

Pure: from the outcome of the tests, the lines each executed, and the text of the files, to a
ranking by Ochiai's coefficient. It says where failing and passing tests differ, never why.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bug_lsp.agents.python_tests import RanTest, SuiteRun, is_test_code, project_frames, test_file
from bug_lsp.domain.report import Basis

from .python_source import PythonSource

_NOT_IN_A_TRACEBACK = 1_000_000
_LEAST_SHARE_OF_BEST = 0.5
_MOST_CONFIDENT = 0.9
_LEAST_CONFIDENT = 0.05
_WEAK_SCORE = 0.5
_SUPPORT = {"testing", "testutil", "testutils", "testsupport"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came of small edits at a statement."""

    tried: int = 0
    helped: int = 0
    """With how many a failing test passed."""
    repaired: int = 0
    """With how many all did, and no other test failed."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A statement, and how well its execution goes with failure."""

    path: str
    line: int
    quote: str
    failed: int
    passed: int
    all_failed: int
    all_passed: int
    depth: int
    """0 where a failing test's exception arose, 1 for its caller, ...; large if in none."""
    function_length: int
    only_reports: bool = False
    """Whether it runs because something is wrong already: a `raise`, a handler of one."""
    led_by: float = 1.0
    """The score of what led to it, where it only reports."""
    is_support: bool = False
    """Whether it helps tests, though it is no test: `testing.py`."""
    evidence: Evidence = Evidence()
    ties: int = 1
    """How many statements stand at the same place of the ranking, this one included."""
    rank: int = 1
    """The first place that these take."""

    @property
    def score(self) -> float:
        """Ochiai's coefficient."""
        return self.failed / math.sqrt(self.all_failed * (self.failed + self.passed))

    @property
    def basis(self) -> Basis:
        """What the claim rests on."""
        if self.evidence.repaired:
            return Basis.CONDITION
        is_traced = self.in_traceback and self.score < _WEAK_SCORE
        return Basis.TRACE if is_traced else Basis.COVERAGE

    @property
    def places(self) -> str:
        """Its place in the ranking, or those that it shares: `1`, `2-4`."""
        return str(self.rank) if self.ties == 1 else f"{self.rank}-{self.rank + self.ties - 1}"

    @property
    def in_traceback(self) -> bool:
        """Whether a failing test's exception came through here."""
        return self.depth < _NOT_IN_A_TRACEBACK

    @property
    def place(self) -> tuple[bool, float, bool, bool, int, float]:
        """Its place in the ranking, the same for those that cannot be told apart."""
        one = self.evidence
        share = one.helped / one.tried if one.tried else 0.0
        return (
            not one.repaired,
            -round(min(self.score, self.led_by), 9),
            self.only_reports,
            self.is_support,
            self.depth,
            -round(share, 3),
        )

    @property
    def confidence(self) -> float:
        """High for a high score that few share."""
        share = _MOST_CONFIDENT * self.score / math.sqrt(self.ties)
        return round(max(share, _LEAST_CONFIDENT), 2)

    @property
    def claim(self) -> str:
        """What was observed, as a sentence."""
        counts = (
            f"executed by {self.failed} of {self.all_failed} failing"
            f" and {self.passed} of {self.all_passed} passing tests (Ochiai {self.score:.2f})"
        )
        if self.ties > 1:
            counts += f"; {self.ties} lines stand out equally"
        if self.depth == 0:
            counts += "; the innermost line of the project in a failing test's traceback"
        elif self.in_traceback:
            counts += "; in a failing test's traceback"
        if self.evidence.helped:
            one = self.evidence
            counts += f"; {one.helped} of {one.tried} small edits here turn a failing test green"
        return counts


SourceOf: TypeAlias = Callable[[str], PythonSource]
"""The source of a file, by its path relative to the root of the copy."""


def rank(run: SuiteRun, failing: Collection[int], source_of: SourceOf) -> list[Suspect]:
    """All suspects, the most suspicious first. `failing` are the tests that show the bug."""
    passing = {index for index, test in enumerate(run.tests) if test.outcome == "passed"}
    failing = [index for index in failing if run.tests[index].measured]
    tests = [run.tests[index] for index in failing]
    depths = _depths(tests, source_of)
    handling = _handling(tests, source_of)
    test_files = {test_file(test) for test in run.tests}
    found = []
    for path, lines in run.coverage.items():
        if path in test_files or is_test_code(path):
            continue
        source = source_of(path)
        for line, executing in _by_statement(lines, source).items():
            statement = source.statement(line)
            depth = depths.get((path, line), _NOT_IN_A_TRACEBACK)
            runs_at_import = statement.is_definition or statement.function_length is None
            if executing.isdisjoint(failing) or (runs_at_import and depth == _NOT_IN_A_TRACEBACK):
                continue
            suspect = Suspect(
                path=path,
                line=line,
                quote=source.quote(line),
                failed=len(executing & set(failing)),
                passed=len(executing & passing),
                all_failed=len(failing),
                all_passed=len(passing),
                depth=depth,
                function_length=statement.function_length or 0,
                only_reports=statement.guard is not None or (path, line) in handling,
                is_support=not _SUPPORT.isdisjoint(path.removesuffix(".py").split("/")),
            )
            found.append(suspect)
    return _ranked(_led(found, source_of))


def _led(found: list[Suspect], source_of: SourceOf) -> list[Suspect]:
    """A `raise` is no more suspicious than the condition under which it is reached."""
    scores = {(one.path, one.line): one.score for one in found}
    guards = [source_of(one.path).statement(one.line).guard for one in found]
    return [
        replace(one, led_by=scores.get((one.path, guard), 1.0)) if guard is not None else one
        for one, guard in zip(found, guards, strict=True)
    ]


def _handling(failing: Iterable[RanTest], source_of: SourceOf) -> set[tuple[str, int]]:
    """What ran on the way of an exception out of the project: its handlers have not caused it."""
    return {
        (frame.path, line)
        for test in failing
        for frame in project_frames(test)
        for line in source_of(frame.path).after(frame.line)
    }


def sharpened(
    suspects: Iterable[Suspect], evidence: Mapping[tuple[str, int], Evidence]
) -> list[Suspect]:
    """The same, with what edits at the statements do: where one repairs, that says the most."""
    return _ranked(
        [replace(one, evidence=evidence.get((one.path, one.line), Evidence())) for one in suspects]
    )


def _by_statement(
    lines: dict[int, tuple[int, ...]], source: PythonSource
) -> dict[int, frozenset[int]]:
    """The tests that executed each statement, by its first line."""
    executed: dict[int, frozenset[int]] = {}
    for line, tests in lines.items():
        first = source.statement(line).line
        executed[first] = executed.get(first, frozenset()) | frozenset(tests)
    return executed


def _depths(failing: Iterable[RanTest], source_of: SourceOf) -> dict[tuple[str, int], int]:
    """How far from the origin of an exception each statement is, test code left out."""
    depths: dict[tuple[str, int], int] = {}
    for test in failing:
        for depth, frame in enumerate(reversed(project_frames(test))):
            place = (frame.path, source_of(frame.path).statement(frame.line).line)
            depths[place] = min(depth, depths.get(place, depth))
    return depths


def _ranked(found: list[Suspect]) -> list[Suspect]:
    if not found:
        return []
    best = max(suspect.score for suspect in found)
    # Where an exception arose is worth a look, however many tests pass through there.
    found = [one for one in found if one.score >= best * _LEAST_SHARE_OF_BEST or one.depth == 0]
    ties = Counter(suspect.place for suspect in found)
    found.sort(key=lambda s: (s.place, s.function_length, s.path, s.line))
    first: dict[object, int] = {}
    for number, suspect in enumerate(found, start=1):
        first.setdefault(suspect.place, number)
    return [replace(one, ties=ties[one.place], rank=first[one.place]) for one in found]

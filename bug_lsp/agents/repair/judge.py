"""What becomes of the tests when one candidate is in force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import anyio

from bug_lsp.agents.python_tests import Batch, ForkServer, RanTest, Reply, Request, SuiteRun, Tried

from .candidates import Candidate
from .source import SourceFile

Outcome: TypeAlias = Literal[
    "invalid", "hangs", "dies", "lost", "fails", "further", "helps", "breaks", "passes"
]
"""`further`: the first failing test fails at a later line of its own. `helps`: some failing test
passes, not all. `breaks`: they all pass, but another one fails.
`lost`: the server ended or was silent, so nothing is known of the candidate."""

_ASSERTION = "AssertionError"
_LEAST_CPU = 0.25
_HANGING_CPU = 0.6
"""Seconds for tests that hang today: nobody knows how long they take when they do not."""
_LEAST_EACH = 0.12
_HANGING_EACH = 0.15
"""The same for one of several in a child, which need not be forked."""
_TIMES = 6
_WALL_TIMES = 10
"""The machine may be busy with other things."""
_LEAST_WALL = 2.0
_MOST_SECONDS = 30.0
_FIRST_SECONDS = 2.0
_OTHERS_SECONDS = 4.0
"""In a slow suite a candidate is judged by a part of the tests; the rest comes at the end."""
_MOST_ASKED = 8
_WORTH_SHARING = 5.0
_EACH_SECONDS = 1.5
_MOST_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one candidate."""

    candidate: Candidate
    outcome: Outcome
    broken: str = ""
    """The test that passed before and does not any more."""


class Judge:
    """Tries candidates against the failing tests, then against those that reach the place."""

    def __init__(
        self,
        server: ForkServer,
        run: SuiteRun,
        failing: Sequence[RanTest],
        file_of: Callable[[str], SourceFile | None],
        root: Path,
    ) -> None:
        self._server = server
        self._file_of = file_of
        self._root = root
        self._run = run
        self._failing = sorted(failing, key=_hung_last)
        self._first = _within(self._failing, _FIRST_SECONDS)
        self._reaching: dict[tuple[str, int], list[RanTest]] = {}
        self._broken: dict[str, RanTest] = {}

    @property
    def is_lost(self) -> bool:
        """Whether no candidate can be tried any more."""
        return self._server.is_lost

    def watch(self, tests: Sequence[RanTest]) -> None:
        """Have each candidate pass these tests, too: others have broken them."""
        self._broken |= {test.id: test for test in tests}

    @property
    def at_once(self) -> int:
        """How many candidates one child tries, so that news come about each second."""
        known = sum(test.seconds for test in self._first if not _hung(test))
        return min(max(int(_EACH_SECONDS / (known + 0.001)), 1), _MOST_AT_ONCE)

    async def judge(self, candidate: Candidate, *, cold: bool = False) -> Verdict:
        """Run the failing tests; where all pass, also the passing ones that reach the place."""
        reply = await self._ask(candidate, self._first, cold=cold)
        outcome = _outcome(reply)
        if outcome != "passes":
            return Verdict(candidate, outcome)
        others = [
            *self._broken.values(),
            *self._failing[len(self._first) :],
            *self.reaching(candidate),
        ]
        others = _within(others, _OTHERS_SECONDS)
        if others:
            reply = await self._ask(candidate, others, cold=cold)
            if reply.how == "lost":
                return Verdict(candidate, "lost")
            if not reply.all_passed:
                failed = [test.id for test in reply.tests if test.has_failed]
                failed += [reply.dead.id] if reply.dead is not None else []
                return Verdict(candidate, "breaks", failed[0] if failed else others[0].id)
        return Verdict(candidate, "passes")

    async def passing(self, candidate: Candidate, tests: Sequence[RanTest]) -> list[str]:
        """Which of the tests pass with a candidate."""
        if not tests:
            return []
        reply = await self._ask(candidate, tests, cold=False, stop=False)
        return [test.id for test in reply.tests if test.outcome == "passed"]

    async def sift(self, candidates: Sequence[Candidate]) -> list[Outcome | None]:
        """What the failing tests say to each, quickly; None: to be judged by itself.

        What passes here may owe it to what was tried before in the same process, and is judged
        again; so is what the child did not come to.
        """
        quick = [c for c in candidates if not c.cold]
        found: dict[int, Outcome | None] = {}
        todo = quick
        while todo:
            tried = await self._server.ask_many(self._batch(todo))
            for candidate, one in zip(todo, tried, strict=True):
                if one is not None:
                    found[id(candidate)] = self._sifted(one)
            todo = [c for c, one in zip(todo, tried, strict=True) if one is None]
        return [found.get(id(candidate)) for candidate in candidates]

    def _sifted(self, tried: Tried) -> Outcome | None:
        match tried.how:
            case "done" | "cold" | "lost":
                return None
            case "invalid":
                return "invalid"
            case _ if tried.passed:
                return "helps"
            case "died":
                return "dies"
            case "hung":
                return "hangs"
            case _:
                return "further" if self._gets_further(tried) else "fails"

    def _gets_further(self, tried: Tried) -> bool:
        """Whether the first of the failing tests fails later than it does without a change."""
        before = self._first[0].failure
        if before is None or tried.line == 0:
            return False
        line = next((f.line for f in before.frames if f.path == self._first[0].path), 0)
        crashed = before.type != _ASSERTION and bool(before.frames[1:])
        asserts = crashed and tried.failed_as == _ASSERTION
        return 0 < line < tried.line or (line == tried.line and asserts)

    def _batch(self, candidates: Sequence[Candidate]) -> Batch:
        changes = []
        for candidate in candidates:
            path = self._root / candidate.path
            changes.append(({path: self.text_of(candidate)}, {path: self._original(candidate)}))
        known = sum(test.seconds for test in self._first if not _hung(test))
        hangs = any(map(_hung, self._first))
        cpu = _LEAST_EACH + _TIMES * known + _HANGING_EACH * hangs
        return Batch(
            tuple(test.id for test in self._first),
            tuple(changes),
            cpu_seconds=min(cpu, _MOST_SECONDS),
            wall_seconds=min(max(_WALL_TIMES * cpu, _LEAST_WALL), _MOST_SECONDS),
        )

    async def control(self) -> list[RanTest]:
        """The failing tests without those that, alone and with nothing changed, pass.

        Of many only the first are asked, those that candidates have to pass first.
        """
        passing: set[str] = set()

        async def ask(test: RanTest) -> None:
            reply = await self._server.ask(self._request({}, {}, [test]))
            if reply.all_passed:
                passing.add(test.id)

        async with anyio.create_task_group() as group:
            for test in self._first[:_MOST_ASKED]:
                group.start_soon(ask, test)
        self._failing = [test for test in self._failing if test.id not in passing]
        self._first = _within(self._failing, _FIRST_SECONDS)
        return self._failing

    @property
    def first(self) -> list[str]:
        """The failing tests that every candidate has to pass first."""
        return [test.id for test in self._first]

    def reaching(self, candidate: Candidate) -> list[RanTest]:
        """Passing tests that executed a line of the function that is edited, the quick first."""
        file = self._file_of(candidate.path)
        key = (candidate.path, candidate.line)
        if key not in self._reaching:
            lines = range(0) if file is None else file.lines_around(candidate.line)
            executed = self._run.coverage.get(candidate.path, {})
            indexes = {i for line in lines for i in executed.get(line, ())}
            if not lines:  # what runs at import may matter to every test
                indexes = set(range(len(self._run.tests)))
            tests = [self._run.tests[index] for index in sorted(indexes)]
            passing = [test for test in tests if test.outcome == "passed"]
            self._reaching[key] = sorted(passing, key=lambda test: round(test.seconds, 1))
        return self._reaching[key]

    def text_of(self, candidate: Candidate) -> str:
        """The whole file with the candidate in it."""
        file = self._file_of(candidate.path)
        assert file is not None  # noqa: S101 - the candidate was made from it
        return file.apply(candidate.splices)

    async def whole(
        self, candidate: Candidate, tests: Sequence[str], seconds: float, lanes: int
    ) -> list[Reply]:
        """Many tests, for so long at most; of a slow suite only some in a fresh process."""
        fresh = list(tests) if candidate.cold else self._fresh(tests)
        others = [test for test in tests if test not in set(fresh)]
        found: list[Reply] = []

        async def ask(part: Sequence[str], *, cold: bool) -> None:
            request = self._unhurried(candidate, part, seconds)
            found.append(await self._server.ask(request, cold=cold))

        async with anyio.create_task_group() as group:
            group.start_soon(partial(ask, fresh, cold=True))
            for part in filter(None, (others[n::lanes] for n in range(lanes))):
                group.start_soon(partial(ask, part, cold=False))
        return found

    def _fresh(self, tests: Sequence[str]) -> list[str]:
        """Those of the tests that a process which must import the project first runs soon."""
        known = {test.id: test for test in self._run.tests}
        slow = sum(test.seconds for test in self._run.tests) > _WORTH_SHARING
        if not slow and self._server.start_took < _WORTH_SHARING:
            return list(tests)
        files = {test.partition("::")[0] for test in self.first}
        near = [known[t] for t in tests if t in known and t.partition("::")[0] in files]
        return [test.id for test in _within(near, _OTHERS_SECONDS)]

    def _unhurried(self, candidate: Candidate, tests: Sequence[str], seconds: float) -> Request:
        path = self._root / candidate.path
        slowest = max((test.seconds for test in self._run.tests if not _hung(test)), default=0)
        return Request(
            tuple(tests),
            texts={path: self.text_of(candidate)},
            originals={path: self._original(candidate)},
            test_seconds=_LEAST_WALL + _TIMES * slowest,
            soft_seconds=seconds,
            cpu_seconds=_MOST_SECONDS + seconds,
            wall_seconds=_LEAST_WALL + seconds,
        )

    async def _ask(
        self, candidate: Candidate, tests: Sequence[RanTest], *, cold: bool, stop: bool = True
    ) -> Reply:
        path = self._root / candidate.path
        texts, originals = {path: self.text_of(candidate)}, {path: self._original(candidate)}
        cold = cold or candidate.cold
        request = replace(self._request(texts, originals, tests, cold=cold), stop_at_failure=stop)
        reply = await self._server.ask(request, cold=cold)
        if reply.how == "cold":
            again = self._request(texts, originals, tests, cold=True)
            request = replace(again, stop_at_failure=stop)
            reply = await self._server.ask(request, cold=True)
        return reply

    def _original(self, candidate: Candidate) -> str:
        file = self._file_of(candidate.path)
        return "" if file is None else file.text

    @staticmethod
    def _request(
        texts: dict[Path, str],
        originals: dict[Path, str],
        tests: Sequence[RanTest],
        *,
        cold: bool = False,
    ) -> Request:
        known = sum(test.seconds for test in tests if not _hung(test))
        cpu = _LEAST_CPU + _TIMES * known + _HANGING_CPU * any(map(_hung, tests)) + 8 * cold
        return Request(
            tuple(test.id for test in tests),
            texts=texts,
            originals=originals,
            stop_at_failure=True,
            cpu_seconds=min(cpu, _MOST_SECONDS),
            wall_seconds=min(max(_WALL_TIMES * cpu, _LEAST_WALL), _MOST_SECONDS),
        )


def _outcome(reply: Reply) -> Outcome:
    helped = any(test.outcome == "passed" for test in reply.tests)
    match reply.how:
        case "invalid" | "lost":
            return reply.how
        case "hung":
            return "helps" if helped else "hangs"
        case "done":
            ran = [test for test in reply.tests if test.outcome != "skipped"]
            if ran and reply.all_passed:
                return "passes"
            return "helps" if helped else "fails"
        case _:
            return "helps" if helped else "dies"


def _within(tests: Sequence[RanTest], seconds: float) -> list[RanTest]:
    """The tests from the first on that take no longer than that together, one at least."""
    found: list[RanTest] = []
    for test in tests:
        seconds -= _HANGING_CPU if _hung(test) else test.seconds
        if found and seconds < 0:
            break
        found.append(test)
    return found


def _hung(test: RanTest) -> bool:
    return test.failure is not None and test.failure.type == "Timeout"


def _hung_last(test: RanTest) -> tuple[bool, float]:
    return (_hung(test), round(test.seconds, 1))

"""Checks what passed in the search again: in a process that has not seen the code before, and with
as many of the tests as there is time for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bug_lsp.agents.base import Emit
from bug_lsp.agents.python_tests import ForkServer, RanTest, Reply, Request
from bug_lsp.domain.events import Activity

from .answer import Outcome
from .candidates import Candidate
from .judge import Judge

_MOST_SECONDS = 25.0
_LEAST_SECONDS = 1.0
_MOST_WATCHED = 5
_MOST_RELATED = 10
_MOST_ORDERED = 12
TIME_WAS_OVER = "the time was over"
_ENDED_AGAIN = "the process that runs the tests ended while it was checked, twice"
_ENDED_EARLY = "its process had to be ended before the tests were over"


@dataclass
class Check:
    """Finds the first candidate that holds."""

    outcome: Outcome
    judge: Judge
    server: ForkServer
    ends: float
    emit: Emit
    _also: dict[Candidate, list[str]] = field(default_factory=dict)
    """By candidate: the other failing tests that pass with it."""

    async def run(self) -> None:
        """Set the patch of the outcome, and say of the others that they do not hold."""
        doubt: tuple[Candidate, str] | None = None
        has_broken = False
        for candidate in await self._in_order():
            if self._left() < _LEAST_SECONDS:
                doubt = doubt or (candidate, TIME_WAS_OVER)
                break
            self.emit(Activity(text=f"checking {candidate.path}:{candidate.line} {candidate.what}"))
            if has_broken and (await self.judge.judge(candidate)).outcome == "breaks":
                self.outcome.rejected.append(candidate)
                continue
            holds, why = await self._holds(candidate)
            if holds:
                self._take(candidate, "")
                return
            if why:
                doubt = doubt or (candidate, why)
            else:
                has_broken = True
                self.outcome.rejected.append(candidate)
        if doubt is not None:
            self._take(*doubt)

    async def _in_order(self) -> list[Candidate]:
        """Those that pass; first those with which the most of the other failing tests pass, too."""
        passing, related = self.outcome.passing, self.outcome.related[:_MOST_RELATED]
        if not related or not passing:
            return passing
        leading = passing[:_MOST_ORDERED]
        for candidate in leading:
            if candidate not in self._also and self._left() > _LEAST_SECONDS:
                self._also[candidate] = await self.judge.passing(candidate, related)
        leading.sort(key=lambda one: -len(self._also.get(one, ())))
        return [*leading, *passing[_MOST_ORDERED:]]

    def stop(self) -> None:
        """Take the likeliest one as it is, for the case that `run` was not allowed to end."""
        passing = self.outcome.passing
        if self.outcome.patch is None and passing:
            self._take(passing[0], TIME_WAS_OVER)

    def _left(self) -> float:
        return self.ends - time.monotonic()

    def _take(self, candidate: Candidate, doubt: str) -> None:
        self.outcome.patch = candidate
        self.outcome.also = self._also.get(candidate, [])
        self.outcome.text = self.judge.text_of(candidate)
        self.outcome.unchecked = doubt

    async def _holds(self, candidate: Candidate) -> tuple[bool, str]:
        """Whether it does; if not, why that cannot be told, or nothing if it can."""
        for _ in range(2):
            replies = await self._replies(candidate)
            # That the server ended says nothing of the candidate: the next one asks a new server.
            if not any(reply.how == "lost" for reply in replies):
                break
        run, shown = self.outcome.baseline.run, {test.id for test in self.outcome.failing}
        known = {test.id for test in run.tests if test.has_failed} - shown
        tests = [test for reply in replies for test in reply.tests]
        tests += [reply.dead for reply in replies if reply.dead is not None and reply.how == "died"]
        bad = [test for test in tests if test.has_failed and test.id not in known]
        if bad and {test.id for test in bad} <= set(self.outcome.baseline.unknown):
            bad = await self._new(bad)
        if bad:
            self.judge.watch(bad[:_MOST_WATCHED])
            return False, ""
        ran = {test.id for reply in replies for test in reply.tests}
        if any(reply.how == "lost" for reply in replies):
            return False, _ENDED_AGAIN
        if any(reply.how != "done" for reply in replies):
            return False, _ENDED_EARLY
        if not set(self.judge.first) <= ran:
            return False, TIME_WAS_OVER
        self.outcome.checked = len(ran)
        self.outcome.whole_suite = ran >= set(run.collected)
        return True, ""

    async def _replies(self, candidate: Candidate) -> list[Reply]:
        baseline = self.outcome.baseline
        shown = [test.id for test in self.outcome.failing]
        reaching = [test.id for test in self.judge.reaching(candidate)]
        others = [test.id for test in baseline.run.tests if test.outcome == "passed"]
        order = dict.fromkeys([*shown, *reaching, *others, *baseline.unknown])
        seconds = min(max(self._left(), _LEAST_SECONDS), _MOST_SECONDS)
        return await self.judge.whole(candidate, list(order), seconds, baseline.lanes)

    async def _new(self, tests: Sequence[RanTest]) -> list[RanTest]:
        """Which of the tests pass without any change."""
        left, names = max(self._left(), _LEAST_SECONDS), tuple(test.id for test in tests)
        reply = await self.server.ask(Request(names, soft_seconds=left, wall_seconds=left))
        return [test for test in reply.tests if test.outcome == "passed"]

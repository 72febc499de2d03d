"""The search: candidates in their order, several at a time, until the best class is exhausted.

What is found does not depend on which of two processes was quicker, unless time runs out.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from bug_lsp.agents.base import Emit
from bug_lsp.domain.events import Activity

from .candidates import LEAST_LATE_COST, Candidate
from .judge import Judge, Verdict

MARGIN = 0.5
"""How much less likely than the first candidate that passes those are that are still tried."""
_TELL_SECONDS = 0.25
_CHUNK = 12
_FIRST_CHUNK = 3


def cores() -> int:
    """How many processes can compute at a time."""
    available = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(available(0)) if available is not None else os.cpu_count() or 1


@dataclass(slots=True)
class Tally:
    """What came of the candidates at one statement."""

    tried: int = 0
    helped: int = 0
    """Those with which some failing test passes, whatever else breaks."""
    passed: int = 0

    @property
    def share(self) -> float:
        """Of those tried, how many turn a failing test green."""
        return self.helped / self.tried if self.tried else 0.0


@dataclass(slots=True)
class Found:
    """What the search came to."""

    passing: list[Candidate] = field(default_factory=list)
    """Candidates with which all tests that matter pass, the likeliest first."""
    breaking: list[Verdict] = field(default_factory=list)
    """Candidates with which the failing tests pass, and another one fails."""
    tallies: dict[tuple[str, int], Tally] = field(default_factory=dict)
    """By path and line."""
    families: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    tried: int = 0
    ended: str = ""
    """Why the search ended."""
    first_after: float | None = None
    """Seconds from the agent's start to the first verdict."""


@dataclass
class Search:
    """One search over a list that may grow by a second one."""

    judge: Judge
    early: list[Candidate]
    """In their order."""
    late: Callable[[], list[Candidate]]
    """Makes those that come later: there are so many that to make them takes time."""
    lanes: int
    began: float
    ends: float
    """By the monotonic clock."""
    emit: Emit
    margin: float = MARGIN
    _verdicts: list[Verdict] = field(default_factory=list)
    _limit: float = float("inf")
    _told: float = 0.0
    _begun: int = 0
    _first: float | None = None
    _out_of_time: bool = False
    _todo: Iterator[list[Candidate]] = field(default_factory=lambda: iter(()))
    _known: int = 0
    """How many candidates there are, as far as they are made."""
    _all_known: bool = False
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def run(self) -> Found:
        """Try them."""
        self._known = len(self.early)
        soon = [one for one in self.early if one.cost < LEAST_LATE_COST]
        self._todo = _chunks(soon)
        async with anyio.create_task_group() as group:
            for _ in range(self.lanes):
                group.start_soon(self._lane)
        return self._found()

    async def _next(self) -> list[Candidate]:
        """The next few candidates; none at the end, or where the rest is too unlikely."""
        async with self._turn:
            chunk = next(self._todo, None)
            if chunk is None and not self._all_known and self._limit >= LEAST_LATE_COST:
                self._all_known = True
                rest = [one for one in self.early if one.cost >= LEAST_LATE_COST]
                late = await anyio.to_thread.run_sync(self.late)
                self._known += len(late)
                rest += late
                rest.sort(key=lambda candidate: candidate.rank)
                self._todo = _chunks(rest, _CHUNK)
                chunk = next(self._todo, None)
            return chunk or []

    async def _lane(self) -> None:
        while chunk := await self._next():
            wanted = [candidate for candidate in chunk if candidate.cost <= self._limit]
            if not wanted:
                return
            left = self.ends - time.monotonic()
            if left <= 0:
                self._out_of_time = True
                return
            self._tell(wanted[0])
            self._begun += len(wanted)
            with anyio.move_on_after(left) as scope:
                await self._try(wanted)
            if scope.cancelled_caught:
                self._out_of_time = True

    async def _try(self, chunk: list[Candidate]) -> None:
        outcomes = await self.judge.sift(chunk)
        for candidate, outcome in zip(chunk, outcomes, strict=True):
            if outcome is not None:
                self._take(Verdict(candidate, outcome))
        for candidate, outcome in zip(chunk, outcomes, strict=True):
            if outcome is None and candidate.cost <= self._limit:
                self._take(await self.judge.judge(candidate))

    def _take(self, verdict: Verdict) -> None:
        if self._first is None:
            self._first = time.monotonic() - self.began
        self._verdicts.append(verdict)
        if verdict.outcome == "passes":
            self._limit = min(self._limit, verdict.candidate.cost + self.margin)

    def _tell(self, candidate: Candidate) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS:
            return
        self._told = now
        total = self._known
        passing = sum(verdict.outcome == "passes" for verdict in self._verdicts)
        found = f", {passing} found" if passing else ""
        text = (
            f"trying {candidate.path}:{candidate.line} {candidate.what}"
            f" ({total - self._begun} of {total} candidates left{found})"
        )
        self.emit(Activity(text=text, percentage=100 * self._begun // max(total, 1)))

    def _found(self) -> Found:
        # Beyond the limit it is chance what was still begun.
        counted = [v for v in self._verdicts if v.candidate.cost <= self._limit]
        counted.sort(key=lambda verdict: verdict.candidate.rank)
        found = Found(
            tried=len(counted),
            first_after=self._first,
        )
        for verdict in counted:
            one = verdict.candidate
            tally = found.tallies.setdefault((one.path, one.line), Tally())
            tally.tried += 1
            found.families[one.family] += 1
            found.outcomes[verdict.outcome] += 1
            if verdict.outcome in {"helps", "breaks", "passes"}:
                tally.helped += 1
            if verdict.outcome == "passes":
                tally.passed += 1
                found.passing.append(one)
            elif verdict.outcome == "breaks":
                found.breaking.append(verdict)
        found.ended = self._why(found)
        return found

    def _why(self, found: Found) -> str:
        if self._out_of_time:
            return "the time was over"
        if found.passing:
            return "all others are less likely"
        return "all candidates were tried"


def _chunks(candidates: list[Candidate], first: int = _FIRST_CHUNK) -> Iterator[list[Candidate]]:
    """A few at first, as the likeliest are to be judged soon."""
    at, size = 0, first
    while at < len(candidates):
        yield candidates[at : at + size]
        at += size
        size = min(size + 1, _CHUNK)

"""The search: candidates in their order, several at a time, until the best class is exhausted.

What is found does not depend on which of two processes was quicker, unless time runs out.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import anyio

from bug_lsp.agents.base import Emit
from bug_lsp.domain.events import Activity

from .candidates import Candidate
from .judge import Judge, Verdict
from .pairs import Pairs
from .supply import Supply

MARGIN = 0.5
"""How much less likely than the first candidate that passes those are that are still tried."""
_TELL_SECONDS = 0.25
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
    """One search over a supply of candidates."""

    judge: Judge
    supply: Supply
    lanes: int
    began: float
    ends: float
    """By the monotonic clock."""
    emit: Emit
    margin: float = MARGIN
    pairs: Pairs = field(default_factory=Pairs)
    _verdicts: list[Verdict] = field(default_factory=list)
    _limit: float = float("inf")
    _told: float = 0.0
    _begun: int = 0
    _first: float | None = None
    _out_of_time: bool = False
    _chunk: int = _FIRST_CHUNK
    _skipped: list[Candidate] = field(default_factory=list)
    """Those that may pass, but are less likely than others that do."""

    def reject(self, candidates: Collection[Candidate]) -> bool:
        """Count some that passed as breaking a test; returns whether to go on by `run`."""
        known = [v for v in self._verdicts if v.outcome == "passes" and v.candidate in candidates]
        for verdict in known:
            self._verdicts.remove(verdict)
            self._verdicts.append(Verdict(verdict.candidate, "breaks"))
        passing = [v.candidate.cost for v in self._verdicts if v.outcome == "passes"]
        self._limit = min(passing, default=float("inf")) + self.margin
        return bool(known) and not self._out_of_time

    async def run(self) -> Found:
        """Try them."""
        async with anyio.create_task_group() as group:
            for _ in range(self.lanes):
                group.start_soon(self._lane)
        return self.found()

    async def _next(self) -> list[Candidate]:
        """The next few: not many at first, as the likeliest are to be judged soon."""
        if self._skipped and self._skipped[0].cost <= self._limit:
            skipped, self._skipped = self._skipped, []
            return skipped
        count = min(self._chunk, self.judge.at_once)
        self._chunk += 1
        return await self.supply.take(count, self._limit)

    async def _lane(self) -> None:
        with anyio.move_on_at(anyio.current_time() + self.ends - time.monotonic()) as scope:
            while not self.judge.is_lost and (chunk := await self._next()):
                self._tell(chunk[0])
                self._begun += len(chunk)
                await self._try(chunk)
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
            elif outcome is None:
                self._skipped.append(candidate)

    def _take(self, verdict: Verdict) -> None:
        if self._first is None:
            self._first = time.monotonic() - self.began
        self._verdicts.append(verdict)
        if verdict.outcome in {"fails", "further", "helps"}:
            self.pairs.see(verdict.candidate, gets_further=verdict.outcome != "fails")
        if verdict.outcome == "passes":
            self._limit = min(self._limit, verdict.candidate.cost + self.margin)

    def _tell(self, candidate: Candidate) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS:
            return
        self._told = now
        total = self.supply.made
        passing = sum(verdict.outcome == "passes" for verdict in self._verdicts)
        found = f", {passing} found" if passing else ""
        text = (
            f"trying {candidate.path}:{candidate.line} {candidate.what}"
            f" ({total - self._begun} of {total} candidates left{found})"
        )
        self.emit(Activity(text=text, percentage=100 * self._begun // max(total, 1)))

    def found(self) -> Found:
        """What it has come to so far."""
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
        if self.judge.is_lost:
            return "the process that runs the tests ended again and again"
        if found.passing:
            return "all others are less likely"
        return "all candidates were tried"

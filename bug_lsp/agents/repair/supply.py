"""The candidates in their order, made as the search needs them.

A large file has millions of possible edits: the places that are most suspicious come first, and the
search begins with the first candidates while the others do not exist yet.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

import anyio
import anyio.from_thread
import anyio.to_thread

from .candidates import LEAST_LATE_COST, MOST_LATE, Candidate, Maker, Site
from .source import Splice

_LEAST_EARLY = 0.2
_LEAST_LATE = 1.7
"""No edit of an early or a late family costs less, apart from its place."""
_BELOW_LATE = LEAST_LATE_COST - 1e-9
_FIRST_SECONDS = 3.0
_NEXT_SECONDS = 0.3
"""How long those that there are wait for likelier ones that are not made yet."""


_Entry: TypeAlias = tuple[tuple[float, int, str, tuple[Splice, ...]], int, Candidate]
"""Its rank, a number for those of the same rank, and a candidate."""


class Supply(Protocol):
    """Where a search takes its candidates from."""

    @property
    def made(self) -> int:
        """How many there are so far, those that were taken included."""
        ...

    async def take(self, count: int, limit: float) -> list[Candidate]:
        """Return the next ones that cost no more than the limit; none at the end."""
        ...


@dataclass
class Listed:
    """A supply of candidates that are there already."""

    candidates: Sequence[Candidate]
    made: int = field(init=False)
    _at: int = 0

    def __post_init__(self) -> None:
        self.made = len(self.candidates)

    async def take(self, count: int, limit: float) -> list[Candidate]:
        """Return the next ones."""
        taken = self.candidates[self._at : self._at + count]
        self._at += len(taken)
        return [one for one in taken if one.cost <= limit]


class _Queue:
    """Sites that are not expanded yet, cheapest first, and the candidates of the others."""

    def __init__(self, where: Sequence[Site], maker: Maker, least: float, *, late: bool) -> None:
        self._sites = sorted(where, key=lambda site: site.cost)
        self._maker = maker
        self._least = least
        self._late = late
        self._heap: list[_Entry] = []
        self._count = 0
        self._seen: set[tuple[str, tuple[Splice, ...]]] = set()

    def _is_next_made(self) -> bool:
        if not self._sites:
            return True
        return bool(self._heap) and self._heap[0][-1].cost < self._sites[0].cost + self._least

    async def fill(self, limit: float, ends: float, *, below: float = float("inf")) -> None:
        """Make candidates until the next one is known to be the next, or the time is over and
        there is one `below` a cost.
        """
        while not self._is_next_made() and self._sites[0].cost + self._least <= limit:
            is_there = bool(self._heap) and self._heap[0][-1].cost < below
            if is_there and time.monotonic() > ends:
                return
            site = self._sites.pop(0)
            made = await anyio.to_thread.run_sync(partial(self._make, site))
            for one in made:
                self._count += 1
                heapq.heappush(self._heap, (one.rank, self._count, one))

    def _make(self, site: Site) -> list[Candidate]:
        anyio.from_thread.check_cancelled()
        return self._maker.make(site, late=self._late)

    def pop(self, limit: float) -> Candidate | None:
        """The cheapest one, unless it costs more than the limit."""
        while self._heap and self._heap[0][-1].cost <= limit:
            one = heapq.heappop(self._heap)[-1]
            if one.key not in self._seen:
                self._seen.add(one.key)
                return one
        return None

    def add(self, more: _Queue) -> None:
        """Take over the candidates of another queue."""
        self._seen |= more._seen
        self._heap += [(rank, -count, one) for rank, count, one in more._heap]
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._heap)


class Growing:
    """A supply that makes candidates at one site after another."""

    def __init__(self, where: Sequence[Site], ran_at_import: frozenset[tuple[str, int]]) -> None:
        maker = Maker(ran_at_import)
        self._early = _Queue(where, maker, _LEAST_EARLY, late=False)
        self._late = _Queue(where[:MOST_LATE], maker, _LEAST_LATE, late=True)
        self._are_early_over = False
        self._taken = 0
        self._turn = anyio.Lock()

    @property
    def made(self) -> int:
        """How many there are so far, those that were taken included."""
        return self._taken + len(self._early) + (len(self._late) if self._are_early_over else 0)

    async def take(self, count: int, limit: float) -> list[Candidate]:
        """Return the next ones that cost no more than the limit; none at the end."""
        async with self._turn:
            found: list[Candidate] = []
            seconds = _NEXT_SECONDS if self._taken else _FIRST_SECONDS
            ends = time.monotonic() + seconds
            while len(found) < count:
                one = await self._next(limit, ends)
                if one is None:
                    break
                found.append(one)
            self._taken += len(found)
            return found

    async def _next(self, limit: float, ends: float) -> Candidate | None:
        if not self._are_early_over:
            await self._early.fill(limit, ends, below=LEAST_LATE_COST)
            one = self._early.pop(min(limit, _BELOW_LATE))
            if one is not None or limit < LEAST_LATE_COST:
                return one
            self._are_early_over = True
            self._late.add(self._early)
        await self._late.fill(limit, ends)
        return self._late.pop(limit)

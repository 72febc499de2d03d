"""The candidates in their order, made as the search needs them.

A large file has millions of possible edits: the places that are most suspicious come first, and the
search begins with the first candidates while the others do not exist yet.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias

import anyio
import anyio.from_thread
import anyio.to_thread

from .candidates import EARLY, LATE, LEAST_LATE_COST, MOST_LATE, Candidate, Maker, Site
from .source import Splice

_LEAST_EARLY = 0.2
"""No edit of an early family costs less, apart from its place."""
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


@dataclass(frozen=True, slots=True, order=True)
class _Unit:
    """Candidates that are not made yet: those of some families at a site."""

    least: float
    """What each of them costs at least."""
    number: int
    site: Site = field(compare=False)
    families: tuple[str, ...] = field(compare=False)


class _Queue:
    """Units that are not made yet, and the candidates of the others, each cheapest first."""

    def __init__(self, units: Iterable[_Unit], maker: Maker) -> None:
        self._units = list(units)
        heapq.heapify(self._units)
        self._maker = maker
        self._heap: list[_Entry] = []
        self._count = 0
        self._seen: set[tuple[str, tuple[Splice, ...]]] = set()

    def _is_next_made(self) -> bool:
        if not self._units:
            return True
        return bool(self._heap) and self._heap[0][-1].cost < self._units[0].least

    async def fill(self, limit: float, ends: float, take: Callable[[Candidate], None]) -> None:
        """Make candidates until the next one is known to be the next, or the time is over and
        there is one.
        """
        while not self._is_next_made() and self._units[0].least <= limit:
            if self._heap and time.monotonic() > ends:
                return
            unit = heapq.heappop(self._units)
            for one in await anyio.to_thread.run_sync(partial(self._make, unit)):
                take(one)

    def _make(self, unit: _Unit) -> list[Candidate]:
        anyio.from_thread.check_cancelled()
        return self._maker.make(unit.site, unit.families)

    def push(self, one: Candidate) -> None:
        """Put in one more."""
        self._count += 1
        heapq.heappush(self._heap, (one.rank, self._count, one))

    def pop(self, limit: float) -> Candidate | None:
        """The cheapest one, unless it costs more than the limit."""
        while self._heap and self._heap[0][-1].cost <= limit:
            one = heapq.heappop(self._heap)[-1]
            if one.key not in self._seen:
                self._seen.add(one.key)
                return one
        return None

    def wait_for(self, unit: _Unit) -> None:
        """Put in what is not made yet."""
        heapq.heappush(self._units, unit)

    def leave_out(self, more: _Queue) -> None:
        """Give nothing that another queue has given."""
        self._seen |= more._seen

    def __len__(self) -> int:
        return len(self._heap)


class Growing:
    """A supply that makes candidates at one site after another."""

    def __init__(
        self,
        where: Sequence[Site],
        ran_at_import: frozenset[tuple[str, int]],
        more: Callable[[], Iterable[Candidate]] = tuple,
    ) -> None:
        """`more` gives what is to be tried besides, once the likeliest ones are through."""
        self._maker = Maker(ran_at_import)
        self._more = more
        self._where = where[:MOST_LATE]
        units = (_Unit(s.cost + _LEAST_EARLY, n, s, EARLY) for n, s in enumerate(where))
        self._early = _Queue(units, self._maker)
        self._late = _Queue((), self._maker)
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
            await self._early.fill(limit, ends, self._sort)
            one = self._early.pop(limit)
            if one is not None or limit < LEAST_LATE_COST:
                return one
            self._are_early_over = True
            await anyio.to_thread.run_sync(self._begin_late)
        for more in self._more():
            self._late.push(more)
        await self._late.fill(limit, ends, self._late.push)
        return self._late.pop(limit)

    def _sort(self, one: Candidate) -> None:
        late = one.is_late or one.cost >= LEAST_LATE_COST
        (self._late if late else self._early).push(one)

    def _begin_late(self) -> None:
        for number, site in enumerate(self._where):
            for family in LATE:
                least = self._maker.least(site, family)
                self._late.wait_for(_Unit(least, number, site, (family,)))
        self._late.leave_out(self._early)

"""Two edits of one file: where the first one makes a failing test get further, a second one may
make it pass. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from .candidates import Candidate

_MOST_FIRST = 16
_MOST_SECOND = 160
_MORE_COST = 0.6
"""How much more two edits cost than the dearer one of them."""


@dataclass
class Pairs:
    """Grows with what the search sees."""

    _first: list[Candidate] = field(default_factory=list)
    _second: list[Candidate] = field(default_factory=list)
    _used: int = 0

    def see(self, candidate: Candidate, *, gets_further: bool) -> None:
        """Remember a candidate that was tried and does not make the tests pass."""
        if candidate.cold or candidate.also:
            return
        if gets_further and len(self._first) < _MOST_FIRST:
            self._first.append(candidate)
        if len(self._second) < 4 * _MOST_SECOND:
            self._second.append(candidate)

    def new(self) -> list[Candidate]:
        """The pairs of those that get further since the last time, each with likely others."""
        first, self._used = self._first[self._used :], len(self._first)
        return [
            pair
            for one in first
            for other in self._likeliest(one)
            if (pair := _joined(one, other)) is not None
        ]

    def _likeliest(self, one: Candidate) -> Sequence[Candidate]:
        others = [other for other in self._second if other.path == one.path]
        return sorted(others, key=lambda other: other.rank)[:_MOST_SECOND]


def _joined(one: Candidate, other: Candidate) -> Candidate | None:
    """Both edits as one candidate; None where they touch."""
    splices = sorted((*one.splices, *other.splices))
    if any(a.end >= b.start for a, b in pairwise(splices)):
        return None
    return replace(
        one,
        splices=tuple(splices),
        what=f"{one.what} and, at line {other.shown}, {other.what}",
        family="two edits",
        cost=max(one.cost, other.cost) + _MORE_COST,
        size=one.size + other.size,
        also=(other.shown,),
    )

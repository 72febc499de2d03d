"""The search for the first bad commit: by doubling steps back to a good one, then by halves.

Pure but for the check it awaits: it knows positions in a line of commits, not git. Commits that
cannot be tested are gone around, as `git bisect skip` does.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

MOST_SKIPS = 20


class Verdict(StrEnum):
    """What a test says about a commit."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "cannot be tested"


Check: TypeAlias = Callable[[int], Awaitable[Verdict]]
"""The verdict on the commit at a position; 0 is the newest."""
OnLeft: TypeAlias = Callable[[int | None, int | None], None]
"""Called with about how many commits are left to try and of how many; None while unknown."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where good turns into bad. Whatever is between the two could not be tested."""

    bad: int
    good: int


async def find_boundary(
    count: int, check: Check, on_left: OnLeft, hints: Iterable[int] = ()
) -> Boundary | None:
    """The boundary among `count` commits of which the newest is bad; None if none is good.

    `hints` are positions that are likely to be good: they are tried first.
    """
    steps = await _step_back(count, check, on_left, hints)
    return None if steps is None else await _halve(steps, check, on_left)


async def _step_back(
    count: int, check: Check, on_left: OnLeft, hints: Iterable[int]
) -> Boundary | None:
    """A good commit, however far back, and the oldest known bad one after it."""
    bad = 0
    for hint in sorted({hint for hint in hints if 0 < hint < count}):
        on_left(None, None)
        verdict = await check(hint)
        if verdict is Verdict.GOOD:
            return Boundary(bad, hint)
        bad = hint if verdict is Verdict.BAD else bad
    first, position = bad, bad + 1
    untestable: int | None = None
    while position < count:
        on_left(None, None)
        verdict = await check(position)
        if verdict is Verdict.GOOD:
            return Boundary(bad, position)
        if verdict is Verdict.BAD:
            bad, untestable = position, None
        elif untestable is None:
            untestable = position
        if position == count - 1:
            break
        position = min(first + 2 * (position - first), count - 1)
    if untestable is None:
        return None
    return await _before_the_untestable(Boundary(bad, untestable), check, on_left)


async def _before_the_untestable(
    range_: Boundary, check: Check, on_left: OnLeft
) -> Boundary | None:
    """A good commit younger than the code's own beginning, which a doubled step jumped over."""
    bad, end = range_.bad, range_.good
    while end - bad > 1:
        on_left(None, None)
        middle = (bad + end) // 2
        verdict = await check(middle)
        if verdict is Verdict.GOOD:
            return Boundary(bad, middle)
        if verdict is Verdict.BAD:
            bad = middle
        else:
            end = middle
    return None


async def _halve(found: Boundary, check: Check, on_left: OnLeft) -> Boundary:
    bad, good = found.bad, found.good
    whole = _steps(good - bad)
    skipped: set[int] = set()
    while good - bad > 1 and len(skipped) < MOST_SKIPS:
        on_left(_steps(good - bad), whole)
        middle = (bad + good) // 2
        untried = [position for position in range(bad + 1, good) if position not in skipped]
        if not untried:
            break
        position = min(untried, key=lambda one: (abs(one - middle), one))
        verdict = await check(position)
        if verdict is Verdict.GOOD:
            good = position
        elif verdict is Verdict.BAD:
            bad = position
        else:
            skipped.add(position)
    return Boundary(bad, good)


def _steps(commits: int) -> int:
    return max(math.ceil(math.log2(commits)), 1) if commits > 1 else 0

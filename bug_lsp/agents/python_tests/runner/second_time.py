"""A failing test runs a second time, where that is cheap, to know what it executes but once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .failure import Places
from .lines import LineCoverage
from .until_raised import UntilRaised

_MOST_SECONDS = 5.0
"""How long all second times may take together."""
_LONGEST = 1.0
"""How long a test may have taken to be run again."""
_QUICK = 0.5
"""How long a test may have taken to be looked at more closely, which takes far longer."""
_NOT_AGAIN = {"Timeout", "ProcessExit"}


@dataclass
class SecondTime:
    """One test, the second time."""

    has_failed: bool = False


class SecondTimes:
    """Those of one run."""

    def __init__(self, lines: LineCoverage, places: Places) -> None:
        self._lines = lines
        self._places = places
        self._left = _MOST_SECONDS

    def wants(self, seconds: float, error: str) -> bool:
        """Whether a test that failed with this error is to run again."""
        return seconds < min(_LONGEST, self._left) and error not in _NOT_AGAIN

    @contextlib.contextmanager
    def run(self, test: int, seconds: float) -> Iterator[SecondTime]:
        """Measure what runs in here as the second time of a test."""
        began = time.monotonic()
        try:
            with self._traced(test) if seconds < _QUICK else self._covered(test) as again:
                yield again
        finally:
            self._left -= time.monotonic() - began

    @contextlib.contextmanager
    def _covered(self, test: int) -> Iterator[SecondTime]:
        again = SecondTime()
        self._lines.start_again(test)
        try:
            yield again
        finally:
            self._lines.stop()
        if again.has_failed:
            self._lines.keep_again(test)

    @contextlib.contextmanager
    def _traced(self, test: int) -> Iterator[SecondTime]:
        again = SecondTime()
        tracer = UntilRaised(self._places)
        self._lines.trace_again(tracer)
        try:
            yield again
        finally:
            tracer.stop()
            LineCoverage.current = None
        if again.has_failed and tracer.is_whole:
            self._lines.keep_traced(test, tracer.lines())

"""A failing test runs a second time, where that is cheap, to know what it executes but once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .lines import LineCoverage

_MOST_SECONDS = 5.0
"""How long all second times may take together."""
_LONGEST = 1.0
"""How long a test may have taken to be run again."""
_NOT_AGAIN = {"Timeout", "ProcessExit"}


@dataclass
class SecondTime:
    """One test, the second time."""

    has_failed: bool = False


class SecondTimes:
    """Those of one run."""

    def __init__(self, lines: LineCoverage) -> None:
        self._lines = lines
        self._left = _MOST_SECONDS

    def wants(self, seconds: float, error: str) -> bool:
        """Whether a test that failed with this error is to run again."""
        return seconds < min(_LONGEST, self._left) and error not in _NOT_AGAIN

    @contextlib.contextmanager
    def run(self, test: int) -> Iterator[SecondTime]:
        """Measure what runs in here as the second time of a test."""
        again = SecondTime()
        began = time.monotonic()
        self._lines.start_again(test)
        try:
            yield again
            if again.has_failed:
                self._lines.keep_again()
        finally:
            self._lines.stop()
            self._left -= time.monotonic() - began

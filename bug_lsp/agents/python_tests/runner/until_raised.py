"""Which lines run before an exception is raised, by Python's own tracing.

It is far slower than coverage.py and tells what that cannot: what runs while the exception is on
its way out (`finally`, `__exit__`, handlers that raise it again) has not led to it.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Hashable, Iterable, Iterator
from types import FrameType
from typing import Any

from .failure import Places

_MOST_SECONDS = 3.0


class UntilRaised:
    """The lines of one test, in the order in which they were first executed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._paths: dict[str, str | None] = {}
        self._first: dict[tuple[str, int], int] = {}
        self._raised: dict[int, tuple[BaseException, int]] = {}
        self._count = 0
        self._is_paused = False
        # Held here, where nothing that stops the clock of the tests finds it.
        self._now = time.monotonic
        self._ends = 0.0
        self._end: int | None = None
        self.is_whole = True
        """Whether it was not given up for being slow, nor ended by the test."""

    def start(self) -> None:
        """Trace this thread, and those that it starts."""
        self._ends = self._now() + _MOST_SECONDS
        frame: FrameType | None = sys._getframe()  # noqa: SLF001 - there is no other way
        while frame is not None:
            frame.f_trace = None  # coverage.py's, which would put itself in our place
            frame = frame.f_back
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> None:
        """Trace no more."""
        if sys.gettrace() != self._call:
            self.is_whole = False
        sys.settrace(None)
        threading.settrace(None)

    def lines(self) -> set[tuple[str, int]]:
        """Path and number of the lines that ran before the test's failure was raised."""
        end = self._count + 1 if self._end is None else self._end
        return {line for line, when in self._first.items() if when <= end}

    def fail(self, error: BaseException | None = None) -> None:
        """The test has failed with this; the first time counts."""
        if self._end is not None:
            return
        self._end = self._count
        while error is not None:
            if id(error) in self._raised:
                self._end = self._raised[id(error)][1]
            error = error.__cause__  # what is only told as another error

    def explain(self) -> None:
        """As of `LineCoverage`."""
        self._is_paused = True

    def explained(self) -> None:
        """As of `LineCoverage`."""
        self._is_paused = False

    @contextlib.contextmanager
    def shared(self, _key: Hashable) -> Iterator[None]:
        """As of `LineCoverage`: what is set up now is of the first time."""
        yield

    def use(self, keys: Iterable[Hashable]) -> None:
        """As of `LineCoverage`."""

    def _call(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in self._paths:
            self._paths[file] = self._places.relative(file)
        if self._paths[file] is None:
            return None
        if self._now() > self._ends:
            self.is_whole = False
            self.stop()
            return None
        return self._local

    def _local(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            if not self._is_paused:
                path = self._paths[frame.f_code.co_filename]
                if path is not None and (path, frame.f_lineno) not in self._first:
                    self._count += 1
                    self._first[path, frame.f_lineno] = self._count
        elif event == "exception":
            self._raised.setdefault(id(arg[1]), (arg[1], self._count))
        return self._local

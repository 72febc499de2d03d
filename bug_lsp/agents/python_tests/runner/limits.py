"""The deadline of one test, and what keeps one test from ending the whole run.

A test that hangs gets an exception in the main thread; one that swallows it, or hangs where no
Python code runs, ends the process with its traceback in the crash file. It never limits the run
as a whole: that is for the one who started the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import IO, Any, NoReturn

_GRACE_SECONDS = 3.0
_LEAST_SECONDS = 0.5

really_exit = os._exit
"""Ends this process at once, whatever `os._exit` has become since."""


class Timeout(BaseException):
    """Raised in a test that runs too long; no `except Exception` of the project's catches it."""


class ProcessExit(BaseException):
    """Raised instead of letting a test end the process with `os._exit`."""


class TestLimit:
    """The time one test may take, over all its phases."""

    __test__ = False

    def __init__(self, seconds: float, crash_file: IO[str]) -> None:
        self._seconds = seconds
        self._crash_file = crash_file
        self._ends = 0.0
        self._owner = os.getpid()

    def begin(self) -> None:
        """A new test starts now."""
        self._ends = time.monotonic() + self._seconds

    @contextlib.contextmanager
    def phase(self) -> Iterator[None]:
        """Guard one phase (setup, call, teardown) with what is left of the time."""
        left = max(self._ends - time.monotonic(), _LEAST_SECONDS)
        faulthandler.enable(self._crash_file)
        faulthandler.dump_traceback_later(left + _GRACE_SECONDS, exit=True, file=self._crash_file)
        before = self._arm(left)
        try:
            yield
        finally:
            if os.getpid() != self._owner:
                # A test forked and its child came back: it has no tests to run, and in it the
                # next line but one would wait forever for a thread that was not forked.
                really_exit(0)
            if before is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
            faulthandler.cancel_dump_traceback_later()

    def _arm(self, left: float) -> Any:
        if not hasattr(signal, "setitimer"):
            return None
        before = signal.signal(signal.SIGALRM, self._raise)
        # Again each second: the test may catch the first one.
        signal.setitimer(signal.ITIMER_REAL, left, 1.0)
        return before or signal.SIG_DFL

    def _raise(self, *_: object) -> NoReturn:
        message = f"still running after {self._seconds:g} s"
        raise Timeout(message)


class NoLimit:
    """For a process whose whole time is limited by the one that started it."""

    def begin(self) -> None:
        """A new test starts now."""

    @contextlib.contextmanager
    def phase(self) -> Iterator[None]:
        """Guard nothing."""
        yield


def guard_exit() -> None:
    """Turn `os._exit` in the main thread into an exception. Forked children still exit."""
    owner = os.getpid()

    def guarded(status: int) -> NoReturn:
        if os.getpid() == owner and threading.current_thread() is threading.main_thread():
            message = f"os._exit({status}) was called"
            raise ProcessExit(message)
        really_exit(status)

    os._exit = guarded

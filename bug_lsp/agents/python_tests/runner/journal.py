"""What happened to each test, as it happens: told on the progress pipe, kept for the result.

Whatever runs the tests calls `begin`, then `fail` or `skip`, then `end`. A process forked by a
test writes nothing: only the one that made the journal does.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from .failure import Places, describe
from .lines import LineCoverage
from .second_time import SecondTime, SecondTimes


class Journal:
    """The record of one run of the tests."""

    def __init__(
        self,
        *,
        cwd: str,
        places: Places,
        progress_fd: int,
        ends: float,
        lines: LineCoverage | None,
        stop_at_failure: bool = False,
    ) -> None:
        self.places = places
        self.runner = ""
        self.problem: str | None = None
        self.stopped: str | None = None
        self.collected: list[str] = []
        self.tests: list[dict[str, Any]] = []
        self._cwd = os.path.realpath(cwd)
        self._fd = progress_fd
        self._ends = ends
        self._lines = lines
        self._again = SecondTimes(lines, places) if lines is not None else None
        self._stop_at_failure = stop_at_failure
        self._owner = os.getpid()
        self._collection_errors: list[dict[str, Any]] = []
        self._began = 0.0

    def another(self, *, stop_at_failure: bool) -> Journal:
        """An empty one of the same kind, for this process."""
        return Journal(
            cwd=self._cwd,
            places=self.places,
            progress_fd=self._fd,
            ends=float("inf"),
            lines=None,
            stop_at_failure=stop_at_failure,
        )

    def test_id(self, file: str, name: str) -> str:
        """`tests/test_a.py::test_b`, always relative to the folder the tests run in."""
        return f"{self.place(file)}::{name}"

    def place(self, file: str) -> str:
        """A file's path from the folder the tests run in."""
        return os.path.relpath(os.path.realpath(file), self._cwd).replace(os.sep, "/")

    def out_of_time(self) -> bool:
        """Whether no further test may start."""
        if self._stop_at_failure and self.tests and self.tests[-1]["failure"] is not None:
            self.stopped = f"{self.tests[-1]['id']} failed"
            return True
        if time.monotonic() < self._ends:
            return False
        self.stopped = "the time for the whole test run was over"
        return True

    def collecting(self, file: str) -> None:
        """The tests of this file are about to be collected."""
        self._tell("collecting", self.place(file))

    def set_collected(self, ids: Sequence[str]) -> None:
        """These tests are about to run."""
        self.collected = list(ids)
        self._tell("collected", len(ids))

    def add_collection_error(self, where: str, error: BaseException) -> None:
        """A file whose tests could not be collected."""
        self._collection_errors.append({"where": where, "failure": describe(error, self.places)})

    def begin(self, test_id: str, file: str) -> None:
        """A test starts."""
        self.tests.append(
            {
                "id": test_id,
                "path": self.places.relative(file) or "",
                "outcome": None,
                "seconds": 0.0,
                "failure": None,
                "measured": bool(file),
            }
        )
        self._tell("start", test_id)
        self._began = time.monotonic()
        if self._lines is not None:
            self._lines.start(len(self.tests) - 1)

    def succeed(self) -> None:
        """A phase of the current test went well."""
        self.tests[-1]["outcome"] = self.tests[-1]["outcome"] or "passed"

    def skip(self) -> None:
        """The current test skips itself, or fails as it is expected to."""
        if self.tests[-1]["failure"] is None:
            self.tests[-1]["outcome"] = "skipped"

    def fail(self, outcome: str, error: BaseException | str) -> None:
        """The current test failed; the first failure is the one that counts."""
        test = self.tests[-1]
        if test["failure"] is not None:
            return
        test["outcome"] = outcome
        test["failure"] = (
            {"type": "Failed", "message": error[:1000], "frames": []}
            if isinstance(error, str)
            else describe(error, self.places)
        )

    def end(self) -> None:
        """The current test is over."""
        if os.getpid() != self._owner:
            return
        if self._lines is not None:
            self._lines.stop()
        if self.tests[-1]["outcome"] is None:
            self.fail("error", "the test interrupted the run")
            self.stopped = f"{self.tests[-1]['id']} interrupted the run"
        self.tests[-1]["seconds"] = round(time.monotonic() - self._began, 4)
        self._tell("end", self.tests[-1]["outcome"])

    def second_time(self) -> contextlib.AbstractContextManager[SecondTime] | None:
        """In which the test that has just failed is to run again; None if it is not to."""
        test = self.tests[-1]
        if self._again is None or test["failure"] is None or os.getpid() != self._owner:
            return None
        if not self._again.wants(test["seconds"], test["failure"]["type"]):
            return None
        return self._again.run(len(self.tests) - 1, test["seconds"])

    def result(self) -> dict[str, Any]:
        """Everything, ready for JSON. Lines that no failing test executed are left out."""
        failing = [index for index, test in enumerate(self.tests) if test["failure"] is not None]
        measured = self._lines is not None and bool(failing or self._lines.also)
        return {
            "runner": self.runner,
            "problem": self.problem,
            "stopped": self.stopped,
            "collected": self.collected,
            "tests": self.tests,
            "collection_errors": self._collection_errors,
            "coverage": self._lines.executed(failing, self.places)
            if measured and self._lines is not None
            else {},
        }

    def _tell(self, what: str, value: object) -> None:
        if os.getpid() == self._owner:
            with contextlib.suppress(OSError):  # nobody listens any more, or a test closed it
                os.write(self._fd, json.dumps([what, value]).encode() + b"\n")

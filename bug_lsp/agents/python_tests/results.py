"""What the runner wrote down: values only, checked when they are read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bug_lsp.agents.network import shows_no_network
from bug_lsp.domain.model import StoredValue


class Frame(StoredValue):
    """One place in the project that an exception came through."""

    path: str
    """Relative to the root of the copy, with `/`."""
    line: int
    text: str = ""


class Failure(StoredValue):
    """Why a test failed, or why a file's tests could not be collected."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    """Frames of the project only, outermost first; the origin of the trouble is the last."""

    @property
    def told(self) -> str:
        """The exception as Python tells of it."""
        return f"{self.type}: {self.message}"

    @property
    def summary(self) -> str:
        """The exception in one short line."""
        first = next((line.strip() for line in self.message.splitlines() if line.strip()), "")
        return f"{self.type}: {first[:200]}" if first else self.type


class RanTest(StoredValue):
    """One test and what came of it."""

    id: str
    """`tests/test_a.py::test_b`, relative to the folder the tests ran in."""
    path: str
    """Its file, relative to the root of the copy; empty where it has none."""
    outcome: Literal["passed", "failed", "error", "skipped"]
    seconds: float = 0.0
    failure: Failure | None = None
    measured: bool = True
    """False where the test's end took with it which lines it had executed."""

    @property
    def has_failed(self) -> bool:
        """Whether it failed, in whatever phase."""
        return self.outcome in {"failed", "error"}


class CollectionError(StoredValue):
    """A file whose tests could not be collected."""

    where: str
    failure: Failure


class SuiteRun(StoredValue):
    """One run of a project's tests."""

    runner: str = ""
    """`pytest 9.2.0` or `unittest`."""
    problem: str | None = None
    """Why the tests could not be run at all."""
    stopped: str | None = None
    """Why not all collected tests were run."""
    collected: tuple[str, ...] = ()
    tests: tuple[RanTest, ...] = ()
    collection_errors: tuple[CollectionError, ...] = ()
    coverage: dict[str, dict[int, tuple[int, ...]]] = Field(default_factory=dict)
    """file -> line -> indexes of the tests that executed it; lines of failing tests only."""

    @property
    def failing(self) -> tuple[RanTest, ...]:
        """The tests that failed."""
        return tuple(test for test in self.tests if test.has_failed)

    def failures(self) -> dict[str, Failure]:
        """Why tests failed, by their names, and why files could not be collected, by theirs."""
        found = {test.id: test.failure for test in self.failing if test.failure is not None}
        return found | {error.where: error.failure for error in self.collection_errors}

    @property
    def shows_no_network(self) -> bool:
        """Whether something failed as it does where the network is out of reach."""
        return any(shows_no_network(failure.told) for failure in self.failures().values())

    def counted(self) -> str:
        """The outcome in one line: `2 failed, 14 passed, 1 skipped`."""
        counts = {
            "failed": len(self.failing),
            "passed": sum(test.outcome == "passed" for test in self.tests),
            "skipped": sum(test.outcome == "skipped" for test in self.tests),
            "not collected": len(self.collection_errors),
        }
        return ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "no tests"

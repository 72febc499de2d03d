"""What was checked by program, before anybody concluded: quotes against the code, patches against
reproductions and the project's own tests. Values and their meaning; `proof/` does the checking.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from .model import StoredValue

SUITE = "suite"
"""The column of the project's own tests."""


class Verdict(StrEnum):
    """What the code says of a quote."""

    VERIFIED = "verified"
    """It stands at that line."""
    MOVED = "moved"
    """It stands elsewhere, at one place."""
    CONTRADICTED = "contradicted"
    """It does not stand in that file, or there is no such file."""
    UNKNOWN = "unknown"
    """There is no telling: several places, no text, a binary file, outside of the project."""


class Evidence(StoredValue):
    """One finding, checked against the snapshot that all sessions were given."""

    id: str
    """`E1`, `E2`, ...: sessions in the order of the roster, findings in the order they came."""
    session_id: str
    path: str
    line: int
    verdict: Verdict
    found_path: str | None = None
    found_line: int | None = None
    """Where it stands in truth: of what is verified or moved, or of a quote in another file."""
    actual: str = ""
    """The text of the line that it stands at, else of the line that was named, at most 200
    characters; from the snapshot, never from the agent."""
    reason: str = ""
    """Why, as a clause, where the verdict alone does not say it."""
    function: str = ""
    """The function that the line is in, qualified; "" outside of functions and where unknown."""


class WordMatch(StoredValue):
    """A function that has words of the task."""

    path: str
    line: int
    quote: str
    """The text of that line."""
    function: str
    """Its qualified name; "" for a whole file."""
    score: float
    """0 to 1; the best of a run has 1."""
    words: tuple[str, ...] = ()
    """Those that both have."""


class Reproduction(StoredValue):
    """A check that fails while the bug is there."""

    id: str
    """`R1`, `R2`, ..."""
    title: str
    """What is run, in a few words: a command, a test, tests of a session."""
    source: Literal["testCommand", "project", "session"]
    session_id: str | None = None
    """Whose patch it was taken from."""
    status: Literal["reproduced", "notReproduced", "flaky"]
    reason: str = ""
    """How it fails on the snapshot (an error's type and message), or why it does not count."""
    seconds: float | None = None


class Suite(StoredValue):
    """The project's own tests on the snapshot."""

    title: str
    """What is run."""
    problem: str = ""
    """Why nothing can be said of it; "" where it ran."""
    passed: int | None = None
    failed: int | None = None
    """None where only an exit status tells."""
    seconds: float | None = None


class Patch(StoredValue):
    """What a session changed, as a row of the matrix."""

    session_id: str
    files: tuple[str, ...] = ()
    """At most 20."""
    problem: str = ""
    """Why it could not be applied; its cells say so too."""


class Cell(StoredValue):
    """One patch against one check, run in a clean copy."""

    session_id: str
    check: str
    """`R1`, ..., or `suite`."""
    outcome: Literal["passed", "failed", "flaky", "timeout", "notApplied", "notRun"]
    detail: str = ""
    """Why, as a clause: how a test failed, what kept it from being run."""
    exit_code: int | None = None
    seconds: float | None = None
    log: str = ""
    """Path of the whole output."""
    regressions: tuple[str, ...] = ()
    """Tests that pass on the snapshot and fail with the patch; at most 20 by name."""
    regression_count: int = 0


class Proof(StoredValue):
    """All that a proof session found out. Bounded: it is read into a prompt."""

    evidence: tuple[Evidence, ...] = ()
    reproductions: tuple[Reproduction, ...] = ()
    suite: Suite | None = None
    """None where the project has no tests that we know to run."""
    patches: tuple[Patch, ...] = ()
    cells: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know: why there is no reproduction, what was left out."""
    words: tuple[WordMatch, ...] = ()
    """The functions that fit the task's words best, the best first."""
    copies_lack: tuple[str, ...] = ()
    """What the checkout has and the copies have not, and some check needs: a sentence each. What
    fails for want of it says nothing about the bug."""

    def cell(self, session_id: str, check: str) -> Cell | None:
        """One cell."""
        return next(
            (one for one in self.cells if (one.session_id, one.check) == (session_id, check)), None
        )

    def reproduced(self) -> tuple[Reproduction, ...]:
        """The reproductions that count."""
        return tuple(one for one in self.reproductions if one.status == "reproduced")

    def says_nothing(self) -> bool:
        """Whether nothing shows the bug, and the project's tests cannot be run either."""
        return not self.reproduced() and (self.suite is None or bool(self.suite.problem))

    def proven(self, session_id: str) -> bool:
        """Whether the session's patch passes every reproduction, and breaks nothing."""
        checks = [one.id for one in self.reproduced() if self._is_fair(one)]
        cells = [self.cell(session_id, check) for check in checks]
        passes = bool(checks) and all(one and one.outcome == "passed" for one in cells)
        return passes and self.breaks_nothing(session_id)

    def _is_fair(self, one: Reproduction) -> bool:
        """A test of an agent's that no patch at all passes may well ask for something wrong."""
        return one.source != "session" or any(
            cell.outcome == "passed" for cell in self.cells if cell.check == one.id
        )

    def breaks_nothing(self, session_id: str) -> bool:
        """Whether the project's tests say nothing against it. What failed before may fail."""
        suite = self.cell(session_id, SUITE)
        if suite is None or suite.outcome == "passed":
            return suite is None or not suite.regression_count
        counted = self.suite is not None and self.suite.passed is not None
        return counted and suite.outcome == "failed" and not suite.regression_count

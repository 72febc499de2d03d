"""What the caller pointed at when a run was started: a place, a text, what is reported there."""

from __future__ import annotations

from .model import StoredValue
from .transcript import one_line


class Note(StoredValue):
    """A place that a diagnostic refers to, and what it says of it."""

    message: str
    path: str
    line: int
    """Counted from 1."""


class Diagnostic(StoredValue):
    """What a program reports about a line of the text that was pointed at."""

    message: str
    line: int | None = None
    """Counted from 1."""
    severity: str = ""
    source: str = ""
    code: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        place = f"line {self.line}: " if self.line is not None else ""
        source = f" ({self.source})" if self.source else ""
        return one_line(f"{place}{self.message}{source}", 1_000)


class Context(StoredValue):
    """What the caller pointed at."""

    path: str
    """Relative to the workspace, POSIX; absolute outside of it; "" for a text that is no file."""
    start_line: int | None = None
    """Counted from 1."""
    end_line: int | None = None
    text: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()

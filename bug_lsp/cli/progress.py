"""How a run goes, live: a row a session on a terminal, a line a change elsewhere.

Shows what the run's readers know; reads nothing itself. The clock is the only thing here that
moves by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from bug_lsp.domain.run import Run, RunStatus, Status
from bug_lsp.domain.transcript import one_line, outcome

from .names import in_terminal
from .words import agent, doing, elapsed, label

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.spinner import Spinner
    from rich.table import Table

_REFRESHES = 4
"""A second: enough for a clock that shows seconds."""
_MARKS = {
    Status.PENDING: ("·", "dim"),
    Status.COMPLETED: ("✓", "green"),
    Status.FAILED: ("✗", "red"),
    Status.CANCELLED: ("-", "yellow"),
}


class Progress(Protocol):
    """Where the progress of a run is shown."""

    def begin(self, run: Run) -> None:
        """The run is on its way."""

    def show(self, status: RunStatus, calls: dict[str, int]) -> None:
        """The run as it is now; `calls` are the tool calls of each session."""

    def say(self, text: str) -> None:
        """A sentence in between."""


@contextmanager
def progress_on(stream: TextIO) -> Iterator[Progress]:
    """Progress on this stream, as much of it as the stream can show."""
    if not stream.isatty():
        yield Lines(stream)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(file=stream, highlight=False)
    if console.is_dumb_terminal or not console.encoding.startswith("utf"):
        yield Lines(stream)
        return
    rows = Rows(console)
    with Live(console=console, refresh_per_second=_REFRESHES, get_renderable=rows.render):
        yield rows


def before_it_starts(run: Run) -> tuple[str, ...]:
    """Who is left out, and what the copies lack although the checkout has it: a sentence each."""
    left_out = [f"left out: {one.agent_type}, {one.reason}" for one in run.left_out]
    told = (*left_out, *run.preflight, *run.base.notes, *run.contents.lacking())
    return tuple(one_line(in_terminal(sentence), 500) for sentence in told)


class Lines:
    """One line for each change of a status."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: dict[str, Status] = {}

    def begin(self, run: Run) -> None:
        """Say which run it is."""
        self.say(f"debug run {run.debug_run_id}: {one_line(run.title)}")
        for sentence in before_it_starts(run):
            self.say(sentence)

    def show(self, status: RunStatus, calls: dict[str, int]) -> None:  # noqa: ARG002 - as Progress
        """Say what changed."""
        for session in status.everyone:
            if self._seen.get(session.session_id, Status.PENDING) is not session.status:
                self._seen[session.session_id] = session.status
                ended = one_line(in_terminal(outcome(session)), 300)
                self.say(f"{label(session)} {agent(session)}: {ended}")

    def say(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Rows:
    """One row for each session, with a clock."""

    def __init__(self, console: Console) -> None:
        from rich.spinner import Spinner

        self._console = console
        self._title = ""
        self._status: RunStatus | None = None
        self._calls: dict[str, int] = {}
        # One for all rows, kept between two frames: a new one would never turn.
        self._spinner: Spinner = Spinner("dots", style="cyan")

    def begin(self, run: Run) -> None:
        """Show the title."""
        self._title = f"{one_line(run.title)}  ({run.debug_run_id})"
        for sentence in before_it_starts(run):
            self.say(sentence)

    def show(self, status: RunStatus, calls: dict[str, int]) -> None:
        """Show this from the next frame on."""
        self._status, self._calls = status, calls

    def say(self, text: str) -> None:
        """Write a line above the rows."""
        self._console.print(text, markup=False)

    def render(self) -> RenderableType:
        """A frame."""
        from rich.console import Group
        from rich.text import Text

        if self._status is None:
            return Text("starting ...", style="dim")
        return Group(
            Text(self._title, style="bold", overflow="ellipsis", no_wrap=True), self._rows()
        )

    def _rows(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False, expand=True)
        for _ in range(3):
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right", min_width=6)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        for session in self._status.everyone if self._status else ():
            mark, style = _MARKS.get(session.status, ("", ""))
            calls = self._calls.get(session.session_id, 0)
            table.add_row(
                self._spinner if session.status is Status.RUNNING else Text(mark, style),
                Text(label(session)),
                Text(agent(session)),
                Text(elapsed(session), style="dim"),
                Text(f"{calls} tool call{'' if calls == 1 else 's'}", style="dim"),
                Text(doing(session), style="dim"),
            )
        return table

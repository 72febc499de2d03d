"""The faults that bug-lsp is proved under, and the page that says how often each was tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN = "<!-- written by `make faults`: begin -->\n"
_END = "<!-- written by `make faults`: end -->\n"

ROWS = {
    1: (
        "a server or a session process is killed, at every named step and at random moments",
        "no run is lost, each ends in exactly one orchestrator, and nothing is left running",
    ),
    2: (
        "the machine stops: each state that the disk was in, with torn last records",
        "it opens, and the run ends in exactly one orchestrator",
    ),
    3: ("many ask for the orchestrator at once", "one starts"),
    4: (
        "two servers start together on one workspace; one is killed",
        "both tell the same, one delivers, the other takes over",
    ),
    5: (
        "an agent ignores SIGTERM and never ends",
        "cancelled, it is killed with all that it started",
    ),
    6: (
        "an agent leaves a child or a daemon that holds its output",
        "its own exit ends the session, and the child is ended",
    ),
    7: ("an agent forks 200 children", "all are gone after a cancel"),
    8: (
        "the editor is killed, closes its end, or sends a signal",
        "the server ends, and the run goes on without it",
    ),
    9: ("the editor stops reading", "no agent waits, and the run ends in its synthesis"),
    10: (
        "output that is no text, no JSON, too deep, escapes, or nothing",
        "every session ends with the right status, and the orchestrator starts",
    ),
    11: (
        "one line of 100 MB; output without end; 8 MB on standard error",
        "memory stays bounded, and all of it is read",
    ),
    12: (
        "no space, or an error of the disk, at each write",
        "nothing half-written is read back, and the run goes on when there is space again",
    ),
    13: (
        "a file of the state is cut off, changed, of another version, or a folder",
        "everything starts, the file is kept aside, and all other runs are there",
    ),
    14: ("the clock jumps by a day", "nothing times out early, and no duration is negative"),
    15: ("a stored pid belongs to a stranger by now", "the stranger is never signalled"),
    16: (
        "the user edits, deletes or renames the task file meanwhile",
        "their text and the synthesis both survive, or it is said why not",
    ),
    17: (
        "a task path that leads out, is a link, a pipe, a device, or of another host",
        "refused, and nothing outside is read or written",
    ),
    18: ("messages that are wrong, huge, or no messages", "one answer each, without a traceback"),
    19: (
        "a workspace that names programs to run",
        "they are not run, and the user is told",
    ),
    20: (
        "output that imitates fences, headings, session ends, links and instructions",
        "it stays data: its fence holds, and no link or image of it is active",
    ),
    21: (
        "secrets in the environment, in output, in prompts",
        "none is in a log or in a command line, and all files are the user's alone",
    ),
    22: (
        "sessions that say far more than the orchestrator may read",
        "each has its share, within the limits",
    ),
}


@dataclass(frozen=True)
class Tried:
    """What one test has tried."""

    row: int
    test: str
    times: int


def told() -> list[int]:
    """The rows that the page has."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    table = rest.partition(_END)[0]
    return [int(line.split("|")[1]) for line in table.splitlines()[2:]]


def write(tried: Iterable[Tried]) -> None:
    """Put the counts of a full run on the page."""
    by_row: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in tried:
        by_row[one.row][one.test] += one.times
    lines = [
        "| # | fault | what holds | times | shown by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for number, (fault, holds) in ROWS.items():
        tests = by_row[number]
        names = ", ".join(f"`{name}`" for name in sorted(tests))
        lines.append(f"| {number} | {fault} | {holds} | {sum(tests.values())} | {names} |")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{_BEGIN}{table}\n{_END}{after}", encoding="utf-8")

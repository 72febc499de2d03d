"""What the state folder takes of the disk, found out in a second or two however large it is."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.model import Value
from bug_lsp.store import runs
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.store.usage import Usage, taken

from .words import place

_SECONDS = 2.0
"""To know the size is not worth more."""


class Largest(Value):
    """The workspace that takes most."""

    workspace: str
    """The folder that was debugged, where a run tells; else where its runs are kept."""
    runs: int
    size_bytes: int


class State(Value):
    """Where the runs are kept, and what they take."""

    path: str
    writable: bool
    files: int
    size_bytes: int
    whole: bool
    """False where there was no time to look at all of it: then there is more."""
    workspaces: int
    runs: int
    largest: Largest | None


def look(root: Path, seconds: float = _SECONDS) -> State:
    """Look at a state folder, for so long at most. Changes nothing."""
    until = time.monotonic() + seconds
    found = _workspaces(root)
    used = _beside(root)
    largest: tuple[int, WorkspaceFolder, int] | None = None
    for number, (count, workspace) in enumerate(found):
        # Each has its share of the time that is left: a large one does not hide the next.
        share = (until - time.monotonic()) / (len(found) - number)
        one = taken([workspace.path], time.monotonic() + share)
        used += one
        if largest is None or one.size_bytes > largest[0]:
            largest = one.size_bytes, workspace, count
    there = next(path for path in (root, *root.parents) if path.exists())
    return State(
        path=str(root),
        writable=there.is_dir() and os.access(there, os.W_OK | os.X_OK),
        **used.model_dump(),
        workspaces=len(found),
        runs=sum(count for count, _ in found),
        largest=Largest(workspace=_named(largest[1]), runs=largest[2], size_bytes=largest[0])
        if largest is not None
        else None,
    )


def lines(state: State) -> list[str]:
    """The same for people."""
    can = "writable" if state.writable else "NOT WRITABLE: give BUG_LSP_STATE_DIR"
    more = "" if state.whole else "more than "
    held = f"{_runs(state.runs)}, {more}{_megabytes(state.size_bytes)}"
    said = [f"state: {state.path} ({can}; {held})"]
    if state.largest is not None and state.largest.runs:
        one = state.largest
        said.append(
            f"  most of it: {place(Path(one.workspace))} ({_runs(one.runs)}, "
            f"{more}{_megabytes(one.size_bytes)}); to make room: bug-lsp clean --all-workspaces"
        )
    return said


def _workspaces(root: Path) -> list[tuple[int, WorkspaceFolder]]:
    """Each with its number of runs, those with most first."""
    try:
        found = [WorkspaceFolder(path) for path in (root / "workspaces").iterdir()]
    except OSError:
        return []
    counted = [(len(runs.newest_ids(one)), one) for one in found if one.path.is_dir()]
    return sorted(counted, key=lambda one: (-one[0], one[1].path))


def _beside(root: Path) -> Usage:
    """The log and the locks."""
    try:
        sizes = [path.lstat().st_size for path in root.iterdir() if path.is_file()]
    except OSError:
        return Usage()
    return Usage(files=len(sizes), size_bytes=sum(sizes)) + taken([root / "locks"])


def _named(workspace: WorkspaceFolder) -> str:
    for one in runs.newest(workspace):
        try:
            return runs.load(one).workspace
        except Refused:
            break
    return str(workspace.path)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"

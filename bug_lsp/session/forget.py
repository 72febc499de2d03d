"""Deleting a run: its copies, its snapshot and all its files. Never while something runs."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.store.pokes import poke
from bug_lsp.workspace import capture, copies

from . import findings
from .cancel import running


def delete_run(folder: RunFolder) -> bool:
    """Delete the run. False if there is none; refused while one of its sessions runs."""
    if not folder.run.exists():
        return False
    with runs.turn(folder):
        busy = running(folder)
        if busy:
            raise Refused(
                f"session {', '.join(busy)} is still running; cancel it first (cancelDebugRun)"
            )
        _forget(folder)
    return True


def delete_finished(folder: RunFolder) -> bool:
    """Delete the run, if it is still there and nothing of it runs or is left to do."""
    try:
        with runs.turn(folder):  # who adds to a run marks it as not finished under this lock
            if not runs.is_finished(folder) or running(folder):
                return False
            _forget(folder)
    except Refused:  # somebody else has deleted it
        return False
    return True


def remove_copies(folder: RunFolder) -> bool:
    """Remove the copies that the sessions of a finished run have left; the patches stay."""
    try:
        with runs.turn(folder):
            if not runs.is_finished(folder) or running(folder):
                return False
            for path in folder.sessions.iterdir():
                copies.remove(folder.session(path.name))
    except Refused:
        return False
    return True


def discard(folder: RunFolder) -> None:
    """Delete a run that could not be started."""
    with runs.turn(folder):
        _delete(folder, _task(folder))


def _forget(folder: RunFolder) -> None:
    task = _task(folder)
    _delete(folder, task)
    findings.forget(folder, task)
    poke(folder.workspace, folder.run_id)


def _task(folder: RunFolder) -> Path | None:
    """The run's task file; None where the run cannot be read."""
    try:
        return Path(runs.load(folder).task_path)
    except Refused:
        return None


def _delete(folder: RunFolder, task: Path | None) -> None:
    workspace = folder.workspace
    # Out of sight in one step: a kill half way leaves no run that looks whole.
    gone = files.move(folder.path, folder.path.with_name(f".{folder.run_id}.deleted"))
    files.remove(workspace.active / folder.run_id)
    known = [workspace.task_index(task)] if task is not None else workspace.tasks.glob("*")
    for index in known:
        files.remove(index / folder.run_id)
    capture.release(workspace, folder.run_id)
    with contextlib.suppress(OSError):
        files.remove(gone)

"""Deleting a run: its copies, its snapshot and all its files. Never while something runs."""

from __future__ import annotations

import shutil

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
        _delete(folder)
        findings.forget(folder)
        poke(folder.workspace, folder.run_id)
    return True


def discard(folder: RunFolder) -> None:
    """Delete a run that could not be started."""
    with runs.turn(folder):
        _delete(folder)


def _delete(folder: RunFolder) -> None:
    workspace = folder.workspace
    for path in sorted(folder.sessions.iterdir()):
        copies.remove(folder.session(path.name))
    capture.release(workspace, folder.run_id)
    # Out of sight in one step: a kill half way leaves no run that looks whole.
    gone = files.move(folder.path, folder.path.with_name(f".{folder.run_id}.deleted"))
    files.remove(workspace.active / folder.run_id)
    # Not by the path in run.json: that may be what cannot be read.
    for entry in workspace.tasks.glob(f"*/{folder.run_id}"):
        files.remove(entry)
    shutil.rmtree(gone, ignore_errors=True)

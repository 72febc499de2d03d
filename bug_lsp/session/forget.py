"""Deleting a run: its copies, its snapshot and all its files. Never while something runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.store import runs
from bug_lsp.store.files import locked
from bug_lsp.store.layout import RunFolder
from bug_lsp.workspace import capture, copies

from .cancel import running


def delete_run(folder: RunFolder) -> bool:
    """Delete the run. False if there is none; refused while one of its sessions runs."""
    if not folder.run.exists():
        return False
    run = runs.load(folder)
    with locked(folder.lock):
        busy = running(folder)
        if busy:
            raise Refused(
                f"session {', '.join(busy)} is still running; cancel it first (cancelDebugRun)"
            )
        for path in sorted(folder.sessions.iterdir()):
            copies.remove(folder.session(path.name), run.base)
        capture.release(folder.workspace, folder.run_id)
        # Out of sight in one step: a kill half way leaves no run that looks whole.
        gone = folder.path.rename(folder.path.with_name(f".{folder.run_id}.deleted"))
    (folder.workspace.active / folder.run_id).unlink(missing_ok=True)
    (folder.workspace.task_index(Path(run.task_path)) / folder.run_id).unlink(missing_ok=True)
    shutil.rmtree(gone, ignore_errors=True)
    return True

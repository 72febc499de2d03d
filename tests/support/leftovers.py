"""Ends what a test left running, deletes its runs, and says what should not have been there."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bug_lsp.session.cancel import cancel_run, running
from bug_lsp.session.delivery import move_on
from bug_lsp.session.forget import delete_run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.store.processes import MARKER
from bug_lsp.workspace import copies

from .runs import wait_until

_PATIENCE = 30.0


def workspaces(state: Path) -> list[WorkspaceFolder]:
    """Every workspace of the state folder."""
    root = state / "workspaces"
    return [WorkspaceFolder(path) for path in sorted(root.iterdir())] if root.exists() else []


def end_and_check(state: Path) -> None:
    """Fails when something is left that should not be. What is, is ended first."""
    folders = workspaces(state)
    found = [run for folder in folders for run in runs.newest(folder) if run.run.exists()]
    problems = [
        f"process {pid} has outlived session {session.name}"
        for run in found
        for session in run.sessions.iterdir()
        if (session / "result.json").exists()
        for pid in of_session(run.run_id, session.name)
    ]
    for run in found:
        _end(run)
    for folder in folders:
        wait_until(lambda: not session_processes(state), workspace=folder, deadline=_PATIENCE)
    for run in found:
        delete_run(run)
    for folder in folders:
        _forget_bare(folder)
    problems += [f"process {pid} is a session still" for pid in session_processes(state)]
    for run in found:
        left = marked(f"{run.run_id}/")
        problems += [f"process {pid} was left by run {run.run_id}" for pid in left]
    for folder in folders:
        problems += [f"{path} is left of a deleted run" for path in folder.runs.glob("*")]
        problems += [f"{path} is left of a deleted run" for path in folder.tasks.glob("*/*")]
        problems += [f"{path} is left of a finished run" for path in folder.active.glob("*")]
    for pid in [*session_processes(state), *(p for r in found for p in marked(f"{r.run_id}/"))]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert problems == []


def _end(run: RunFolder) -> None:
    """Cancel it, whatever state the test left it in, and wait until nothing of it runs."""
    with suppress(Exception):  # a test may have spoilt run.json on purpose
        cancel_run(run)

    def ended() -> bool:
        with suppress(Exception):
            move_on(run)
        return not running(run)

    wait_until(ended, workspace=run.workspace, deadline=_PATIENCE)


def _forget_bare(folder: WorkspaceFolder) -> None:
    """Remove what a test made by hand, without a run.json. (Deleted runs have a dot in front.)"""
    for run in runs.newest(folder):
        for path in run.sessions.iterdir():
            copies.remove(run.session(path.name))
        shutil.rmtree(run.path)


def marked(prefix: str) -> list[int]:
    """The living processes whose session marker begins like this."""
    wanted = f"{MARKER}={prefix}".encode()
    return [pid for pid in _others() if _has(_read(pid, "environ"), wanted) and not _zombie(pid)]


def of_session(run_id: str, session_id: str) -> list[int]:
    """The living processes of a session."""
    return marked(f"{run_id}/{session_id}")


def session_processes(state: Path) -> list[int]:
    """The living session processes whose folder is in this state folder."""
    return [
        pid
        for pid in _others()
        if str(state).encode() in (line := _read(pid, "cmdline")) and b"bug_lsp.session" in line
    ]


def _others() -> Iterator[int]:
    me = os.getpid()
    return (
        int(name)
        for path in Path("/proc").iterdir()
        if (name := path.name).isdigit() and int(name) != me
    )


def _read(pid: int, what: str) -> bytes:
    try:
        return Path("/proc", str(pid), what).read_bytes()
    except OSError:
        return b""


def _has(environ: bytes, wanted: bytes) -> bool:
    return any(variable.startswith(wanted) for variable in environ.split(b"\0"))


def _zombie(pid: int) -> bool:
    return b") Z " in _read(pid, "stat")

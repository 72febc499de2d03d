"""Cancelling: a request on disk first, so that it holds whoever dies next, then a signal."""

from __future__ import annotations

import os
import signal

from bug_lsp.domain.run import Status
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.processes import alive

from . import gate


def cancel_session(session: SessionFolder) -> bool:
    """Ask a session to end as cancelled. False if it had ended already."""
    if session.result.exists():
        return False
    files.create_once(session.cancel, runs.claim_for(session.session_id))
    process = runs.process(session)
    if process is not None and alive(process.pid, process.birth):
        try:
            os.kill(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
    else:
        gate.settle(session.run)
    return True


def cancel_run(folder: RunFolder) -> list[str]:
    """Cancel every session of the run that has not ended, and start nothing more by itself.

    Returns the ids of the sessions that were asked to end.
    """
    run = runs.load(folder)
    files.create_once(folder.cancelled, runs.claim_for(""))
    sessions = [folder.session(spec.session_id) for spec in run.roster]
    found = [*sessions, *runs.orchestrators(folder)]
    return [session.session_id for session in found if cancel_session(session)]


def running(folder: RunFolder) -> list[str]:
    """The sessions of the run whose process still lives or is about to."""
    run = runs.load(folder)
    board = runs.board(folder, run)
    seats = [*board.debug, *([board.orchestrator] if board.orchestrator else [])]
    return [
        seat.session_id
        for seat in seats
        if seat.status is Status.RUNNING or (seat.started and not seat.status.terminal)
    ]

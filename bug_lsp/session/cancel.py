"""Cancelling: a request on disk first, so that it holds whoever dies next, then a signal."""

from __future__ import annotations

import contextlib
import os
import signal

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
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
    else:
        gate.settle(session.run)
    return True


def cancel_run(folder: RunFolder) -> list[str]:
    """Cancel every session of the run that has not ended, and start nothing more by itself.

    Returns the ids of the sessions that were asked to end.
    """
    run = runs.load(folder)
    with runs.turn(folder):  # who decides now decides without it, and has started by then
        files.create_once(folder.cancelled, runs.claim_for(""))
    sessions = [folder.session(spec.session_id) for spec in run.roster]
    found = [*sessions, *runs.proofs(folder), *runs.orchestrators(folder)]
    return [session.session_id for session in found if cancel_session(session)]


def running(folder: RunFolder) -> list[str]:
    """The sessions of the run whose process still lives or is about to. Looks at the sessions' own
    folders, so that a run that cannot be read can be deleted too.
    """
    sessions = [folder.session(path.name) for path in sorted(folder.sessions.iterdir())]
    return [session.session_id for session in sessions if _runs(session)]


def _runs(session: SessionFolder) -> bool:
    if session.result.exists():
        return False
    process = runs.process(session)
    if process is not None:
        return alive(process.pid, process.birth)
    starter = runs.claim(session.start_claim)
    return starter is not None and starter.held

"""Moves a run on: starts what is due, claims the orchestrator, settles what was lost.

Called by whoever may be the last one out: a session process at its end, a server when it attaches
or sees a session process die, the command line, and `orchestrateDebugRun`. The lock makes callers
take turns; what must happen once is an exclusive creation besides, so that a kill between any two
steps leaves a run that the next caller can move on.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from bug_lsp.domain.errors import FailureKind, Refused
from bug_lsp.domain.gate import Board, Deliver, Orchestrate, Start, decide, finished
from bug_lsp.domain.ids import new_session_id
from bug_lsp.domain.run import Facts, Failure, Kind, Result, Run, Spec, Status
from bug_lsp.domain.transcript import padded_status, status_line
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.pokes import poke
from bug_lsp.store.processes import alive

from .spawn import came_up, spawn

_Started = list[tuple[SessionFolder, "subprocess.Popen[bytes]"]]


def advance(folder: RunFolder) -> tuple[Deliver, ...]:
    """Do all that the run needs now. What is left to the caller is returned: a delivery is not
    done under the lock, as an editor may have to be asked.
    """
    run = runs.load(folder)
    while True:
        started: _Started = []
        with runs.turn(folder):
            _settle(folder, run)
            board = runs.board(folder, run)
            for decision in decide(board):
                match decision:
                    case Start(session_id=session_id):
                        started += _start(folder.session(session_id))
                    case Orchestrate():
                        started += _orchestrate(folder, run, 1)
                    case Deliver():
                        pass
            runs.save_snapshot(folder)
            if not started:
                _keep_index(folder, board)
                return tuple(item for item in decide(board) if isinstance(item, Deliver))
        poke(folder.workspace, folder.run_id)
        if _all_up(started):
            # Most calls end here: what was started is somebody else's to move on.
            return ()


def orchestrate(folder: RunFolder, *, force: bool = False) -> tuple[str, bool]:
    """(sessionId of the run's orchestrator, whether this call created it)."""
    run = runs.load(folder)
    with runs.turn(folder):
        _settle(folder, run)
        board = runs.board(folder, run)
        running = [seat.session_id for seat in board.debug if not seat.status.terminal]
        if running:
            raise Refused(
                "the orchestrator starts when every session has ended; still to end: "
                + ", ".join(_name(run, session_id) for session_id in running)
            )
        latest = board.orchestrator
        if latest is not None and not (force and latest.status.terminal):
            return latest.session_id, False
        number = len(runs.orchestrators(folder)) + 1 if latest is not None else 1
        files.replace(folder.workspace.active / folder.run_id, b"")
        started = _orchestrate(folder, run, number)
        runs.save_snapshot(folder)
    poke(folder.workspace, folder.run_id)
    _all_up(started)
    return runs.orchestrators(folder)[-1].session_id, True


def _name(run: Run, session_id: str) -> str:
    spec = next(spec for spec in run.roster if spec.session_id == session_id)
    return f"{spec.title.split(':')[0]} {spec.agent_type} ({session_id})"


def _start(session: SessionFolder) -> _Started:
    """Claim the start of a session and make it. A claim whose owner died is taken over: should its
    process be up after all, ours finds the place taken and leaves.
    """
    mine = runs.claim_for(session.session_id)
    if not files.create_once(session.start_claim, mine):
        files.replace(session.start_claim, mine)
    spec = runs.spec(session)
    # So that a client that shows real files has one to show from the first moment on.
    opening = f"> **starting** · {spec.agent_type}"
    files.create_once(session.output, padded_status(opening) + f"\n# {spec.title}\n".encode())
    try:
        return [(session, spawn(session))]
    except OSError as error:
        _finish_unstarted(session, FailureKind.INTERNAL, f"it could not be started: {error}")
        return []


def _all_up(started: _Started) -> bool:
    missing = [session for session, starter in started if not came_up(starter)]
    for session in missing:
        _finish_unstarted(
            session, FailureKind.INTERNAL, f"its process did not come up; see {session.log}"
        )
    return not missing


def _orchestrate(folder: RunFolder, run: Run, number: int) -> _Started:
    """Claim the run's orchestrator (of any number of callers one gets it) and start it."""
    claim = folder.orchestrator_claim(number)
    files.create_once(claim, runs.claim_for(new_session_id()))
    held = runs.claim(claim)
    assert held is not None  # noqa: S101 - it has just been made sure of
    session = folder.session(held.session_id)
    if not session.spec.exists():
        files.make_private(session.path)
        spec = Spec(
            session_id=session.session_id,
            kind=Kind.ORCHESTRATOR,
            agent_type=run.orchestrator.agent_type,
            model=run.orchestrator.model,
            title=f"Orchestrator: {run.title}",
        )
        files.replace(session.spec, spec.to_json())
    return _start(session)


def settle(folder: RunFolder) -> None:
    """Give every session whose process is gone its terminal status."""
    with runs.turn(folder):
        _settle(folder, runs.load(folder))
        runs.save_snapshot(folder)


def show(folder: RunFolder) -> None:
    """Bring the snapshot up to date with the sessions' own files."""
    with runs.turn(folder):
        runs.save_snapshot(folder)


def _settle(folder: RunFolder, run: Run) -> None:
    for spec in run.roster:
        _settle_session(run, folder.session(spec.session_id))
    for session in runs.orchestrators(folder):
        _settle_session(run, session)


def _settle_session(run: Run, session: SessionFolder) -> None:
    if session.result.exists() or not session.spec.exists():
        return
    process = runs.process(session)
    if process is None:
        starter = runs.claim(session.start_claim)
        if session.cancel.exists() and not (starter is not None and starter.held):
            _finish(session, Status.CANCELLED, None)
        return
    if alive(process.pid, process.birth) or session.result.exists():
        return
    _bury(run, session)
    if session.cancel.exists():
        _finish(session, Status.CANCELLED, None)
        return
    failure = Failure(
        kind=FailureKind.LOST,
        message="its session process was killed; start the run again, or use what it wrote so far",
    )
    _finish(session, Status.FAILED, failure)


def _bury(run: Run, session: SessionFolder) -> None:
    """What the killed session process would have done itself: end its agent, keep its patch."""
    from bug_lsp.workspace import copies, git

    from . import tree

    tree.end(tree.marker(session.run.run_id, session.session_id))
    copy = session.copy / run.base.name
    if (copy / ".git").exists() and not session.patch.exists():
        with contextlib.suppress(git.GitError, OSError):  # a copy only half made has no patch
            files.replace(session.patch, copies.diff(copy, run.base))


def lost_itself(session: SessionFolder) -> None:
    """Write the result of a session whose own process broke down; its log says how."""
    _finish_unstarted(session, FailureKind.INTERNAL, f"bug-lsp itself failed; see {session.log}")


def _finish_unstarted(session: SessionFolder, kind: FailureKind, message: str) -> None:
    _finish(session, Status.FAILED, Failure(kind=kind, message=message))


def _finish(session: SessionFolder, status: Status, failure: Failure | None) -> None:
    """Write the result of a session that has no process to write it."""
    head, tail, total = _written(session)
    record = runs.last_record(session)
    result = Result(
        session_id=session.session_id,
        status=status,
        failure=failure,
        ended_at=runs.now(),
        tool_calls=record.tool_calls if record else 0,
        output_chars=total,
        head=head,
        tail=tail,
    )
    if not files.create_once(session.result, result.to_json()):
        return
    _show_end(session, result)
    poke(session.run.workspace, session.run.run_id, session.session_id)


def _written(session: SessionFolder) -> tuple[str, str, int]:
    """(head, tail, characters) of what a session wrote before it was lost."""
    from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT

    try:
        with session.output.open("rb") as file:
            head = file.read(HEAD_KEPT).decode(errors="replace")
            size = file.seek(0, 2)
            start = max(HEAD_KEPT, size - TAIL_KEPT)
            file.seek(start)
            tail = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "", "", 0
    whole = start <= HEAD_KEPT
    return head, tail, len(head) + len(tail) if whole else size


def _show_end(session: SessionFolder, result: Result) -> None:
    from bug_lsp.domain.run import materialise_session

    facts = Facts(spec=runs.spec(session), process=runs.process(session), result=result)
    shown = materialise_session(session.run.run_id, facts)
    try:
        with session.output.open("r+b") as file:
            file.write(padded_status(status_line(shown, result.tool_calls, None)))
    except FileNotFoundError:
        session.output.write_bytes(padded_status(status_line(shown, 0, None)))


def _keep_index(folder: RunFolder, board: Board) -> None:
    """A finished run leaves the list of those that a starting server looks at."""
    marker: Path = folder.workspace.active / folder.run_id
    if finished(board) and marker.exists():
        marker.unlink(missing_ok=True)
        poke(folder.workspace, folder.run_id)

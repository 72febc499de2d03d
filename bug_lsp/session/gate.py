"""Moves a run on: starts what is due and claims the orchestrator.

Called by whoever may be the last one out: a session process at its end, a server when it attaches
or sees a session process die, the command line, and `orchestrateDebugRun`. The lock makes callers
take turns; what must happen once is an exclusive creation besides, so that a kill between any two
steps leaves a run that the next caller can move on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from bug_lsp.domain.errors import FailureKind, Refused
from bug_lsp.domain.gate import (
    Board,
    Deliver,
    Orchestrate,
    Prove,
    Start,
    decide,
    finished,
    will_orchestrate,
)
from bug_lsp.domain.ids import new_session_id
from bug_lsp.domain.nothing_found import is_nothing_found
from bug_lsp.domain.run import Kind, LeftOut, Run, Spec
from bug_lsp.domain.transcript import padded_status
from bug_lsp.store import files, runs
from bug_lsp.store.board import board_of
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.pokes import poke

from .settle import finish_failed, settle_all
from .spawn import CameUp, leave_standby, start
from .stand_in import cannot_orchestrate

_Started: TypeAlias = list[tuple[SessionFolder, CameUp]]


def advance(folder: RunFolder) -> tuple[Deliver, ...]:
    """Do all that the run needs now. What is left to the caller is returned: a delivery is not
    done under the lock, as an editor may have to be asked.
    """
    while True:
        started: _Started = []
        with runs.turn(folder):
            run = runs.load(folder)  # under the lock: the user may add sessions
            settle_all(folder, run)
            board = board_of(folder, run)
            for decision in decide(board):
                match decision:
                    case Start(session_id=session_id):
                        started += _start(folder.session(session_id))
                    case Prove():
                        started += _start(_claim_proof(folder, run))
                    case Orchestrate():
                        started += _start(_claim_orchestrator(folder, run, cannot_orchestrate(run)))
                    case Deliver():
                        pass
            runs.save_snapshot(folder)
            if not started:
                _keep_index(folder, board)
                return tuple(item for item in decide(board) if isinstance(item, Deliver))
        stands_by = leave_standby(folder, started[0][0].log) if will_orchestrate(board) else None
        poke(folder.workspace, folder.run_id)
        all_up = _all_up(started)
        if stands_by:
            stands_by()
        if all_up:
            # Most calls end here: what was started is somebody else's to move on.
            return ()


def orchestrate(folder: RunFolder, *, force: bool = False) -> tuple[str, bool]:
    """(sessionId of the run's orchestrator, whether this call created it). It starts at once, or
    as soon as what there is to prove has been.
    """
    with runs.turn(folder):
        run = runs.load(folder)
        settle_all(folder, run)
        board = board_of(folder, run)
        running = [seat.session_id for seat in board.debug if not seat.status.terminal]
        if running:
            raise Refused(
                "the orchestrator starts when every session has ended; still to end: "
                + ", ".join(_name(run, session_id) for session_id in running)
            )
        latest = board.orchestrator
        again = latest is None or (latest.status.terminal and (force or not board.covered))
        if latest is not None and not again:
            return latest.session_id, False
        take_up(folder)
        files.remove(folder.cancelled)
        # Who forces it may know better than a look at files does whether the agent can work.
        stands_in_for = None if force else cannot_orchestrate(run)
        claimed = _claim_orchestrator(folder, run, stands_in_for)
        runs.save_snapshot(folder)
    advance(folder)
    return claimed.session_id, True


def conclude_cancelled(folder: RunFolder) -> bool:
    """Have the digest conclude a cancelled run from what its sessions found before; no proof is
    made. False where they found nothing, or there is an orchestrator already.
    """
    with runs.turn(folder):
        run = runs.load(folder)
        settle_all(folder, run)
        debug = [runs.facts(folder.session(spec.session_id)) for spec in run.standing]
        ended = all(facts.status.terminal for facts in debug)
        if not ended or is_nothing_found(debug) or runs.latest_orchestrator(folder) is not None:
            return False
        take_up(folder)
        name = run.orchestrator.agent_type
        _claim_orchestrator(folder, run, LeftOut(agent_type=name, reason="the run was cancelled"))
        runs.save_snapshot(folder)
    return True


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
        return [(session, start(session, spec.kind))]
    except OSError as error:
        finish_failed(session, FailureKind.INTERNAL, f"it could not be started: {error}")
        return []


def _all_up(started: _Started) -> bool:
    missing = [session for session, came_up in started if not came_up()]
    for session in missing:
        finish_failed(
            session, FailureKind.INTERNAL, f"its process did not come up; see {session.log}"
        )
    return not missing


def _claim_orchestrator(
    folder: RunFolder, run: Run, stands_in_for: LeftOut | None
) -> SessionFolder:
    """Claim the run's next orchestrator: of any number of callers one gets it. The digest stands in
    for the one that was asked for, if there is a reason to.
    """
    return _claim(
        folder,
        runs.orchestrators(folder),
        folder.orchestrator_claim,
        Spec(
            session_id="",
            kind=Kind.ORCHESTRATOR,
            agent_type="digest" if stands_in_for else run.orchestrator.agent_type,
            model=None if stands_in_for else run.orchestrator.model,
            stands_in_for=None if run.orchestrator.agent_type == "digest" else stands_in_for,
            title=f"Orchestrator: {run.title}",
            covers=tuple(one.session_id for one in run.standing),
        ),
    )


def _claim_proof(folder: RunFolder, run: Run) -> SessionFolder:
    """Claim the run's next proof."""
    return _claim(
        folder,
        runs.proofs(folder),
        folder.proof_claim,
        Spec(
            session_id="",
            kind=Kind.PROOF,
            agent_type="proof",
            title=f"Proof: {run.title}",
            covers=tuple(one.session_id for one in run.standing),
        ),
    )


def _claim(
    folder: RunFolder, claimed: list[SessionFolder], path: Callable[[int], Path], spec: Spec
) -> SessionFolder:
    # A claim whose owner died before the session's folder was complete is taken over.
    complete = [session for session in claimed if runs.is_complete(session)]
    claim = path(len(complete) + 1)
    files.create_once(claim, runs.claim_for(new_session_id()))
    held = runs.claim(claim)
    assert held is not None  # noqa: S101 - it has just been made sure of
    session = folder.session(held.session_id)
    if not session.spec.exists():
        files.make_private(session.path)
        named = spec.model_copy(update={"session_id": session.session_id})
        files.replace(session.spec, named.to_json())
    return session


def settle(folder: RunFolder) -> None:
    """Give every session whose process is gone its terminal status."""
    with runs.turn(folder):
        settle_all(folder, runs.load(folder))
        runs.save_snapshot(folder)


def show(folder: RunFolder) -> None:
    """Bring the snapshot up to date with the sessions' own files."""
    with runs.turn(folder):
        runs.save_snapshot(folder)


def take_up(folder: RunFolder) -> None:
    """The run is found again by whoever starts, even if it was finished. The caller holds its lock,
    and says then what there is to do.
    """
    files.replace(folder.workspace.active / folder.run_id, b"")


def _keep_index(folder: RunFolder, board: Board) -> None:
    """A finished run leaves the list of those that a starting server looks at."""
    marker: Path = folder.workspace.active / folder.run_id
    if finished(board) and marker.exists():
        files.remove(marker)
        poke(folder.workspace, folder.run_id)

"""A run as the gate sees it, gathered from what the disk says."""

from __future__ import annotations

from bug_lsp.domain.gate import Board, Seat
from bug_lsp.domain.run import Run

from . import runs
from .layout import RunFolder, SessionFolder


def board_of(folder: RunFolder, run: Run) -> Board:
    """The run as the gate sees it."""
    latest = runs.latest_orchestrator(folder)
    proof = runs.latest_proof(folder)
    sessions = [folder.session(spec.session_id) for spec in run.standing]
    done = [*sessions, *([latest] if latest else [])]
    return Board(
        debug=[_seat(session) for session in sessions],
        orchestrator=_seat(latest) if latest else None,
        orchestrate=run.orchestrate,
        covered=latest is None or runs.covers(latest, run),
        proof=_seat(proof) if proof else None,
        proved=proof is not None and runs.covers(proof, run),
        provable=run.prove and any(map(_provable, sessions)),
        wanted=folder.wanted.exists(),
        max_parallel=run.max_parallel_agents,
        cancelled=folder.cancelled.exists(),
        delivered=frozenset(
            session.session_id for session in done if runs.delivered(folder, session.session_id)
        ),
    )


def _provable(session: SessionFolder) -> bool:
    """Whether the session has handed in anything that can be checked."""
    ended = runs.result(session)
    if ended is None:
        return False
    return bool(ended.patch or (ended.report is not None and ended.report.findings))


def _seat(folder: SessionFolder) -> Seat:
    seen = runs.facts(folder)
    starter = runs.claim(folder.start_claim)
    return Seat(
        session_id=folder.session_id,
        status=seen.status,
        started=seen.process is not None or (starter is not None and starter.held),
    )

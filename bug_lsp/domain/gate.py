"""What a run needs next, decided from what is on disk: the last one out turns on the light.

`decide` is the only place that knows when the orchestrator starts and when a synthesis is
delivered. It is pure; `session.gate` reads the disk, asks it, and carries out what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from .run import Status


@dataclass(frozen=True, slots=True)
class Start:
    """Start this pending session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Prove:
    """Claim and start a proof."""


@dataclass(frozen=True, slots=True)
class Orchestrate:
    """Claim and start the orchestrator."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Write what this session concluded into the task file."""

    session_id: str


Decision: TypeAlias = Start | Prove | Orchestrate | Deliver


@dataclass(frozen=True, slots=True)
class Seat:
    """A session as the gate sees it."""

    session_id: str
    status: Status
    started: bool
    """Somebody alive has claimed its start, or it has a process."""


@dataclass(frozen=True, slots=True)
class Board:
    """All that the gate looks at."""

    debug: Sequence[Seat]
    """Without those that were retried."""
    proof: Seat | None
    """The latest proof."""
    proved: bool
    """The latest proof is about all debug sessions that there are now."""
    provable: bool
    """There is something that a proof could check."""
    orchestrator: Seat | None
    """The latest orchestrator."""
    orchestrate: Literal["auto", "never"]
    covered: bool
    """The latest orchestrator has read all debug sessions that there are now."""
    wanted: bool
    """The user asked for a synthesis of what is there."""
    max_parallel: int
    cancelled: bool
    """The whole run was cancelled by the user."""
    delivered: frozenset[str]
    """Sessions whose conclusion is in the task file already, or for good cannot be."""


def all_terminal(board: Board) -> bool:
    """Whether every debug session has ended."""
    return all(seat.status.terminal for seat in board.debug)


def decide(board: Board) -> tuple[Decision, ...]:
    """What to do now; () when the run waits for somebody or is finished."""
    if not all_terminal(board):
        return _starts(board)
    latest = board.orchestrator
    if latest is not None and (board.covered or not latest.status.terminal):
        waits = not latest.started and not latest.status.terminal
        return (_proof(board) if waits else None) or _after(latest, board)
    if latest is None and len(board.debug) == 1 and not board.wanted:
        only = board.debug[0]
        return (_proof(board) if _due(only, board) else None) or _after(only, board)
    if (board.orchestrate == "auto" or board.wanted) and not board.cancelled:
        found = _proof(board)
        return (Orchestrate(),) if found is None else found
    return () if latest is None else _after(latest, board)


def will_orchestrate(board: Board) -> bool:
    """Whether the orchestrator is to start by itself when the sessions that are left have ended."""
    if all_terminal(board):
        return False
    ended = [replace(seat, status=Status.COMPLETED) for seat in board.debug]
    latest = board.orchestrator and replace(board.orchestrator, status=Status.COMPLETED)
    then = replace(board, debug=ended, proof=None, provable=False, orchestrator=latest)
    return Orchestrate() in decide(then)


def finished(board: Board) -> bool:
    """Whether nothing is running and nothing is left to do without a new command."""
    after = [seat for seat in (board.proof, board.orchestrator) if seat is not None]
    ended = all(seat.status.terminal for seat in after)
    return all_terminal(board) and ended and not decide(board)


def _starts(board: Board) -> tuple[Start, ...]:
    if board.cancelled:
        return ()
    busy = sum(seat.started and not seat.status.terminal for seat in board.debug)
    waiting = [seat for seat in board.debug if not seat.started and not seat.status.terminal]
    return tuple(Start(seat.session_id) for seat in waiting[: max(0, board.max_parallel - busy)])


def _after(source: Seat, board: Board) -> tuple[Decision, ...]:
    if not source.status.terminal:
        return () if source.started else (Start(source.session_id),)
    return (Deliver(source.session_id),) if _due(source, board) else ()


def _due(source: Seat, board: Board) -> bool:
    """Whether this session's conclusion is to be delivered. Who cancels a session does not want its
    conclusion written into the file.
    """
    return source.status is not Status.CANCELLED and source.session_id not in board.delivered


def _proof(board: Board) -> tuple[Decision, ...] | None:
    """What the proof needs before anybody concludes; None when it is done, or there is none to be
    made. One that failed or was cancelled is done, too: it must not keep a run from its synthesis.
    """
    seat = board.proof
    if seat is not None and not seat.status.terminal:
        return () if seat.started or board.cancelled else (Start(seat.session_id),)
    if board.proved or not board.provable or board.cancelled:
        return None
    return (Prove(),)

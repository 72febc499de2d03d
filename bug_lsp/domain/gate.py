"""What a run needs next, decided from what is on disk: the last one out turns on the light.

`decide` is the only place that knows when the orchestrator starts and when a synthesis is
delivered. It is pure; `session.gate` reads the disk, asks it, and carries out what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .run import Status


@dataclass(frozen=True, slots=True)
class Start:
    """Start this pending session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Orchestrate:
    """Claim and start the orchestrator."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Write what this session concluded into the task file."""

    session_id: str


Decision: TypeAlias = Start | Orchestrate | Deliver


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
        return _after(latest, board)
    if latest is None and len(board.debug) == 1 and not board.wanted:
        return _after(board.debug[0], board)
    if (board.orchestrate == "auto" or board.wanted) and not board.cancelled:
        return (Orchestrate(),)
    return () if latest is None else _after(latest, board)


def finished(board: Board) -> bool:
    """Whether nothing is running and nothing is left to do without a new command."""
    ended = board.orchestrator is None or board.orchestrator.status.terminal
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
    # Who cancels a session does not want its conclusion written into the file.
    if source.status is Status.CANCELLED or source.session_id in board.delivered:
        return ()
    return (Deliver(source.session_id),)

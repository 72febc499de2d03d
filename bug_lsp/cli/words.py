"""A session in a few words, the same wherever the terminal shows one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bug_lsp.domain.run import Kind, Session, Status
from bug_lsp.domain.transcript import duration, one_line

from .names import in_terminal


def place(path: Path) -> str:
    """A path as one line: names of files are not ours either."""
    return one_line(str(path), 4096)


def label(session: Session) -> str:
    """`Debug (1)` or `Orchestrator`: a session's title without the task's."""
    return session.title.partition(":")[0]


def agent(session: Session) -> str:
    """Which agent, and which of its models."""
    if session.kind is Kind.PROOF:
        return "by program"
    return session.agent_type + (f" ({one_line(session.model, 40)})" if session.model else "")


def elapsed(session: Session) -> str:
    """How long a session has been running or ran; "" before its start."""
    if session.started_at is None:
        return ""
    return duration(((session.ended_at or datetime.now(UTC)) - session.started_at).total_seconds())


def doing(session: Session) -> str:
    """What a session is doing, or how it ended."""
    if session.status is Status.FAILED and session.failure:
        return one_line(in_terminal(session.failure.message), 300)
    if session.status is Status.RUNNING:
        return session.activity or "starting"
    return str(session.status)

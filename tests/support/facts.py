"""Sessions and runs as values, for tests that need no disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT
from bug_lsp.domain.run import (
    AgentChoice,
    Base,
    Facts,
    Kind,
    Process,
    Result,
    Run,
    RunStatus,
    Spec,
    Status,
    materialise,
)

RUN_ID = "fe5dfd829cd088a4"
STARTED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ENDED = STARTED + timedelta(minutes=2, seconds=3)


def session_id(number: int) -> str:
    """The id of the session with this number, counted from 1."""
    return f"{number:012x}"


def spec(number: int = 1, agent: str = "codex", kind: Kind = Kind.DEBUG, **more: Any) -> Spec:
    """What a session is to do."""
    return Spec(
        session_id=session_id(number),
        kind=kind,
        agent_type=agent,
        title=f"Debug ({number}): Prices are too low",
        **more,
    )


def ended(
    number: int = 1,
    output: str = "",
    status: Status = Status.COMPLETED,
    agent: str = "codex",
    **result: Any,
) -> Facts:
    """A session that has ended and has said this: kept as the recorder keeps it."""
    rest = output[HEAD_KEPT:]
    return Facts(
        spec=spec(number, agent),
        process=Process(pid=1, birth="b", started_at=STARTED),
        result=Result(
            session_id=session_id(number),
            status=status,
            ended_at=ENDED,
            head=output[:HEAD_KEPT],
            tail=rest[-TAIL_KEPT:],
            output_chars=len(output),
            **result,
        ),
    )


def run_of(debug: Sequence[Facts], **more: Any) -> Run:
    """The run of these sessions."""
    values: dict[str, Any] = {
        "debug_run_id": RUN_ID,
        "created_at": STARTED,
        "title": "Prices are too low",
        "task_path": "/shop/tasks/prices.md",
        "workspace": "/shop",
        "base": Base(
            repository="/state/repository.git", commit="c", head="h", name="shop", prefix=""
        ),
        "roster": tuple(facts.spec for facts in debug),
        "orchestrator": AgentChoice(agent_type="codex"),
    }
    return Run(**{**values, **more})


def status_of(debug: Sequence[Facts], orchestrator: Facts | None = None) -> RunStatus:
    """The run of these sessions as it is shown."""
    return materialise(run_of(debug), debug, None, orchestrator, delivered=False)

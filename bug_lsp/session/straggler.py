"""Ends the last debug session of a run when the others have waited for it long enough.

One that began when the others had ended already is no straggler: it was added or tried again, or
had to wait for its turn. An agent with a model is not measured by ours, which are done in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from bug_lsp.agents import registry
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Run
from bug_lsp.store import runs
from bug_lsp.store.layout import SessionFolder

_LOOK_AGAIN = 1.0
"""Seconds: whether others have ended is a look at a few files, and a minute or two are waited."""


async def straggling(run: Run, session: SessionFolder) -> AgentFailure:
    """Wait until the others have waited long enough for this session, and say so."""
    while True:
        # Their ends are files, and nobody pokes a session.
        while await anyio.to_thread.run_sync(_is_one_of_several, session):  # noqa: ASYNC110
            await anyio.sleep(_LOOK_AGAIN)
        if await anyio.to_thread.run_sync(_came_later, session):
            await anyio.sleep_forever()
        await anyio.sleep(run.straggler_seconds)
        if not await anyio.to_thread.run_sync(_is_one_of_several, session):
            return AgentFailure(
                FailureKind.TIMEOUT,
                f"the others had ended {run.straggler_seconds:g} s before (stragglerSeconds)",
            )


def _is_one_of_several(session: SessionFolder) -> bool:
    """Whether another session that it is measured by has not ended."""
    return any(not other.result.exists() for other in _others(session))


def _came_later(session: SessionFolder) -> bool:
    """Whether it began when all the others had ended, or there are none."""
    process = runs.process(session)
    ends = [result.ended_at for other in _others(session) if (result := runs.result(other))]
    return not ends or process is None or process.started_at >= max(ends)


def _others(session: SessionFolder) -> Sequence[SessionFolder]:
    """The debug sessions that it is measured by: the user may have added some."""
    run = runs.load(session.run)
    own = next(spec for spec in run.roster if spec.session_id == session.session_id)
    by_ours = registry.is_model_free(own.agent_type, run.agents)
    return [
        session.run.session(spec.session_id)
        for spec in run.standing
        if spec is not own and (by_ours or not registry.is_model_free(spec.agent_type, run.agents))
    ]

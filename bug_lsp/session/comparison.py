"""Compares the copies with the checkout while agents with a model work, in runs without a built-in
agent that does: what is missing in the copies alone is said at once.
"""

from __future__ import annotations

import dataclasses

import anyio
import anyio.to_thread

from bug_lsp.agents import registry
from bug_lsp.agents.base import Emit
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, Error
from bug_lsp.domain.run import Run
from bug_lsp.proof import Bench
from bug_lsp.store import files
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace.extras import Source

from .guards import Guard
from .prove import bench_of

_SECONDS = 60.0


def comparing(
    run: Run,
    session: SessionFolder,
    sources: tuple[Source, ...],
    confine: tuple[str, ...],
    emit: Emit,
) -> list[Guard]:
    """What the session does beside its agent: the first one of a run compares, if nobody else."""
    is_first = session.session_id == run.standing[0].session_id
    runs_tests = any(registry.is_model_free(spec.agent_type, run.agents) for spec in run.standing)
    if not is_first or runs_tests or not run.prove:
        return []

    async def compare() -> AgentFailure:
        try:
            for sentence in await _lacking(bench_of(run, session, confine, sources), run):
                told = f"tests fail for the copy's own sake: {sentence}"
                emit(Activity(text=told))
                emit(Error(message=told))
        except (AgentFailure, OSError):
            pass  # the agent works all the same, and the proof says what cannot be run
        await anyio.sleep_forever()
        raise AssertionError

    return [compare]


async def _lacking(bench: Bench, run: Run) -> list[str]:
    """What keeps the tests from being collected, or the test command from running, in a copy of
    its own.
    """
    # Here: what runs tests is not loaded by sessions that do not compare.
    from bug_lsp.proof.slot import Slot, Snapshot
    from bug_lsp.proof.suite import of_command, ways

    scratch = bench.scratch / "comparison"
    bench = dataclasses.replace(bench, scratch=scratch, slots=1, cell_seconds=_SECONDS)
    snapshot = Snapshot.of(bench)
    slot = Slot(snapshot, 1)
    await anyio.to_thread.run_sync(snapshot.make)
    checks = ways(snapshot.root / bench.base.prefix, run.suite_command)[:1]
    listing = [
        dataclasses.replace(check, plan=dataclasses.replace(check.plan, collect_only=True))
        for check in checks
        if check.plan is not None
    ]
    if run.test_command is not None:
        listing.append(of_command(run.test_command, python=bool(listing)))
    found: dict[str, None] = {}
    for number, check in enumerate(listing):
        outcome = await slot.run(check, None, f"comparison-{number}", _SECONDS)
        found |= dict.fromkeys(outcome.lacking.values())
    await anyio.to_thread.run_sync(files.remove, scratch)
    return list(found)

"""Deadlines and limits are ours: no agent has any that could be relied on. They are measured by the
monotonic clock, so neither a changed clock nor a suspended machine ends a session.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import anyio

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import TokenUsage
from bug_lsp.domain.run import Kind, Limits, Run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder

from .recorder import Recorder
from .room import Room
from .straggler import straggling

_T = TypeVar("_T")
Guard: TypeAlias = Callable[[], Awaitable[AgentFailure]]
"""Waits until the session must end, and says why."""


async def guarded(work: Callable[[], Awaitable[_T]], guards: Sequence[Guard]) -> _T:
    """The work's result, unless a guard ends it first: then that guard's failure is raised."""
    done: list[_T] = []
    raised: list[Exception] = []

    async with anyio.create_task_group() as group:

        async def watch(guard: Guard) -> None:
            raised.append(await guard())
            group.cancel_scope.cancel()

        for guard in guards:
            group.start_soon(watch, guard)
        try:
            done.append(await work())
        except Exception as error:  # noqa: BLE001 - raised again below, out of the task group
            raised.append(error)
        group.cancel_scope.cancel()
    if done:
        return done[0]
    raise raised[0]


def guards_of(
    run: Run, folder: RunFolder, recorder: Recorder, kind: Kind, room: Room
) -> list[Guard]:
    """The guards of a session. The run's limits hold for debug sessions alone, so that there is
    always somebody to say what came of them; a proof has a deadline of its own for each try.
    """
    limited = kind is Kind.DEBUG
    found: list[Guard] = [
        lambda: _wall_clock(recorder, run.session_timeout_seconds),
        lambda: room.guard(recorder.note),
    ]
    if kind is not Kind.PROOF:
        found.append(lambda: _silence(recorder, run.session_silence_seconds))
    if limited and run.limits.seconds is not None:
        left = run.limits.seconds - (datetime.now(UTC) - run.created_at).total_seconds()
        found.append(lambda: _run_clock(run.limits, left))
    if limited and run.straggler_seconds:
        found.append(lambda: straggling(run, folder.session(recorder.session_id)))
    if limited and (run.limits.tokens is not None or run.limits.cost_usd is not None):
        found.append(lambda: _spending(run, folder, recorder))
    return found


async def _wall_clock(recorder: Recorder, seconds: float) -> AgentFailure:
    await anyio.sleep(max(0.0, recorder.began + seconds - time.monotonic()))
    return AgentFailure(
        FailureKind.TIMEOUT, f"not done within {seconds:g} s (sessionTimeoutSeconds)"
    )


async def _silence(recorder: Recorder, seconds: float) -> AgentFailure:
    # As long as it speaks, the deadline moves: only sleeping up to it finds out.
    while (quiet := time.monotonic() - recorder.heard_at) < seconds:  # noqa: ASYNC110
        await anyio.sleep(seconds - quiet)
    return AgentFailure(
        FailureKind.TIMEOUT, f"no sign of life for {seconds:g} s (sessionSilenceSeconds)"
    )


async def _run_clock(limits: Limits, left: float) -> AgentFailure:
    await anyio.sleep(max(0.0, left))
    return AgentFailure(
        FailureKind.TIMEOUT, f"the run's {limits.seconds:g} s are over (runLimits.seconds)"
    )


async def _spending(run: Run, folder: RunFolder, recorder: Recorder) -> AgentFailure:
    """Looks whenever this session has used something; the others look when they have."""
    while True:
        await recorder.usage_news.wait()
        recorder.usage_news = anyio.Event()
        spent = await anyio.to_thread.run_sync(_spent, folder, recorder)
        tokens = spent.input_tokens + spent.output_tokens
        if run.limits.tokens is not None and tokens > run.limits.tokens:
            return AgentFailure(
                FailureKind.QUOTA,
                f"the run has used {tokens:,} tokens, more than its limit of "
                f"{run.limits.tokens:,} (runLimits.tokens)",
            )
        if run.limits.cost_usd is not None and (spent.cost_usd or 0) > run.limits.cost_usd:
            return AgentFailure(
                FailureKind.QUOTA,
                f"the run has cost ${spent.cost_usd:.2f}, more than its limit of "
                f"${run.limits.cost_usd:.2f} (runLimits.costUsd)",
            )


def _spent(folder: RunFolder, recorder: Recorder) -> TokenUsage:
    """What all debug sessions have used by now; our own as of this moment."""
    sessions = [folder.session(spec.session_id) for spec in runs.load(folder).roster]
    others = [one for one in sessions if one.session_id != recorder.session_id]
    used = [recorder.usage, *(_used(session) for session in others)]
    known = [usage for usage in used if usage is not None]
    return TokenUsage(
        input_tokens=sum(usage.input_tokens for usage in known),
        output_tokens=sum(usage.output_tokens for usage in known),
        cost_usd=sum(usage.cost_usd or 0 for usage in known),
    )


def _used(session: SessionFolder) -> TokenUsage | None:
    facts = runs.facts(session)
    return facts.result.usage if facts.result else facts.usage

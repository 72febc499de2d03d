"""Runs tests as a tool call of a session, and tells it how far they are."""

from __future__ import annotations

from bug_lsp.agents.base import Emit
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, ToolCall, ToolResult

from .project import PythonProject
from .results import SuiteRun
from .suite import OnProgress, Plan, run_tests

_MOST_NAMED = 20


async def run_and_tell(project: PythonProject, plan: Plan, emit: Emit, *, call_id: str) -> SuiteRun:
    """Run tests as a tool call of the session, with progress."""
    which = "the tests" if plan.named is None else "the tests that the task names"
    how = "with the lines each test executes" if plan.coverage else "without coverage"
    detail = f"{which} by {project.interpreter.described}, {how}"
    emit(ToolCall(call_id=call_id, name="test", detail=detail))
    try:
        run = await run_tests(project, plan, _progress(emit))
    except AgentFailure as failure:
        emit(ToolResult(call_id=call_id, ok=False, output=failure.message))
        raise
    tell_result(run, emit, call_id=call_id)
    return run


def tell_result(run: SuiteRun, emit: Emit, *, call_id: str) -> None:
    """Tell what came of a run, whoever ran it."""
    lines = [f"{run.runner}: {run.counted()}"]
    lines += [
        f"{test.id}: {test.failure.summary}"
        for test in run.failing[:_MOST_NAMED]
        if test.failure is not None
    ]
    lines += [f"{error.where}: {error.failure.summary}" for error in run.collection_errors]
    emit(ToolResult(call_id=call_id, ok=True, output="\n".join(lines)))


def _progress(emit: Emit) -> OnProgress:
    """One activity for each percent: there may be thousands of tests."""
    shown = -1

    def report(done: int, total: int) -> None:
        nonlocal shown
        percentage = 100 * done // total if total else 0
        if percentage != shown:
            shown = percentage
            emit(Activity(text=f"running tests {done}/{total}", percentage=percentage))

    return report

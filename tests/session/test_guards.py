"""Deadlines and limits: a session that goes on too long, says nothing or uses too much is ended."""

from __future__ import annotations

import anyio
import pytest

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Status
from bug_lsp.session import straggler
from bug_lsp.session.guards import guarded
from tests.support.projects import Project
from tests.support.runs import FINDS, WAITS, program, start

pytestmark = pytest.mark.anyio


def test_silence_is_ended_and_named(project: Project) -> None:
    run = start(project.root, WAITS, FINDS, settings={"session_silence_seconds": 3}).wait_finished()
    failure = run.result(0).failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT
    assert failure.message == "no sign of life for 3 s (sessionSilenceSeconds)"
    assert run.result(1).status is Status.COMPLETED


def test_an_agent_that_speaks_now_and_then_is_not_silent(project: Project) -> None:
    talks = program(
        "import time\nfor n in range(14): print(n, flush=True); time.sleep(0.3)\nprint('done')"
    )
    run = start(project.root, talks, settings={"session_silence_seconds": 3}).wait_finished()
    assert run.result(0).status is Status.COMPLETED


def test_the_time_of_a_run_is_limited_and_the_orchestrator_still_speaks(project: Project) -> None:
    run = start(
        project.root, WAITS, WAITS, settings={"run_limits": {"seconds": 1.5}}
    ).wait_finished()
    assert [run.result(number).failure.kind for number in (0, 1)] == [FailureKind.TIMEOUT] * 2
    assert "runLimits.seconds" in run.result(0).failure.message
    assert run.orchestrator.status is Status.COMPLETED


def test_the_others_do_not_wait_longer_for_the_last_one_than_is_set(project: Project) -> None:
    writes = program(
        "import pathlib, time\n"
        "pathlib.Path('shop/new.py').write_text('NEW = 1\\n')\n"
        "print('ready', flush=True); time.sleep(600)"
    )
    run = start(
        project.root, FINDS, FINDS, writes, settings={"straggler_seconds": 1}
    ).wait_finished()
    last = run.result(2)
    assert last.failure is not None
    assert last.failure.kind is FailureKind.TIMEOUT
    assert last.failure.message == "the others had ended 1 s before (stragglerSeconds)"
    assert "NEW = 1" in last.patch
    assert "ready" in last.head
    assert "degraded: 2 of 3 sessions completed, 1 timed out" in run.text


def test_who_has_to_wait_for_its_turn_is_no_straggler(project: Project) -> None:
    slow = program("import time; time.sleep(2.5); print('done')")
    settings = {"straggler_seconds": 0.2, "max_parallel_agents": 1}
    run = start(project.root, FINDS, slow, settings=settings).wait_finished()
    assert [run.result(number).status for number in (0, 1)] == [Status.COMPLETED] * 2


def test_an_agent_with_a_model_is_not_measured_by_ours(project: Project) -> None:
    run = start(project.root, FINDS, "spectrum").wait_finished()
    assert straggler._others(run.sessions[0]) == []
    assert straggler._others(run.sessions[1]) == [run.sessions[0]]


async def test_the_first_guard_to_speak_ends_the_work() -> None:
    ended = anyio.Event()

    async def work() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return "never"

    async def soon() -> AgentFailure:
        return AgentFailure(FailureKind.TIMEOUT, "soon")

    async def late() -> AgentFailure:
        await anyio.sleep_forever()
        return AgentFailure(FailureKind.TIMEOUT, "late")

    with pytest.raises(AgentFailure, match="soon"):
        await guarded(work, [late, soon])
    assert ended.is_set()


async def test_a_result_and_an_error_of_the_work_come_through() -> None:
    async def late() -> AgentFailure:
        await anyio.sleep_forever()
        return AgentFailure(FailureKind.TIMEOUT, "late")

    async def answers() -> int:
        return 5

    async def fails() -> int:
        raise ValueError("mine")

    assert await guarded(answers, [late]) == 5
    with pytest.raises(ValueError, match="mine"):
        await guarded(fails, [late])

"""Who stands by to be the orchestrator: loaded ahead, and never needed for a run to end well."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bug_lsp.domain.run import Status
from bug_lsp.session import cancel
from bug_lsp.session.delivery import move_on
from bug_lsp.store import runs
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, Turnstile, start, turnstile

from .control import Control, Step

_DEADLINE = 30.0


@pytest.fixture
def stile(tmp_path: Path) -> Iterator[Turnstile]:
    with turnstile(tmp_path / "turnstile") as made:
        yield made


def half_done(project: Project, stile: Turnstile, **more: object) -> Started:
    """A run of which one session has ended, and another waits to be let go."""
    run = start(project.root, FINDS, stile.agent(), orchestrator=CONCLUDES, **more)
    run.wait_for(0, Status.COMPLETED)
    run.wait_ready(1)
    return run


def standbys(run: Started) -> list[psutil.Process]:
    """The processes that stand by for this run."""
    words = ["--stand-by", str(run.folder.path)]
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if words == (process.info["cmdline"] or [])[4:6]
    ]


def standby_of(run: Started) -> psutil.Process:
    """The one that stands by for this run, detached from whoever started it."""
    found: list[psutil.Process] = []

    def waits() -> bool:
        found[:] = standbys(run)
        return len(found) == 1 and _listens(found[0])

    run.wait(waits)
    return found[0]


def _listens(process: psutil.Process) -> bool:
    """Whether the process has a handler of its own for SIGTERM: then it is detached and waits."""
    try:
        status = Path("/proc", str(process.pid), "status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def wait_gone(process: psutil.Process) -> None:
    """Wait until it has ended by itself."""
    psutil.wait_procs([process], timeout=_DEADLINE)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def orchestrated_once(run: Started) -> int:
    """The pid of the one orchestrator of a run that has ended well."""
    run.wait_finished()
    [orchestrator] = run.orchestrators
    process = runs.process(orchestrator)
    assert process is not None
    assert run.status.delivered
    assert run.orchestrator.status is Status.COMPLETED
    return process.pid


def test_who_stands_by_becomes_the_orchestrator(project: Project, stile: Turnstile) -> None:
    run = half_done(project, stile)
    standby = standby_of(run)
    stile.let_go()
    assert orchestrated_once(run) == standby.pid
    wait_gone(standby)
    assert not run.folder.standby.exists()


def test_it_has_loaded_what_the_orchestrator_needs_before_it_is_told(
    project: Project, stile: Turnstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # says each import, where it was left from
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0000")  # without a login Codex is not waited for
    run = start(project.root, FINDS, stile.agent(), orchestrator="codex")
    run.wait_for(0, Status.COMPLETED)
    run.wait_ready(1)
    standby = standby_of(run)
    run.wait(lambda: "openai_codex.api\n" in run.sessions[0].log.read_text())
    cancel.cancel_run(run.folder)
    run.wait_finished()
    wait_gone(standby)


def test_it_is_there_before_any_agent_has_ended(project: Project, stile: Turnstile) -> None:
    run = start(project.root, stile.agent(), stile.agent(), orchestrator=CONCLUDES)
    standby = standby_of(run)
    assert not any(session.result.exists() for session in run.sessions)
    stile.let_go(2)
    assert orchestrated_once(run) == standby.pid


def test_however_often_sessions_are_started_one_stands_by(
    project: Project, stile: Turnstile
) -> None:
    agents = [FINDS, FINDS, FINDS, stile.agent()]
    run = start(project.root, *agents, orchestrator=CONCLUDES, settings={"max_parallel_agents": 1})
    for number in range(3):
        run.wait_for(number, Status.COMPLETED)
    standby = standby_of(run)
    stile.let_go()
    assert orchestrated_once(run) == standby.pid


@pytest.mark.fault(1)
def test_where_it_was_killed_another_process_is_started(project: Project, stile: Turnstile) -> None:
    run = half_done(project, stile)
    standby = standby_of(run)
    os.kill(standby.pid, signal.SIGKILL)
    wait_gone(standby)
    assert run.folder.standby.exists()
    stile.let_go()
    assert orchestrated_once(run) != standby.pid


@pytest.mark.fault(1)
def test_where_it_dies_as_soon_as_it_is_told_another_process_is_started(
    project: Project, stile: Turnstile, control: Control
) -> None:
    told: list[int] = []

    def kill_the_first(step: Step) -> str:
        standby = {process.pid for process in standbys(run)}
        if step.verb == "create" and step.path.name == "process.json" and step.pid in standby:
            told.append(step.pid)
            return "kill"
        return ""

    run = half_done(project, stile)
    standby = standby_of(run)
    control.rule = kill_the_first
    stile.let_go()
    assert orchestrated_once(run) != standby.pid
    assert told == [standby.pid]


@pytest.mark.fault(12)
@pytest.mark.parametrize("error", ["ENOSPC", "EAGAIN"])
def test_where_none_can_be_left_the_session_ends_as_ever(
    project: Project, stile: Turnstile, control: Control, error: str
) -> None:
    agents = [stile.agent(), stile.agent()]
    run = start(project.root, *agents, orchestrator=CONCLUDES, settings={"max_parallel_agents": 1})
    run.wait_ready(0)
    standby = standby_of(run)
    standby.kill()
    wait_gone(standby)
    control.rule = lambda step: error if step.path.name == "standby" else ""
    stile.let_go()
    run.wait_ready(1)
    assert standbys(run) == []
    stile.let_go()
    orchestrated_once(run)
    assert "nobody stands by" in run.sessions[0].log.read_text()


def test_where_it_was_killed_the_next_session_that_is_started_finds_another(
    project: Project, stile: Turnstile
) -> None:
    agents = [stile.agent(), stile.agent()]
    run = start(project.root, *agents, orchestrator=CONCLUDES, settings={"max_parallel_agents": 1})
    run.wait_ready(0)
    killed = standby_of(run)
    killed.kill()
    wait_gone(killed)
    stile.let_go()
    run.wait_ready(1)
    standby = standby_of(run)
    stile.let_go()
    assert orchestrated_once(run) == standby.pid


def test_it_leaves_with_a_run_that_is_cancelled(project: Project, stile: Turnstile) -> None:
    run = half_done(project, stile)
    standby = standby_of(run)
    cancel.cancel_run(run.folder)
    run.wait_finished()
    wait_gone(standby)
    assert run.orchestrators == []


def test_it_leaves_where_the_last_session_was_killed_and_nobody_looks(
    project: Project, stile: Turnstile
) -> None:
    run = half_done(project, stile)
    standby = standby_of(run)
    last = runs.process(run.sessions[1])
    assert last is not None
    os.kill(last.pid, signal.SIGKILL)
    wait_gone(standby)
    move_on(run.folder)
    orchestrated_once(run)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_told_to_leave(
    project: Project, stile: Turnstile, number: signal.Signals
) -> None:
    run = half_done(project, stile)
    standby = standby_of(run)
    standby.send_signal(number)
    wait_gone(standby)
    stile.let_go()
    orchestrated_once(run)


def test_none_stands_by_where_none_is_to_orchestrate(project: Project, stile: Turnstile) -> None:
    run = half_done(project, stile, orchestrate="never")
    process = runs.process(run.sessions[0])
    assert process is not None
    psutil.wait_procs([psutil.Process(process.pid)], timeout=_DEADLINE)
    assert standbys(run) == []
    assert not run.folder.standby.exists()
    stile.let_go()
    run.wait_finished()

"""Whole runs: real session processes, programs as agents."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

from bug_lsp.domain.errors import FailureKind, Refused
from bug_lsp.domain.region import region_of
from bug_lsp.domain.run import Status
from bug_lsp.session import gate
from bug_lsp.session.cancel import cancel_run, cancel_session
from bug_lsp.session.delivery import move_on
from bug_lsp.session.forget import delete_run
from bug_lsp.store import runs
from tests.support import leftovers
from tests.support.projects import Project
from tests.support.runs import (
    CONCLUDES,
    EXITS_3,
    FINDS,
    STUBBORN,
    SYNTHESIS,
    WAITS,
    WITH_CHILDREN,
    block,
    program,
    says,
    start,
    turnstile,
)

HEADINGS = [
    "## Root cause",
    "## Recommended solution",
    "## Implementation steps",
    "## Session notes",
    "## Conflicts to resolve",
]


def body_of(text: str) -> str:
    found = region_of(text)
    assert found is not None
    return found[1]


def test_of_three_one_finds_one_fails_one_is_cancelled_and_one_orchestrator_concludes(
    project: Project,
) -> None:
    run = start(project.root, FINDS, EXITS_3, WAITS)
    run.wait_ready(2)
    assert cancel_session(run.sessions[2])
    run.wait_finished()
    status = run.status
    assert [session.status for session in status.sessions] == ["completed", "failed", "cancelled"]
    assert (status.completed_count, status.failed_count, status.cancelled_count) == (1, 1, 1)
    failure = status.sessions[1].failure
    assert failure is not None
    assert failure.kind is FailureKind.CRASHED
    assert "exited with 3: no disk" in failure.message
    assert len(run.orchestrators) == 1
    assert run.orchestrator.title == "Orchestrator: Prices are too low"
    assert run.orchestrator.status is Status.COMPLETED
    assert status.delivered


def test_the_region_has_every_section_and_says_that_the_run_is_degraded(project: Project) -> None:
    task = project.task()
    run = start(project.root, FINDS, EXITS_3, task=task).wait_finished()
    body = body_of(run.text)
    assert [line for line in body.splitlines() if line in HEADINGS] == HEADINGS
    heading = body.partition("\n")[0]
    assert (
        "a place to begin: shop/tax.py:3; degraded: 1 of 2 sessions completed, 1 failed" in heading
    )
    speaks = "the word of agent1 and the words of the task"
    assert f"`shop/tax.py:3` in `with_tax` `return price - price * rate` ({speaks})" in body
    assert "- **Debug (2)**, agent2: failed: " in body
    assert "merged by rule, without a model" in body
    assert run.text.startswith(project.root.joinpath("tasks/prices.md").read_text()[:20])


def test_the_snapshot_says_what_the_sessions_files_say(project: Project) -> None:
    run = start(project.root, FINDS, EXITS_3).wait_finished()
    assert runs.shown(run.folder) == run.status
    kept = run.folder.snapshot.read_text()
    assert "half an answer" not in kept
    assert "activity" not in kept


def test_the_patch_of_a_session_is_kept_and_the_users_files_stay(project: Project) -> None:
    fix = program(
        "import pathlib, sys\n"
        "path = pathlib.Path('shop/tax.py')\n"
        "path.write_text(path.read_text().replace('price - price', 'price + price'))\n"
        "print('fixed')"
    )
    run = start(project.root, fix, fix).wait_finished()
    patch = run.sessions[0].patch.read_text()
    assert "-    return price - price * rate\n+    return price + price * rate\n" in patch
    assert "price + price" in run.result().patch
    assert "price - price" in (project.root / "shop/tax.py").read_text()


def test_the_orchestrator_reads_what_the_sessions_handed_in(project: Project) -> None:
    echo = program("import sys; print('PROMPT', sys.stdin.read())")
    run = start(project.root, FINDS, EXITS_3, orchestrator=echo).wait_finished()
    prompt = run.orchestrators[0].prompt.read_text()
    assert "The tax is subtracted" in prompt
    assert "half an answer" in prompt
    assert "- status: failed (crashed)" in prompt


def test_never_more_than_two_of_six_run_at_once_and_they_start_in_order(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        agents = [stile.agent() for _ in range(6)]
        run = start(project.root, *agents, settings={"max_parallel_agents": 2})
        for ended in range(6):
            run.wait_ready(*range(min(6, ended + 2)))
            statuses = [session.status for session in run.status.sessions]
            assert statuses.count(Status.RUNNING) == min(2, 6 - ended)
            assert all(
                status is Status.PENDING for status in statuses[ended + 2 :] if ended + 2 < 6
            )
            stile.let_go()
            run.wait(lambda ended=ended: run.status.completed_count == ended + 1)
        run.wait_finished()
    started = [session.started_at for session in run.status.sessions]
    assert started[2:] == sorted(started[2:])
    assert max(started[:2]) <= started[2]  # the first two come up in any order


def test_a_run_of_one_agent_delivers_its_findings_without_an_orchestrator(project: Project) -> None:
    run = start(project.root, FINDS).wait_finished()
    assert run.orchestrators == []
    body = body_of(run.text)
    assert body.startswith("## Findings (a place to begin: shop/tax.py:3)\n\nBy agent1 alone, ")
    assert "with_tax subtracts" in body
    assert run.status.delivered


def test_a_run_of_one_agent_may_be_orchestrated_by_command(project: Project) -> None:
    run = start(project.root, FINDS, orchestrator=CONCLUDES).wait_finished()
    session_id, is_new = gate.orchestrate(run.folder)
    assert is_new
    run.wait_finished()
    assert run.orchestrator.session_id == session_id
    body = body_of(run.text)
    assert "By boss, " in body
    assert "The tax is subtracted at shop/tax.py:3." in body


def test_with_orchestrate_never_nothing_starts_by_itself(project: Project) -> None:
    run = start(project.root, FINDS, FINDS, orchestrate="never").wait_finished()
    assert run.orchestrators == []
    assert region_of(run.text) is None
    _, is_new = gate.orchestrate(run.folder)
    assert is_new
    run.wait_finished()
    assert region_of(run.text) is not None


def test_orchestrating_too_early_is_refused_with_the_names_of_who_still_runs(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, FINDS, stile.agent())
        run.wait_for(0, Status.COMPLETED)
        with pytest.raises(Refused, match=r"still to end: Debug \(2\) agent2") as refused:
            gate.orchestrate(run.folder)
        assert "Debug (1)" not in refused.value.message
        stile.let_go()
        run.wait_finished()


def test_cancelling_a_run_ends_its_sessions_and_starts_nothing(project: Project) -> None:
    settings = {"max_parallel_agents": 1}
    run = start(project.root, WAITS, WAITS, WAITS, settings=settings)
    run.wait_ready(0)
    assert cancel_run(run.folder) == [session.session_id for session in run.sessions]
    run.wait_finished()
    assert run.status.cancelled_count == 3
    assert not run.sessions[2].process.exists()
    assert run.orchestrators == []
    assert region_of(run.text) is None
    assert cancel_run(run.folder) == []


def test_a_pending_session_that_is_cancelled_never_starts(project: Project, tmp_path: Path) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        settings = {"max_parallel_agents": 1}
        run = start(project.root, stile.agent(), FINDS, stile.agent(), settings=settings)
        run.wait_ready(0)
        assert cancel_session(run.sessions[1])
        assert run.status.sessions[1].status is Status.CANCELLED
        stile.let_go(2)
        run.wait_finished()
    assert [session.status for session in run.status.sessions] == [
        "completed",
        "cancelled",
        "completed",
    ]
    assert not run.sessions[1].process.exists()


def test_a_session_that_has_ended_cannot_be_cancelled(project: Project) -> None:
    run = start(project.root, FINDS).wait_finished()
    assert not cancel_session(run.sessions[0])
    assert run.status.sessions[0].status is Status.COMPLETED


def test_a_session_cancelled_the_moment_it_is_started_is_cancelled(project: Project) -> None:
    # Its process listens to signals only after its imports: the cancel must hold all the same.
    run = start(project.root, WAITS, WAITS)
    for session in run.sessions:
        assert cancel_session(session)
    run.wait_all_terminal()
    assert run.status.cancelled_count == 2
    run.wait_finished()


def test_a_run_cancelled_while_its_last_session_ends_has_nothing_running_after_it(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        both = [start(project.root, stile.agent(), FINDS, orchestrator=WAITS) for _ in range(2)]
        for run in both:
            run.wait_ready(0)
        stile.let_go(2)
        for run in both:
            run.wait(lambda run=run: run.sessions[0].result.exists())
            cancel_run(run.folder)
            run.wait_finished()
            latest = run.status.orchestrator
            assert latest is None or latest.status is Status.CANCELLED
            assert region_of(run.text) is None


def test_a_session_past_its_time_is_failed(project: Project) -> None:
    run = start(project.root, WAITS, settings={"session_timeout_seconds": 0.5}).wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.TIMEOUT
    assert "0.5 s (sessionTimeoutSeconds)" in failure.message


@pytest.mark.parametrize("confinement", ["auto", "off"])
@pytest.mark.fault(5)
def test_an_agent_that_does_not_listen_to_a_cancel_is_ended_with_all_its_children(
    project: Project, confinement: str
) -> None:
    settings = {"confinement": confinement, "prove": False}  # no tests beside the agents
    run = start(project.root, STUBBORN, WITH_CHILDREN, settings=settings)
    run.wait_ready(0, 1)
    pids = [leftovers.of_session(run.folder.run_id, session.session_id) for session in run.sessions]
    sandbox = 2 if confinement == "auto" else 0
    assert [len(found) for found in pids] == [1 + sandbox, 3 + sandbox]
    cancel_run(run.folder)
    run.wait_all_terminal()
    assert run.status.cancelled_count == 2
    for session in run.sessions:
        assert leftovers.of_session(run.folder.run_id, session.session_id) == []


@pytest.mark.parametrize("confinement", ["auto", "off"])
@pytest.mark.fault(6)
def test_what_an_agent_leaves_running_when_it_ends_is_ended(
    project: Project, confinement: str
) -> None:
    leaves = program(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    os.close(1); os.close(2)\n"
        "    time.sleep(600)\n"
        "print('done')"
    )
    run = start(project.root, leaves, settings={"confinement": confinement}).wait_finished()
    assert run.status.sessions[0].status is Status.COMPLETED
    assert leftovers.of_session(run.folder.run_id, run.sessions[0].session_id) == []


@pytest.mark.parametrize("confinement", ["auto", "off"])
@pytest.mark.parametrize("agent", [WAITS, WITH_CHILDREN], ids=["alone", "with children"])
def test_a_session_process_that_is_killed_is_lost_and_the_run_ends_in_a_synthesis(
    project: Project, agent: object, confinement: str
) -> None:
    run = start(project.root, agent, WAITS, FINDS, settings={"confinement": confinement})
    run.wait_ready(0, 1)
    run.wait_for(2, Status.COMPLETED)
    kill(run.sessions[0])
    # Nobody watches here: the next one out settles it.
    assert cancel_session(run.sessions[1])
    run.wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.LOST
    assert leftovers.of_session(run.folder.run_id, run.sessions[0].session_id) == []
    assert "ready" in run.result().head
    assert "1 of 3 sessions completed, 1 failed, 1 cancelled" in body_of(run.text)


def test_when_the_last_session_process_is_killed_the_next_to_look_finishes_the_run(
    project: Project,
) -> None:
    run = start(project.root, FINDS, WAITS)
    run.wait_ready(1)
    run.wait_for(0, Status.COMPLETED)
    kill(run.sessions[1])
    assert run.status.sessions[1].status is Status.RUNNING
    move_on(run.folder)
    run.wait_finished()
    assert run.status.sessions[1].status is Status.FAILED
    assert len(run.orchestrators) == 1
    assert run.status.delivered


def test_an_orchestrator_that_is_killed_leaves_the_digest(project: Project) -> None:
    run = start(project.root, FINDS, FINDS, orchestrator=WAITS)
    run.wait(lambda: run.orchestrators and "ready" in read(run.orchestrators[0].output))
    kill(run.orchestrators[0])
    move_on(run.folder)
    run.wait_finished()
    assert "because the orchestrator boss failed: its session process was killed" in run.text
    assert run.status.delivered


@pytest.mark.parametrize("confinement", ["auto", "off"])
def test_an_agent_that_is_killed_is_crashed(project: Project, confinement: str) -> None:
    settings = {"confinement": confinement, "prove": False}  # no tests beside the agents
    run = start(project.root, WAITS, FINDS, settings=settings)
    run.wait_ready(0)
    *_, pid = leftovers.of_session(run.folder.run_id, run.sessions[0].session_id)
    os.kill(pid, signal.SIGKILL)
    run.wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.CRASHED
    assert "SIGKILL" in failure.message
    assert run.status.delivered


def test_a_session_process_that_somebody_else_ends_is_lost(project: Project) -> None:
    run = start(project.root, WAITS)
    run.wait_ready(0)
    process = runs.process(run.sessions[0])
    assert process is not None
    os.kill(process.pid, signal.SIGTERM)
    run.wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.LOST


def test_an_agent_that_says_nothing_has_failed(project: Project) -> None:
    run = start(project.root, says(" \n"), FINDS).wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.EMPTY_OUTPUT


def test_a_failing_orchestrator_leaves_the_digest_and_says_why(project: Project) -> None:
    fails = program("import sys; print('<!-- quota --> gone', file=sys.stderr); sys.exit(1)")
    run = start(project.root, FINDS, FINDS, orchestrator=fails).wait_finished()
    assert run.orchestrator.status is Status.FAILED
    body = body_of(run.text)
    assert "By digest, " in body
    assert "because the orchestrator boss failed: " in body
    assert "exited with 1: &lt;!-- quota --> gone" in body
    assert "run `orchestrateDebugRun` with `force`" in body
    assert "the word of agent1, the word of agent2 and the words of the task" in body
    assert "The tax is subtracted" in body
    assert run.status.delivered


def test_a_cancelled_orchestrator_delivers_nothing_and_force_tries_again(project: Project) -> None:
    stubborn_once = program(
        "import os, sys\n"
        "try: os.mkdir(sys.argv[1])\n"
        "except FileExistsError: print(sys.argv[2]); sys.exit()\n"
        "import time; print('ready', flush=True); time.sleep(600)",
        made(project.root.parent / "once") / "file",
        block(SYNTHESIS),
        writes=[project.root.parent / "once"],
    )
    run = start(project.root, FINDS, FINDS, orchestrator=stubborn_once)
    run.wait(lambda: run.orchestrators and "ready" in read(run.orchestrators[0].output))
    assert cancel_session(run.orchestrators[0])
    run.wait_finished()
    assert region_of(run.text) is None
    assert not gate.orchestrate(run.folder)[1]
    assert gate.orchestrate(run.folder, force=True)[1]
    run.wait_finished()
    assert "By boss" in body_of(run.text)


def test_force_makes_a_second_orchestrator_and_the_first_synthesis_stays_in_the_file(
    project: Project,
) -> None:
    counts = program(
        "import json, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text((path.read_text() if path.exists() else '') + 'x')\n"
        "said = json.loads(sys.argv[2])\n"
        "said['rootCause'] = f'Conclusion {len(path.read_text())}.'\n"
        "print('```json', json.dumps(said), '```', sep='\\n')",
        made(project.root.parent / "count") / "file",
        block(SYNTHESIS).split("\n")[1],
        writes=[project.root.parent / "count"],
    )
    run = start(project.root, FINDS, FINDS, orchestrator=counts).wait_finished()
    first = run.orchestrator.session_id
    assert gate.orchestrate(run.folder) == (first, False)
    second, is_new = gate.orchestrate(run.folder, force=True)
    assert is_new
    run.wait_finished()
    assert [session.session_id for session in run.orchestrators] == [first, second]
    now, _, earlier = body_of(run.text).partition("<details>")
    assert "Conclusion 2." in now
    assert "Conclusion 1." not in now
    assert f"<summary>Earlier synthesis: run {run.folder.run_id}, " in earlier
    assert "> Conclusion 1." in earlier
    assert run.text.count("bug-lsp:begin") == 1


def repairing(second: str) -> object:
    """An orchestrator whose first block is not valid; asked again it says `second`."""
    code = (
        "import sys\n"
        "again = '# What to do next' in sys.stdin.read()\n"
        "print(sys.argv[2] if again else sys.argv[1])"
    )
    first = '## Root cause\n\nIn my words.\n\n```json\n{"rootCause": 1}\n```'
    return program(code, first, second)


def test_a_closing_block_that_is_not_valid_is_repaired_once(project: Project) -> None:
    boss = repairing(block(SYNTHESIS))
    run = start(project.root, FINDS, FINDS, orchestrator=boss).wait_finished()
    body = body_of(run.text)
    assert "The tax is subtracted at shop/tax.py:3." in body
    assert "was not valid" not in body
    assert run.orchestrators[0].output.read_text().count("In my words.") == 1


@pytest.mark.parametrize("second", ['```json\n{"rootCause": 2}\n```', "I cannot."])
def test_a_block_that_is_not_valid_twice_gives_way_to_the_text_and_that_is_said(
    project: Project, second: str
) -> None:
    run = start(project.root, FINDS, FINDS, orchestrator=repairing(second)).wait_finished()
    body = body_of(run.text)
    assert "## Root cause\n\nIn my words. *(unverified)*\n" in body
    assert "Its closing block was not valid (" in body
    assert "shown as it stands" in body
    assert run.orchestrator.status is Status.COMPLETED


@pytest.mark.fault(16)
def test_what_the_user_writes_meanwhile_stays_as_it_is(project: Project, tmp_path: Path) -> None:
    task = project.task("# Prices\r\n\r\nToo low.\r\n")
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, FINDS, stile.agent(), task=task)
        run.wait_ready(1)
        written = (
            "# Prices\r\n\r\nToo low, \u2028 since\x0c Monday\x85.\r\n\r\n```\n<!-- bug-lsp:end -->"
        )
        task.write_bytes(written.encode())
        task.chmod(0o640)
        stile.let_go()
        run.wait_finished()
    assert run.text.startswith(written)
    assert region_of(run.text) is not None
    assert task.stat().st_mode & 0o777 == 0o640


@pytest.mark.fault(16)
def test_a_task_file_that_is_deleted_meanwhile_ends_the_run_with_a_reason(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, FINDS, stile.agent())
        run.wait_ready(1)
        run.task.unlink()
        stile.let_go()
        run.wait_finished()
    assert not run.status.delivered
    record = runs.delivered(run.folder, run.orchestrator.session_id)
    assert record is not None
    assert record.problem is not None
    assert "does not exist" in record.problem
    assert not run.task.exists()
    assert "Traceback" not in run.orchestrators[0].log.read_text()


def test_two_runs_at_once_on_one_task_both_end_in_the_file(
    project: Project, tmp_path: Path
) -> None:
    task = project.task()
    with turnstile(tmp_path / "turnstile") as stile:
        both = [start(project.root, FINDS, stile.agent(), task=task) for _ in range(2)]
        for run in both:
            run.wait_ready(1)
        stile.let_go(2)
        for run in both:
            run.wait_finished()
    text = both[0].text
    assert text.count("bug-lsp:begin") == 1
    assert text.count("## Root cause") == 2
    found = region_of(text)
    assert found is not None
    other = next(run.folder.run_id for run in both if run.folder.run_id != found[0])
    assert f"<summary>Earlier synthesis: run {other}, " in text
    assert [run.status.delivered for run in both] == [True, True]


def test_a_second_run_of_the_task_keeps_the_first_ones_synthesis(project: Project) -> None:
    task = project.task()
    first = start(project.root, FINDS, task=task).wait_finished()
    prompts = start(project.root, says("Nothing new."), task=task).wait_finished()
    assert f"<summary>Earlier synthesis: run {first.folder.run_id}, " in prompts.text
    assert "Nothing new." in body_of(prompts.text).partition("<details>")[0]


def test_a_running_run_is_not_deleted_and_of_a_deleted_one_nothing_is_left(
    project: Project,
) -> None:
    run = start(project.root, FINDS, WAITS)
    run.wait_ready(1)
    run.wait_for(0, Status.COMPLETED)
    running = run.sessions[1].session_id
    with pytest.raises(Refused, match=rf"session {running} is still running; cancel it first"):
        delete_run(run.folder)
    assert run.status.sessions[1].status is Status.RUNNING
    cancel_run(run.folder)
    run.wait_finished()
    assert delete_run(run.folder)
    assert not delete_run(run.folder)
    workspace = run.folder.workspace
    assert [*workspace.runs.iterdir(), *workspace.active.iterdir()] == []
    assert list(workspace.tasks.glob("*/*")) == []
    with pytest.raises(Refused, match=f"there is no debug run {run.folder.run_id}"):
        gate.orchestrate(run.folder)


@pytest.mark.parametrize("confinement", ["auto", "off"])
def test_a_run_that_was_killed_can_be_deleted_although_nobody_settled_it(
    project: Project, confinement: str
) -> None:
    run = start(project.root, WAITS, settings={"confinement": confinement})
    run.wait_ready(0)
    kill(run.sessions[0])
    for pid in leftovers.of_session(run.folder.run_id, run.sessions[0].session_id):
        os.kill(pid, signal.SIGKILL)  # in a sandbox it is gone already
    assert delete_run(run.folder)


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def kill(session: object) -> None:
    """Kill a session process and wait until it is gone. It is a child of nobody here."""
    process = runs.process(session)
    assert process is not None
    descriptor = os.pidfd_open(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""

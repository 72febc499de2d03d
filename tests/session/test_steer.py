"""Steering a run: the roster grows, the gate still fires once for what there is."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from bug_lsp.agents import registry
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.run import AgentChoice, CustomAgent, Status
from bug_lsp.session import cancel, gate, inbox, steer
from bug_lsp.store import runs
from bug_lsp.store.layout import WorkspaceFolder
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, EXITS_3, FINDS, WAITS, Started, start, turnstile

FINDS_CHOICE = AgentChoice(agent_type="finds")
CUSTOM = {"finds": FINDS, "exits": EXITS_3}


def conclusions(run: Started) -> int:
    return len(run.orchestrators)


def test_a_failed_session_is_retried_with_another_agent_and_the_synthesis_revised(
    project: Project,
) -> None:
    run = start(project.root, FINDS, EXITS_3).wait_finished()
    first = run.orchestrator.session_id
    assert "degraded: 1 of 2 sessions completed, 1 failed" in run.text

    new = steer.retry(run.sessions[1], FINDS_CHOICE, CUSTOM)
    run.wait_finished()

    status = run.status
    assert [session.session_id for session in status.sessions][2] == new
    assert status.sessions[1].retried_by == new
    assert status.sessions[2].title == "Debug (3): Prices are too low"
    assert (status.total_count, status.completed_count, status.failed_count) == (2, 2, 0)
    assert conclusions(run) == 2
    assert run.orchestrator.session_id != first
    text = run.text
    assert text.count("<!-- bug-lsp:begin") == 1
    current, _, earlier = text.partition("<details>")
    assert "degraded" not in current
    assert "degraded: 1 of 2" in earlier, "the earlier synthesis stays reachable"
    assert steer.retry(run.sessions[2], None, CUSTOM), "the one in its place may be retried again"
    run.wait_finished()


def test_a_session_is_retried_once_only_and_not_while_it_runs(project: Project) -> None:
    run = start(project.root, WAITS, EXITS_3)
    run.wait_ready(0)
    with pytest.raises(Refused, match="has not ended; cancel it first"):
        steer.retry(run.sessions[0], None, {})
    run.wait_for(1, Status.FAILED)
    steer.retry(run.sessions[1], None, {})
    with pytest.raises(Refused, match="was retried already"):
        steer.retry(run.sessions[1], None, {})
    cancel.cancel_session(run.sessions[0])
    run.wait_finished()
    assert conclusions(run) == 1, "nobody had concluded before"


def test_an_orchestrator_is_not_retried_but_forced(project: Project) -> None:
    run = start(project.root, FINDS, FINDS).wait_finished()
    with pytest.raises(Refused, match="orchestrateDebugRun with force"):
        steer.retry(run.orchestrators[0], None, {})


def test_an_agent_is_added_to_a_run_that_goes_on_and_waited_for(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "gate") as gates:
        run = start(project.root, gates.agent(), FINDS)
        run.wait_ready(0)
        added = steer.add_agent(run.folder, FINDS_CHOICE, CUSTOM)
        run.wait_for(2, Status.COMPLETED)
        assert conclusions(run) == 0
        gates.let_go()
        run.wait_finished()
    assert conclusions(run) == 1
    assert added in (run.folder.session(run.orchestrator.session_id).prompt.read_text())
    assert (run.folder.session(added).prompt.read_bytes()) == run.sessions[0].prompt.read_bytes()


def test_an_agent_added_to_a_run_of_one_makes_it_a_run_with_an_orchestrator(
    project: Project,
) -> None:
    run = start(project.root, FINDS).wait_finished()
    assert conclusions(run) == 0
    steer.add_agent(run.folder, FINDS_CHOICE, CUSTOM)
    run.wait_finished()
    assert conclusions(run) == 1
    assert run.status.total_count == 2


def test_many_who_add_at_once_are_all_added_and_the_gate_fires_once(project: Project) -> None:
    run = start(project.root, WAITS, FINDS)
    run.wait_ready(0)
    adders = [
        threading.Thread(target=steer.add_agent, args=(run.folder, FINDS_CHOICE, CUSTOM))
        for _ in range(4)
    ]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    cancel.cancel_session(run.sessions[0])
    run.wait_finished()
    assert run.status.total_count == 6
    assert run.status.completed_count == 5
    assert conclusions(run) == 1


def test_unknown_missing_and_too_many_agents_are_refused(project: Project) -> None:
    run = start(project.root, FINDS, FINDS).wait_finished()
    with pytest.raises(BadInput, match="there is no agent 'nobody'"):
        steer.add_agent(run.folder, AgentChoice(agent_type="nobody"), {})
    assert conclusions(run) == 1
    assert run.status.total_count == 2


def test_synthesise_now_ends_what_goes_on_and_says_so(project: Project) -> None:
    run = start(project.root, WAITS, FINDS, WAITS, settings={"max_parallel_agents": 2})
    run.wait_ready(0)
    run.wait_for(1, Status.COMPLETED)
    ended = steer.synthesise_now(run.folder)
    run.wait_finished()
    assert ended == [run.sessions[0].session_id, run.sessions[2].session_id]
    assert conclusions(run) == 1
    assert "degraded: 1 of 3 sessions completed, 2 cancelled" in run.text
    assert steer.synthesise_now(run.folder) == []
    run.wait_finished()
    assert conclusions(run) == 1, "asked again it is the same"


def test_synthesise_now_works_where_nothing_would_start_by_itself(project: Project) -> None:
    run = start(project.root, FINDS, FINDS, orchestrate="never").wait_finished()
    assert conclusions(run) == 0
    steer.synthesise_now(run.folder)
    assert conclusions(run.wait_finished()) == 1
    single = start(project.root, WAITS, title="Alone", orchestrator=CONCLUDES)
    single.wait_ready(0)
    steer.synthesise_now(single.folder)
    assert conclusions(single.wait_finished()) == 1


def test_a_cancelled_run_is_taken_up_again_by_a_retry(project: Project) -> None:
    run = start(project.root, WAITS, FINDS)
    run.wait_ready(0)
    cancel.cancel_run(run.folder)
    run.wait_finished()
    assert conclusions(run) == 0
    steer.retry(run.sessions[0], FINDS_CHOICE, CUSTOM)
    assert conclusions(run.wait_finished()) == 1


def test_only_an_agent_that_can_hear_is_spoken_to(project: Project) -> None:
    run = start(project.root, WAITS, FINDS)
    run.wait_ready(0)
    with pytest.raises(Refused, match="agent1 cannot be spoken to while it works"):
        steer.tell(run.sessions[0], "look at the tax")
    with pytest.raises(BadInput, match="text: is empty"):
        steer.tell(run.sessions[0], "  ")
    run.wait_for(1, Status.COMPLETED)
    with pytest.raises(Refused, match="is not running"):
        steer.tell(run.sessions[1], "hello")


@pytest.mark.anyio
async def test_who_has_answered_for_the_last_time_hears_nothing_more_and_loses_nothing(
    tmp_path: Path,
) -> None:
    session = WorkspaceFolder.of(tmp_path).run("0" * 16).session("0" * 12)
    async with inbox.opened(session) as messages:
        inbox.put(session, "the tax")
        inbox.put(session, "the sign")
        assert await messages.next() == "the tax"
        inbox.put(session, "and the name")
        assert messages.last_call() == "the sign\n\nand the name"
        assert messages.last_call() is None
    with pytest.raises(Refused, match="has just given its answer"):
        inbox.put(session, "too late")


@pytest.mark.anyio
async def test_of_many_who_speak_at_the_end_each_is_heard_or_refused(
    tmp_path: Path,
) -> None:
    session = WorkspaceFolder.of(tmp_path).run("0" * 16).session("0" * 12)
    said: list[str] = []

    def speak(text: str) -> None:
        with contextlib.suppress(Refused):
            inbox.put(session, text)
            said.append(text)

    heard: list[str] = []
    speakers = [threading.Thread(target=speak, args=(f"{number}",)) for number in range(20)]
    async with inbox.opened(session) as messages:
        for speaker in speakers:
            speaker.start()
        heard.append(await messages.next())
        while (text := messages.last_call()) is not None:
            heard += text.split()
    for speaker in speakers:
        speaker.join()
    assert sorted(heard) == sorted(said)


@pytest.mark.parametrize(
    ("name", "steerable"),
    [("codex", True), ("claude", True), ("gemini", True), ("spectrum", False), ("mine", True)],
)
def test_agents_that_talk_can_be_spoken_to(name: str, *, steerable: bool) -> None:
    custom = {"mine": CustomAgent(type="acp", command=("x",))}
    assert registry.is_steerable(name, custom) is steerable


def test_orchestrating_again_after_a_retry_is_not_the_same_synthesis(project: Project) -> None:
    run = start(project.root, FINDS, EXITS_3, orchestrate="never").wait_finished()
    first, new = gate.orchestrate(run.folder)
    assert new
    run.wait_finished()
    assert gate.orchestrate(run.folder) == (first, False)
    steer.retry(run.sessions[1], FINDS_CHOICE, CUSTOM)
    run.wait_all_terminal()
    second, new = gate.orchestrate(run.folder)
    assert new
    assert second != first
    run.wait_finished()


def test_the_run_as_it_was_asked_for_is_never_written_again(project: Project) -> None:
    run = start(project.root, FINDS, EXITS_3).wait_finished()
    before = run.folder.run.read_bytes()
    steer.retry(run.sessions[1], FINDS_CHOICE, CUSTOM)
    run.wait_finished()
    assert run.folder.run.read_bytes() == before
    assert len(runs.load(run.folder).roster) == 3

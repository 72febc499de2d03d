"""ACP agents that behave oddly: a small one of ours, which does as it is told."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents import registry
from bug_lsp.agents.acp.agent import Acp
from bug_lsp.agents.acp.presets import AcpAgent, of_the_user
from bug_lsp.agents.base import Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, Text, ToolCall, ToolResult, Usage
from bug_lsp.domain.run import CustomAgent
from tests.agents.recorder import Recorder

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("acp_agent.py")


def agent(behaviour: str, argument: object = "") -> AcpAgent:
    command = (sys.executable, str(PROGRAM), behaviour, str(argument))
    return of_the_user("odd", CustomAgent(type="acp", command=command))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "copy" / "package"
    folder.mkdir(parents=True)
    return Job(
        prompt="Où est le bug ?",
        cwd=folder,
        copy=tmp_path / "copy",
        workspace=tmp_path,
        scratch=tmp_path / "scratch",
    )


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert running() == []


def running() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and str(PROGRAM) in child.cmdline()
    ]


async def failure(agent: AcpAgent, job: Job, said: Recorder) -> AgentFailure:
    with pytest.raises(AgentFailure) as raised, anyio.fail_after(30):
        await Acp(agent).run(job, said)
    assert "\n" not in raised.value.message
    return raised.value


async def test_it_works_in_the_mode_that_asks_and_reads_in_the_one_that_changes_nothing(
    job: Job, said: Recorder
) -> None:
    assert (await Acp(agent("modes")).run(job, said)).text == "I am in default."
    only_reading = replace(job, read_only=True)
    assert (await Acp(agent("modes")).run(only_reading, said)).text == "I am in plan."
    assert "mode is" not in said.text


async def test_what_is_inside_is_allowed_once_and_what_is_outside_refused_and_recorded(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.py"
    (job.cwd / "link").symlink_to(tmp_path)
    answer = await Acp(agent("asks", outside)).run(job, said)
    assert answer.text.splitlines() == [
        "write inside: once",
        "write outside: no",
        "dots: no",
        "link: no",
        "argument: no",
        "shell: once",
        "read: once",
        "only always: no",
        "mode: no",
        "no way to refuse: cancelled",
    ]
    refused = [event.message for event in said.of(Error)]
    assert len(refused) == 7
    assert refused[0] == (
        f"Refused edit outside.py: {str(outside)!r} is outside of this session's copy"
    )
    assert [event.detail for event in said.of(ToolCall) if event.name == "shell"] == ["ls /"]


async def test_a_session_that_only_reads_may_only_read(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    answer = await Acp(agent("asks", tmp_path / "x")).run(replace(job, read_only=True), said)
    allowed = [line for line in answer.text.splitlines() if line.endswith(": once")]
    assert allowed == ["read: once"]


async def test_one_that_stops_where_it_is_refused_something_is_told_to_go_on(
    job: Job, said: Recorder
) -> None:
    assert (await Acp(agent("sulks", 2)).run(job, said)).text == "It is line 2."
    assert len(said.of(Error)) == 2


async def test_one_that_is_only_ever_refused_is_not_told_for_ever(job: Job, said: Recorder) -> None:
    await Acp(agent("sulks", 1000)).run(job, said)
    assert len(said.of(Error)) == 6


async def test_a_tool_that_is_only_reported_at_its_end_is_reported_once(
    job: Job, said: Recorder
) -> None:
    answer = await Acp(agent("updates")).run(job, said)
    assert answer.text == "Made."
    assert [(call.name, call.detail) for call in said.of(ToolCall)] == [
        ("shell", "make a"),
        ("shell", "make b"),
    ]
    assert [(result.ok, result.output) for result in said.of(ToolResult)] == [
        (True, "made a"),
        (False, "made b"),
    ]


async def test_the_answer_is_the_last_message_and_a_helpers_words_are_not_its_own(
    job: Job, said: Recorder
) -> None:
    answer = await Acp(agent("helpers")).run(job, said)
    assert answer.text == "Second message."
    assert said.text == "First message.\n\nSecond message."


async def test_tokens_and_cost_are_counted_over_all_turns(job: Job, said: Recorder) -> None:
    replies = iter(["And now?", None])
    answer = await Acp(agent("counts")).run(
        replace(job, follow_up=lambda _answer: next(replies)), said
    )
    assert answer.text == "Counted."
    assert answer.usage == Usage(input_tokens=2600, output_tokens=100, cost_usd=0.25)
    assert said.of(Usage)[0] == Usage(input_tokens=700, output_tokens=0, cost_usd=0.25)


async def test_a_message_of_20_mb_is_taken(job: Job, said: Recorder) -> None:
    with anyio.fail_after(30):
        answer = await Acp(agent("floods")).run(job, said)
    assert len(said.text) == 20_000_000
    assert len(answer.text) < 2_000_000


async def test_a_message_without_end_is_not(job: Job, said: Recorder) -> None:
    failed = await failure(agent("endless"), job, said)
    assert failed.kind is FailureKind.INTERNAL
    assert "a message of more than 64 MB" in failed.message


async def test_what_is_no_message_is_passed_over(job: Job, said: Recorder) -> None:
    assert (await Acp(agent("babbles")).run(job, said)).text == "All the same."


async def test_one_that_dies_in_the_middle_has_crashed(job: Job, said: Recorder) -> None:
    failed = await failure(agent("dies"), job, said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.endswith("was ended by SIGKILL: it was too much")
    assert said.text == "I am about to"


async def test_one_that_ends_is_noticed_although_its_child_holds_its_pipes(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    started = time.monotonic()
    failed = await failure(agent("leaves", tmp_path / "pid"), job, said)
    assert time.monotonic() - started < 10
    psutil.Process(int((tmp_path / "pid").read_text())).kill()
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.endswith("process exited with 3")


async def test_one_that_closes_its_output_has_failed(job: Job, said: Recorder) -> None:
    failed = await failure(agent("closes"), job, said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.endswith("process closed its output")


async def test_one_that_tries_a_refused_login_for_ever_is_stopped(job: Job, said: Recorder) -> None:
    failed = await failure(agent("vain"), job, said)
    assert failed.kind is FailureKind.AUTH
    assert failed.message.startswith("odd is not logged in: log in with ")


@pytest.mark.parametrize(
    ("behaviour", "argument", "kind"),
    [
        ("locked", "", FailureKind.AUTH),
        ("newer", "", FailureKind.INTERNAL),
        ("fails", "401", FailureKind.AUTH),
        ("fails", "429", FailureKind.RATE_LIMIT),
        ("fails", "-32603", FailureKind.INTERNAL),
        ("stops", "max_tokens", FailureKind.CONTEXT),
        ("stops", "max_turn_requests", FailureKind.QUOTA),
        ("stops", "refusal", FailureKind.NOT_APPLICABLE),
        ("stops", "cancelled", FailureKind.INTERNAL),
        ("unheard_of", "", FailureKind.INTERNAL),
    ],
)
async def test_each_way_to_fail_has_its_kind(
    behaviour: str, argument: str, kind: FailureKind, job: Job, said: Recorder
) -> None:
    assert (await failure(agent(behaviour, argument), job, said)).kind is kind


async def test_one_that_never_gets_ready_is_given_up(job: Job, said: Recorder) -> None:
    with pytest.raises(AgentFailure) as raised, anyio.fail_after(30):
        await Acp(agent("waits"), ready_seconds=2).run(job, said)
    assert raised.value.kind is FailureKind.TIMEOUT
    assert raised.value.message.startswith("odd was not ready within 2 s: run `")


async def test_cancelling_tells_the_agent_and_waits_for_its_word(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Acp(agent("obeys", told)).run, job, said)
        await said.wait_for(Text)
        tasks.cancel_scope.cancel()
    assert told.read_text() == "cancelled"


async def test_cancelling_one_that_listens_to_nothing_takes_seconds(
    job: Job, said: Recorder
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Acp(agent("deaf")).run, job, said)
        await said.wait_for(Text)
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("seconds", [0, 0.05, 0.2, 0.6, 1.2])
async def test_cancelling_while_it_starts_leaves_nothing(
    seconds: float, job: Job, said: Recorder
) -> None:
    started = time.monotonic()
    with anyio.move_on_after(seconds):
        await Acp(agent("deaf")).run(job, said)
    assert time.monotonic() - started < seconds + 5


def script(folder: Path, text: str) -> str:
    folder.mkdir(exist_ok=True)
    program = folder / "agent"
    program.write_text(text)
    program.chmod(0o755)
    return str(program)


async def test_a_program_that_is_not_there_is_not_installed(job: Job, said: Recorder) -> None:
    custom = CustomAgent(type="acp", command=("no-such-agent",))
    failed = await failure(of_the_user("mine", custom), job, said)
    assert failed.kind is FailureKind.NOT_INSTALLED
    assert failed.message == (
        "no-such-agent was not found: install it or correct `agents` in your settings"
    )


async def test_a_program_that_lacks_node_says_so(job: Job, said: Recorder, tmp_path: Path) -> None:
    program = script(tmp_path / "bin", "#!/usr/bin/env node\n")
    custom = CustomAgent(type="acp", command=(program,), env={"PATH": str(tmp_path / "bin")})
    failed = await failure(of_the_user("mine", custom), job, said)
    assert failed.kind is FailureKind.NOT_INSTALLED
    assert "node, which it needs, is not on PATH" in failed.message


async def test_a_program_in_the_working_folder_is_not_taken_for_the_agent(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    script(job.cwd, f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    custom = CustomAgent(type="acp", command=("agent",), env={"PATH": f".{os.pathsep}/nowhere"})
    failed = await failure(of_the_user("mine", custom), job, said)
    assert failed.kind is FailureKind.NOT_INSTALLED
    assert not (tmp_path / "ran").exists()


async def test_a_program_that_speaks_another_language_has_failed(job: Job, said: Recorder) -> None:
    custom = CustomAgent(type="acp", command=("/bin/echo", "Hello, what can I do for you?"))
    assert (await failure(of_the_user("mine", custom), job, said)).kind is FailureKind.CRASHED


async def test_an_agent_from_the_settings_needs_no_code(job: Job, said: Recorder) -> None:
    command = (sys.executable, str(PROGRAM), "modes")
    custom = {"mine": CustomAgent(type="acp", command=command)}
    assert "mine" in registry.known(custom)
    assert registry.installed("mine", custom)
    assert (await registry.create("mine", custom).run(job, said)).text == "I am in default."


async def test_a_model_that_is_not_offered_is_not_replaced_by_another(
    job: Job, said: Recorder
) -> None:
    failed = await failure(agent("modes"), replace(job, model="best"), said)
    assert failed.kind is FailureKind.NOT_APPLICABLE
    assert failed.message == "odd does not offer the model 'best'"

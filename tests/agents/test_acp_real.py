"""The real Gemini and OpenCode, at the versions of `tests/agent_clis`, on the scripted model."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
import pytest

from bug_lsp.agents import registry
from bug_lsp.agents.base import Answer, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, FileEdit, Text, Thinking, ToolCall, ToolResult
from tests.acp_homes import write_gemini_home, write_opencode_home
from tests.agents.recorder import Recorder
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

BUGGY, FIXED = "    return a - b", "    return a + b"
HOMES = {"gemini": write_gemini_home, "opencode": write_opencode_home}
NAMES = {"gemini": "Gemini", "opencode": "OpenCode"}
TEST = f"{sys.executable} -c 'import calc; assert calc.add(1, 2) == 3; print(\"it adds\")'"


@dataclass
class Case:
    """One agent, its work, and what it says."""

    name: str
    job: Job
    said: Recorder
    model: ScriptedModel

    def script(self, *steps: dict[str, object]) -> None:
        self.model.load(self.name, {"cwd": str(self.job.cwd), "steps": list(steps)})

    async def run(self, **changed: object) -> Answer:
        with anyio.fail_after(90):
            return await registry.create(self.name, {}).run(replace(self.job, **changed), self.said)

    async def fail(self, **changed: object) -> AgentFailure:
        with pytest.raises(AgentFailure) as raised:
            await self.run(**changed)
        assert "\n" not in raised.value.message
        return raised.value

    @property
    def file(self) -> Path:
        return self.job.cwd / "calc.py"


@pytest.fixture(params=list(HOMES))
def case(request: pytest.FixtureRequest, tmp_path: Path, model: ScriptedModel) -> Iterator[Case]:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / ".git").mkdir()
    (copy / "calc.py").write_text(f"def add(a, b):\n{BUGGY}\n")
    name = request.param
    job = Job(
        prompt="Find the bug.",
        cwd=copy,
        copy=copy,
        workspace=tmp_path,
        scratch=tmp_path / "scratch",
        env=HOMES[name](tmp_path / "agent", model.url(name)),
    )
    yield Case(name, job, Recorder(), model)
    assert agents() == []


def agents() -> list[psutil.Process]:
    """The agent itself; what its tools leave behind is the session's to end."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
        and {"--acp", "acp"} & set(process.cmdline()[:4])
    ]


def shell(command: str) -> dict[str, object]:
    return {"tools": [{"kind": "shell", "command": command}]}


def write(path: Path) -> dict[str, object]:
    return {"tools": [{"kind": "write", "path": str(path), "content": "x\n"}]}


READ = {"tools": [{"kind": "read", "path": "calc.py"}]}
EDIT = {"tools": [{"kind": "edit", "path": "calc.py", "old": BUGGY, "new": FIXED}]}
SLEEP = shell("echo started; sleep 600")


async def test_it_reads_edits_tests_and_answers(case: Case) -> None:
    answer_text = "add() subtracted, and that is the whole cause."
    case.script(
        {"thinking": "Look first.", "text": "I will read it.", **READ},
        EDIT,
        shell(TEST),
        {"text": answer_text},
    )
    answer = await case.run()
    assert answer.text == answer_text
    assert case.said.text == f"I will read it.\n\n{answer_text}"
    assert len(case.said.of(Text)) > 3
    assert "Look first." in "".join(event.text for event in case.said.of(Thinking))
    calls = [(call.name, call.detail) for call in case.said.of(ToolCall)]
    assert calls == [("read", "calc.py"), ("shell", TEST)]
    assert [result.ok for result in case.said.of(ToolResult)] == [True, True]
    assert case.said.of(FileEdit) == [FileEdit(path="calc.py")]
    assert case.file.read_text().splitlines()[1] == FIXED
    assert "it adds" in str(case.model.requests(case.name)[-1]["body"])
    assert answer.usage is not None
    assert answer.usage.input_tokens >= 1000
    assert case.said.of(Error) == []


async def test_what_it_would_write_outside_of_its_copy_is_not_written(
    case: Case, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    case.script(write(outside), {"text": "I could not."})
    assert (await case.run()).text == "I could not."
    assert not outside.exists()
    assert case.said.of(FileEdit) == []
    recorded = [*case.said.of(Error), *(x for x in case.said.of(ToolResult) if not x.ok)]
    assert recorded  # OpenCode asks and is refused by us, Gemini refuses by itself
    if case.name == "opencode":
        assert "is outside of this session's copy" in case.said.of(Error)[0].message


async def test_reading_only_it_changes_nothing(case: Case) -> None:
    case.script(READ, EDIT, shell("echo broken > calc.py"), {"text": "It subtracts."})
    assert (await case.run(read_only=True)).text == "It subtracts."
    assert case.file.read_text().splitlines()[1] == BUGGY
    assert case.said.of(FileEdit) == []


async def test_a_follow_up_goes_on_in_the_same_session(case: Case) -> None:
    case.script({"text": "It is line 2."}, {"text": "Line 2 of calc.py."})
    replies = iter(["Which file?", None])
    answer = await case.run(follow_up=lambda _answer: next(replies))
    assert answer.text == "Line 2 of calc.py."
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2000, 100)
    body = str(case.model.requests(case.name)[-1]["body"])
    assert "It is line 2." in body
    assert "Which file?" in body


async def test_a_refused_login_fails_and_says_how_to_log_in(case: Case) -> None:
    case.script({"http": 401, "times": 50})
    failed = await case.fail()
    assert failed.kind is FailureKind.AUTH
    assert failed.message.startswith(f"{NAMES[case.name]} is not logged in: run `{case.name}")


async def test_no_answer_is_a_failure(case: Case) -> None:
    case.script({"text": "", "times": 20})
    assert (await case.fail()).kind is FailureKind.EMPTY_OUTPUT


async def test_one_that_is_killed_has_crashed(case: Case) -> None:
    case.script({"text": "Well. " * 2000, "delay": 0.05})
    async with anyio.create_task_group() as tasks:

        async def kill() -> None:
            await case.said.wait_for(Text)
            for process in agents():
                process.kill()

        tasks.start_soon(kill)
        failed = await case.fail()
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.startswith(f"The {case.name} process was ended by SIGKILL")


async def test_cancelling_while_a_tool_runs_ends_the_tool_and_the_agent(case: Case) -> None:
    case.script(SLEEP)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(case.run)
        await case.said.wait_for(ToolCall)
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 5
    assert [process for process in mine() if "sleep 600" in " ".join(process.cmdline())] == []


def mine() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
    ]


@pytest.mark.parametrize(
    "step",
    [{"hang": 600}, {"garbage": True}],
    ids=["no answer", "garbage"],
)
async def test_whatever_the_service_does_it_ends_soon_after_it_is_told_to(
    step: dict[str, object], case: Case
) -> None:
    """How long it may take is the session's to decide; here, until the model was asked. More that a
    service may do, and what comes of it, is in `tests/lsp/test_faults.py`.
    """
    case.script({**step, "times": 5000})
    ended: list[BaseException] = []
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            try:
                await case.run()
            except AgentFailure as failure:
                ended.append(failure)

        tasks.start_soon(run)
        await anyio.to_thread.run_sync(case.model.wait_until_asked, case.name)
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 5
    assert all(failure.kind in {FailureKind.RATE_LIMIT, FailureKind.INTERNAL} for failure in ended)

"""The real Codex, from the SDK's wheel, on the scripted model."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents.base import Job
from bug_lsp.agents.codex.agent import Codex, _app_server, _start_thread, _steer, codex_binary
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, Event, FileEdit, Text, Thinking, ToolCall, ToolResult
from tests.agents.recorder import Recorder
from tests.agents.user import User
from tests.codex_home import write_codex_home
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

BUGGY, FIXED = "    return a - b", "    return a + b"


@pytest.fixture
def job(tmp_path: Path, model: ScriptedModel) -> Job:
    copy = tmp_path / "copy"
    folder = copy / "package"
    folder.mkdir(parents=True)
    (folder / "calc.py").write_text(f"def add(a, b):\n{BUGGY}\n")
    return Job(
        prompt="Find the bug.",
        cwd=folder,
        copy=copy,
        workspace=tmp_path,
        scratch=tmp_path,
        env=write_codex_home(tmp_path / "home", model.url("codex")),
    )


def script(model: ScriptedModel, job: Job, *steps: dict[str, object]) -> None:
    model.load("codex", {"cwd": str(job.cwd), "steps": list(steps)})


def shell(command: str) -> dict[str, object]:
    return {"tools": [{"kind": "shell", "command": command}]}


EDIT = {"tools": [{"kind": "edit", "path": "calc.py", "old": BUGGY, "new": FIXED}]}
SLEEP = shell("echo started; sleep 600")


def codex_processes() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE and "codex" in process.name()
    ]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def write(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


async def failure(job: Job, said: Recorder) -> AgentFailure:
    with pytest.raises(AgentFailure) as raised, anyio.fail_after(20):
        await Codex().run(job, said)
    return raised.value


async def test_it_reads_edits_and_answers(model: ScriptedModel, job: Job, said: Recorder) -> None:
    script(
        model,
        job,
        {"thinking": "Look first.", "text": "I will read it.", **shell("cat calc.py; exit 3")},
        EDIT,
        {"text": "add() subtracted."},
    )
    answer = await Codex().run(job, said)
    assert answer.text == "add() subtracted."
    assert said.text == "I will read it.\n\nadd() subtracted."
    assert [event.text for event in said.of(Thinking)] == ["Look first."]
    (call,) = said.of(ToolCall)
    (result,) = said.of(ToolResult)
    assert (call.name, call.detail) == ("shell", "cat calc.py; exit 3")
    assert (result.ok, result.output) == (False, f"def add(a, b):\n{BUGGY}\n")
    assert said.of(FileEdit) == [FileEdit(path="package/calc.py")]
    assert FIXED in (job.cwd / "calc.py").read_text()
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3000, 150)
    assert codex_processes() == []


async def test_the_answer_arrives_in_pieces(model: ScriptedModel, job: Job, said: Recorder) -> None:
    text = "The cause is a wrong operator. " * 8
    script(model, job, {"text": text})
    answer = await Codex().run(job, said)
    assert answer.text == said.text == text
    assert len(said.of(Text)) >= 5


async def test_all_of_the_copy_may_be_written_from_a_folder_inside_it(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, shell("echo done > ../at_the_root"), {"text": "Done."})
    await Codex().run(job, said)
    assert (job.copy / "at_the_root").read_text() == "done\n"


async def test_reading_only_refuses_edits(model: ScriptedModel, job: Job, said: Recorder) -> None:
    script(model, job, EDIT, shell("echo broken > calc.py"), {"text": "I could not."})
    answer = await Codex().run(replace(job, read_only=True), said)
    assert answer.text == "I could not."
    assert BUGGY in (job.cwd / "calc.py").read_text()
    assert "Read-only file system" in str(model.requests("codex")[2]["body"])
    assert said.of(FileEdit) == []


async def test_nothing_outside_the_copy_can_be_written(
    model: ScriptedModel, job: Job, said: Recorder, outside: Path
) -> None:
    patch = f"*** Begin Patch\n*** Add File: {outside}/patched\n+x\n*** End Patch\n"
    script(
        model,
        job,
        shell(f"echo x > {outside}/written"),
        {"tools": [{"kind": "raw", "name": "apply_patch", "freeform": patch}]},
        {"text": "I could not."},
    )
    await Codex().run(job, said)
    assert names(outside) == []


async def test_it_uses_the_model_that_was_asked_for(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Done."})
    await Codex().run(replace(job, model="gpt-5.4"), said)
    assert {request["model"] for request in model.requests("codex")} == {"gpt-5.4"}


async def test_a_follow_up_goes_on_in_the_same_conversation(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "It is line 2."}, {"text": "Line 2 of calc.py."})
    replies = iter(["Which file?", None])
    heard: list[str] = []

    def follow_up(answer: str) -> str | None:
        heard.append(answer)
        return next(replies)

    answer = await Codex().run(replace(job, follow_up=follow_up), said)
    assert heard == ["It is line 2.", "Line 2 of calc.py."]
    assert answer.text == "Line 2 of calc.py."
    assert answer.usage is not None
    assert answer.usage.input_tokens == 2000
    second = str(model.requests("codex")[1]["body"])
    assert "Find the bug." in second
    assert "It is line 2." in second
    assert "Which file?" in second


async def test_what_is_said_while_it_gives_its_answer_is_answered_before_the_end(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model,
        job,
        {"text": "It is line 2. " * 40, "delay": 0.05},
        {"text": "It is the sign."},
        {"text": "Never said."},
    )
    user = User()

    async def speak() -> None:
        await said.wait_for(Text)
        user.say("Look at the sign.")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        answer = await Codex().run(replace(job, listen=user.listen), said)
    assert answer.text == "It is the sign."
    bodies = [str(request["body"]) for request in model.requests("codex")]
    assert ["Look at the sign." in body for body in bodies] == [False, True]


async def test_what_comes_too_late_for_its_turn_is_kept_for_the_next(
    model: ScriptedModel, job: Job
) -> None:
    script(model, job, {"text": "It is line 2."})
    unsaid: list[str] = []
    async with _app_server(codex_binary(job.env), job) as client:
        turn = await (await _start_thread(client, job)).turn("Find the bug.")
        async for notification in turn.stream():
            if notification.method == "turn/completed":
                break
        with anyio.fail_after(20):
            await _steer(turn, replace(job, listen=User("Look at the sign.").listen), unsaid)
    assert unsaid == ["Look at the sign."]


async def test_a_refused_login_fails_at_once_and_says_how_to_log_in(
    model: ScriptedModel, job: Job, said: Recorder, tmp_path: Path
) -> None:
    patient = write_codex_home(tmp_path / "patient", model.url("codex"), retries=10)
    script(model, job, {"http": 401, "times": 50})
    started = time.monotonic()
    failed = await failure(replace(job, env=patient), said)
    assert time.monotonic() - started < 5
    assert failed.kind is FailureKind.AUTH
    assert failed.message.startswith("Codex is not logged in: run `codex login`")
    assert "401 Unauthorized" in said.of(Error)[0].message


async def test_a_missing_key_is_a_failed_login(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Never said."})
    env = {name: value for name, value in job.env.items() if name != "SCRIPTED_API_KEY"}
    failed = await failure(replace(job, env=env), said)
    assert failed.kind is FailureKind.AUTH
    assert "SCRIPTED_API_KEY" in failed.message


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"http": 429}, FailureKind.RATE_LIMIT),
        ({"http": 429, "body": {"error": {"type": "usage_limit_reached"}}}, FailureKind.QUOTA),
        (
            {"http": 400, "body": {"error": {"message": "It exceeds the context window."}}},
            FailureKind.CONTEXT,
        ),
        ({"http": 500}, FailureKind.INTERNAL),
        ({"text": "Half an ans", "cut": True}, FailureKind.INTERNAL),
        ({"text": ""}, FailureKind.EMPTY_OUTPUT),
    ],
    ids=["rate limit", "quota", "context", "server error", "stream always cut", "no answer"],
)
async def test_each_way_to_fail_has_its_kind(
    step: dict[str, object], kind: FailureKind, model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {**step, "times": 20})
    failed = await failure(job, said)
    assert failed.kind is kind
    assert failed.message.count("\n") == 0
    assert codex_processes() == []


async def test_a_stream_that_is_cut_once_is_taken_up_again(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Half an ans", "cut": True}, {"text": "A whole answer."})
    assert (await Codex().run(job, said)).text == "A whole answer."
    assert said.of(Error)


async def test_a_killed_codex_is_a_crash(model: ScriptedModel, job: Job, said: Recorder) -> None:
    script(model, job, SLEEP)
    async with anyio.create_task_group() as tasks:

        async def kill() -> None:
            await said.wait_for(ToolCall)
            for process in codex_processes():
                process.kill()

        tasks.start_soon(kill)
        failed = await failure(job, said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.startswith("The codex process ended unexpectedly")


async def test_settings_that_codex_cannot_read_fail_with_its_own_words(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    broken = tmp_path / "broken" / "config.toml"
    write(broken, "model = [")
    failed = await failure(replace(job, env={**job.env, "CODEX_HOME": str(broken.parent)}), said)
    assert "config.toml:1:10" in failed.message


@pytest.mark.parametrize("event", [Text, ToolCall], ids=["while it speaks", "while a tool runs"])
async def test_cancelling_stops_it_within_seconds_and_leaves_nothing(
    event: type[Event], model: ScriptedModel, job: Job, said: Recorder
) -> None:
    speaking = {"text": "Well. " * 2000, "delay": 0.05}
    script(model, job, speaking if event is Text else SLEEP)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Codex().run, job, said)
        await said.wait_for(event)
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 5
    assert codex_processes() == []


@pytest.mark.parametrize("seconds", [0, 0.05, 0.1, 0.2, 0.3])
async def test_cancelling_while_it_starts_leaves_nothing(
    seconds: float, model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, SLEEP)
    started = time.monotonic()
    with anyio.move_on_after(seconds):
        await Codex().run(job, said)
    assert time.monotonic() - started < 5
    assert codex_processes() == []


LEAVING = """\
import anyio
from pathlib import Path
from bug_lsp.agents.base import Job
from bug_lsp.agents.codex.agent import Codex, _app_server, _start_thread, _steer, codex_binary
from bug_lsp.domain.events import ToolCall

async def main():
    def emit(event):
        if isinstance(event, ToolCall):
            scope.cancel()
    job = Job(prompt="x", cwd=Path("."), copy=Path("."), workspace=Path("."), scratch=Path("."))
    with anyio.CancelScope() as scope:
        await Codex().run(job, emit)
    print("cancelled")

anyio.run(main)
"""


async def test_a_process_that_has_cancelled_it_can_exit(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, SLEEP)
    with anyio.fail_after(10):
        left = await anyio.run_process(
            [sys.executable, "-W", "error", "-c", LEAVING],
            cwd=job.cwd,
            env={**os.environ, **job.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert (left.stdout, left.stderr) == (b"cancelled\n", b"")


DEAF = """\
#!{python}
import json, sys
if "--version" in sys.argv:
    sys.exit(print("codex-cli 9.9.9"))
hello = json.loads(sys.stdin.readline())
result = {{"userAgent": "codex/9.9.9", "serverInfo": {{"name": "codex", "version": "9.9.9"}}}}
print(json.dumps({{"id": hello["id"], "result": result}}), "nonsense", sep="\\n", flush=True)
sys.stdin.read()
"""


def test_a_codex_that_no_longer_answers_cannot_keep_us_from_leaving(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "codex"
    write(program, DEAF.format(python=sys.executable))
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"

    async def main() -> None:
        # Whether the SDK has given up reading before or after the next request goes out is a race:
        # after, the request fails; before, it waits for ever, and that is what must not hold us.
        with suppress(AgentFailure), anyio.move_on_after(2):
            await Codex().run(replace(job, env={**job.env, "PATH": path}), said)

    started = time.monotonic()
    asyncio.run(main())  # which waits for every thread that it has started
    assert time.monotonic() - started < 8


async def test_without_a_login_it_fails_at_once_and_says_what_to_do(
    job: Job, said: Recorder, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {**job.env, "CODEX_HOME": str(empty), "OPENAI_API_KEY": "", "CODEX_API_KEY": ""}
    raised = await failure(replace(job, env=env), said)
    assert raised.kind is FailureKind.AUTH
    assert "run `codex login`" in raised.message

"""The real Claude, from the SDK's wheel, on the scripted model."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents.base import Job
from bug_lsp.agents.claude.agent import Claude
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, FileEdit, Text, Thinking, ToolCall, ToolResult
from tests.agents.recorder import Recorder
from tests.agents.user import User
from tests.claude_home import write_claude_home
from tests.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

BUGGY, FIXED = "    return a - b", "    return a + b"


@pytest.fixture
def job(tmp_path: Path, model: ScriptedModel) -> Job:
    copy, scratch = tmp_path / "copy", tmp_path / "scratch"
    folder = copy / "package"
    folder.mkdir(parents=True)
    scratch.mkdir()
    (folder / "calc.py").write_text(f"def add(a, b):\n{BUGGY}\n")
    return Job(
        prompt="Find the bug.",
        cwd=folder,
        copy=copy,
        workspace=tmp_path,
        scratch=scratch,
        env=write_claude_home(tmp_path / "home", model.url("claude")),
    )


def script(model: ScriptedModel, job: Job, *steps: dict[str, object]) -> None:
    model.load("claude", {"cwd": str(job.cwd), "steps": list(steps)})


def shell(command: str) -> dict[str, object]:
    return {"kind": "shell", "command": command}


def raw(name: str, **arguments: object) -> dict[str, object]:
    return {"kind": "raw", "name": name, "arguments": arguments}


def tools(*calls: dict[str, object]) -> dict[str, object]:
    return {"tools": list(calls)}


READ = {"kind": "read", "path": "calc.py"}
EDIT = {"kind": "edit", "path": "calc.py", "old": BUGGY, "new": FIXED}
SLEEP = tools(shell("echo started > ../running; sleep 600"))
"""Tells the fixture `running`, if that is used, as soon as it runs."""


@pytest.fixture
def running(job: Job) -> Iterator[int]:
    """Readable as soon as the tool of `SLEEP` runs: its call is heard of before that."""
    os.mkfifo(job.copy / "running")
    reader = os.open(job.copy / "running", os.O_RDONLY | os.O_NONBLOCK)
    yield reader
    os.close(reader)


async def until(readable: int) -> None:
    with anyio.fail_after(20):
        await anyio.wait_readable(readable)


def descendants() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
    ]


def claude_processes() -> list[psutil.Process]:
    return [process for process in descendants() if "claude" in process.name()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def failure(job: Job, said: Recorder) -> AgentFailure:
    with pytest.raises(AgentFailure) as raised, anyio.fail_after(30):
        await Claude().run(job, said)
    return raised.value


async def test_it_reads_edits_tests_and_answers(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model,
        job,
        {"thinking": "Look first.", "text": "I will read it.", **tools(READ)},
        tools(EDIT),
        tools(shell("python3 -c 'import calc; print(calc.add(1, 2))'; exit 3")),
        {"text": "add() subtracted."},
    )
    answer = await Claude().run(job, said)
    assert answer.text == "add() subtracted."
    assert said.text == "I will read it.\n\nadd() subtracted."
    assert [event.text for event in said.of(Thinking)] == ["Look first."]
    assert [(call.name, call.detail) for call in said.of(ToolCall)] == [
        ("read", "package/calc.py"),
        ("edit", "package/calc.py"),
        ("shell", "python3 -c 'import calc; print(calc.add(1, 2))'; exit 3"),
    ]
    assert [result.ok for result in said.of(ToolResult)] == [True, True, False]
    assert said.of(ToolResult)[2].output == "Exit code 3\n3"
    assert said.of(FileEdit) == [FileEdit(path="package/calc.py")]
    assert said.of(Error) == []
    assert FIXED in (job.cwd / "calc.py").read_text()
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (4000, 200)
    assert answer.usage.cost_usd is None, "the price of the scripted model is not known"
    assert claude_processes() == []


async def test_the_answer_arrives_in_pieces(model: ScriptedModel, job: Job, said: Recorder) -> None:
    text = "The cause is a wrong operator. " * 8
    script(model, job, {"text": text})
    answer = await Claude().run(job, said)
    assert answer.text == said.text == text
    assert len(said.of(Text)) >= 5


async def test_all_of_the_copy_may_be_written_from_a_folder_inside_it(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model,
        job,
        tools(raw("Write", file_path=f"{job.copy}/at_the_root", content="done\n")),
        {"text": "Done."},
    )
    await Claude().run(job, said)
    assert (job.copy / "at_the_root").read_text() == "done\n"
    assert said.of(FileEdit) == [FileEdit(path="at_the_root")]


async def test_reading_only_refuses_edits_and_shell_writes(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model,
        job,
        tools(READ, shell("cat calc.py")),
        tools(
            raw("Edit", file_path=f"{job.cwd}/calc.py", old_string=BUGGY, new_string=FIXED),
            raw("Write", file_path=f"{job.cwd}/new.py", content=""),
            shell("echo broken > calc.py"),
            shell("cat calc.py > copied.py"),
            shell("cat $(touch touched)"),
        ),
        {"text": "I could not."},
    )
    answer = await Claude().run(replace(job, read_only=True), said)
    assert answer.text == "I could not."
    assert [result.ok for result in said.of(ToolResult)] == [True] * 2 + [False] * 5
    assert BUGGY in said.of(ToolResult)[1].output
    assert BUGGY in (job.cwd / "calc.py").read_text()
    assert names(job.cwd) == ["calc.py"]
    assert said.of(FileEdit) == []


async def test_reading_only_holds_whatever_the_users_settings_allow(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    settings = {
        "permissions": {"allow": ["Bash", "Edit", "Write"], "defaultMode": "acceptEdits"},
        "disableAllHooks": True,
    }
    Path(job.env["CLAUDE_CONFIG_DIR"], "settings.json").write_text(json.dumps(settings))
    script(model, job, tools(READ), tools(shell("echo x > written"), EDIT), {"text": "No."})
    await Claude().run(replace(job, read_only=True), said)
    assert names(job.cwd) == ["calc.py"]
    assert BUGGY in (job.cwd / "calc.py").read_text()
    assert "Refused: the command 'echo x > written' may change something" in said.errors


async def test_no_file_outside_the_copy_is_written_and_the_attempt_is_recorded(
    model: ScriptedModel, job: Job, said: Recorder, outside: Path
) -> None:
    settings = {"permissions": {"allow": ["Edit", "Write"]}}
    Path(job.env["CLAUDE_CONFIG_DIR"], "settings.json").write_text(json.dumps(settings))
    (job.cwd / "link").symlink_to(outside)
    (outside / "main.py").write_text(BUGGY)
    script(
        model,
        job,
        tools(raw("Read", file_path=f"{outside}/main.py")),
        tools(
            raw("Write", file_path=f"{outside}/written", content="x"),
            raw("Write", file_path=f"{job.cwd}/link/linked", content="x"),
            raw("Write", file_path="../../dotted", content="x"),
            raw("Edit", file_path=f"{outside}/main.py", old_string=BUGGY, new_string=FIXED),
        ),
        {"text": "I could not."},
    )
    await Claude().run(job, said)
    assert names(outside) == ["main.py"]
    assert (outside / "main.py").read_text() == BUGGY
    assert not (job.copy.parent / "dotted").exists()
    assert said.of(FileEdit) == []
    assert [result.ok for result in said.of(ToolResult)] == [True] + [False] * 4
    assert len(said.of(Error)) == 4
    for path in (f"{outside}/written", f"{job.cwd}/link/linked", f"{outside}/main.py"):
        assert f"Refused to write '{path}': it is outside of this session's copy" in said.errors


async def test_the_projects_own_settings_run_nothing_and_no_mcp_server_is_started(
    model: ScriptedModel, job: Job, said: Recorder, outside: Path
) -> None:
    run = {"type": "command", "command": f"touch {outside}/hooked"}
    hooks = {event: [{"hooks": [run]}] for event in ("SessionStart", "PreToolUse", "Stop")}
    settings = {
        "hooks": hooks,
        "apiKeyHelper": f"touch {outside}/helped; echo key",
        "statusLine": run,
        "permissions": {"allow": ["Write"], "additionalDirectories": [str(outside)]},
        "env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
        "enableAllProjectMcpServers": True,
    }
    server = {"command": "touch", "args": [f"{outside}/served"]}
    for folder in {job.copy, job.cwd}:
        (folder / ".claude").mkdir()
        for name in ("settings.json", "settings.local.json"):
            (folder / ".claude" / name).write_text(json.dumps(settings))
        (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"planted": server}}))
    users_own = {"command": "touch", "args": [f"{outside}/own"]}
    config = Path(job.env["CLAUDE_CONFIG_DIR"], ".claude.json")
    config.write_text(json.dumps({"mcpServers": {"own": users_own}}))
    script(
        model,
        job,
        tools(raw("Write", file_path=f"{outside}/written", content="x"), shell("cat calc.py")),
        {"text": "Done."},
    )
    answer = await Claude().run(job, said)
    assert answer.text == "Done."
    assert names(outside) == []


async def test_the_prompt_is_taken_as_it_is_written(
    model: ScriptedModel, job: Job, said: Recorder, outside: Path
) -> None:
    (outside / "secret").write_text("the secret words")
    script(model, job, {"text": "Done."})
    prompt = f"/compact\n@{outside}/secret"
    await Claude().run(replace(job, prompt=prompt), said)
    (request,) = model.requests("claude")
    assert prompt in [part["text"] for part in request["body"]["messages"][0]["content"]]
    assert "the secret words" not in str(request["body"])


async def test_it_uses_the_model_that_was_asked_for(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Done."})
    await Claude().run(replace(job, model="scripted-2"), said)
    assert {request["model"] for request in model.requests("claude")} == {"scripted-2"}


async def test_it_keeps_no_session_on_disk(model: ScriptedModel, job: Job, said: Recorder) -> None:
    script(model, job, tools(READ), {"text": "Done."})
    await Claude().run(job, said)
    assert list(Path(job.env["CLAUDE_CONFIG_DIR"]).rglob("*.jsonl")) == []


async def test_a_follow_up_goes_on_in_the_same_conversation(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "It is line 2."}, {"text": "Line 2 of calc.py."})
    replies = iter(["Which file?", None])
    heard: list[str] = []

    def follow_up(answer: str) -> str | None:
        heard.append(answer)
        return next(replies)

    answer = await Claude().run(replace(job, follow_up=follow_up), said)
    assert heard == ["It is line 2.", "Line 2 of calc.py."]
    assert answer.text == "Line 2 of calc.py."
    assert said.text == "It is line 2.\n\nLine 2 of calc.py."
    assert answer.usage is not None
    assert answer.usage.input_tokens == 2000
    second = str(model.requests("claude")[1]["body"])
    assert "Find the bug." in second
    assert "It is line 2." in second
    assert "Which file?" in second


async def test_what_is_said_while_a_tool_runs_is_heard_in_the_same_turn(
    model: ScriptedModel, job: Job, said: Recorder, running: int
) -> None:
    waits = "echo started > ../running; until [ -e ../go ]; do sleep 0.05; done"
    script(model, job, tools(shell(waits)), {"text": "It is the sign."}, {"text": "Never said."})
    user = User()

    async def speak() -> None:
        await until(running)
        user.say("Look at the sign.", "/clear")
        await user.handed_on.wait()
        (job.copy / "go").touch()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        answer = await Claude().run(replace(job, listen=user.listen), said)
    assert answer.text == "It is the sign."
    first, second = (str(request["body"]) for request in model.requests("claude"))
    assert "Look at the sign." not in first
    assert "Look at the sign." in second
    assert "/clear" in second, "it is told as it is written"


async def test_what_is_said_while_it_gives_its_answer_is_answered_before_the_end(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model,
        job,
        {"text": "It is line 2. " * 40, "delay": 0.05},
        {"text": "It is the sign."},
        {"text": "It is the name."},
    )
    user = User()
    replies = iter(["Which name?", None])

    async def speak() -> None:
        await said.wait_for(Text)
        user.say("Look at the sign.")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        job = replace(job, listen=user.listen, follow_up=lambda _answer: next(replies))
        answer = await Claude().run(job, said)
    assert answer.text == "It is the name.", "the last one counts"
    bodies = [str(request["body"]) for request in model.requests("claude")]
    assert ["Look at the sign." in body for body in bodies] == [False, True, True]
    assert ["Which name?" in body for body in bodies] == [False, False, True]


async def test_what_is_said_before_its_first_word_is_not_lost(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "It is line 2."}, {"text": "It is the sign."})
    with anyio.fail_after(30):
        await Claude().run(replace(job, listen=User("Look at the sign.").listen), said)
    assert "Look at the sign." in str(model.requests("claude")[-1]["body"])


async def test_a_refused_key_fails_at_once_and_says_how_to_log_in(
    model: ScriptedModel, job: Job, said: Recorder, tmp_path: Path
) -> None:
    patient = write_claude_home(tmp_path / "patient", model.url("claude"), retries=10)
    script(model, job, {"http": 401, "times": 50})
    started = time.monotonic()
    failed = await failure(replace(job, env=patient), said)
    assert time.monotonic() - started < 8
    assert failed.kind is FailureKind.AUTH
    assert failed.message.startswith("Claude is not logged in: run `claude /login`")
    assert "401 authentication_failed" in said.errors
    assert len(model.requests("claude")) <= 2
    assert claude_processes() == []


async def test_without_any_login_it_says_how_to_log_in(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Never said."})
    started = time.monotonic()
    failed = await failure(replace(job, env={**job.env, "ANTHROPIC_API_KEY": ""}), said)
    assert time.monotonic() - started < 10
    assert failed.kind is FailureKind.AUTH
    assert failed.message.startswith("Claude is not logged in: run `claude /login`")
    assert model.requests("claude") == []


async def test_a_service_that_stays_busy_is_given_up_after_a_few_tries(
    model: ScriptedModel, job: Job, said: Recorder, tmp_path: Path
) -> None:
    patient = write_claude_home(tmp_path / "patient", model.url("claude"), retries=10)
    script(model, job, {"http": 429, "times": 50})
    failed = await failure(replace(job, env=patient), said)
    assert failed.kind is FailureKind.RATE_LIMIT
    assert len(said.of(Error)) == 4
    assert claude_processes() == []


async def test_a_service_that_is_busy_for_a_moment_is_asked_again(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"http": 429}, {"text": "Here it is."})
    assert (await Claude().run(job, said)).text == "Here it is."
    assert "429 rate_limit" in said.errors


def refused(status: int, kind: str, message: str) -> dict[str, object]:
    error = {"type": kind, "message": message}
    return {"http": status, "body": {"type": "error", "error": error}}


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"http": 429}, FailureKind.RATE_LIMIT),
        ({"http": 529}, FailureKind.RATE_LIMIT),
        (
            refused(400, "invalid_request_error", "Your credit balance is too low to go on."),
            FailureKind.QUOTA,
        ),
        (
            refused(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            FailureKind.CONTEXT,
        ),
        ({"http": 403}, FailureKind.PERMISSION),
        ({"http": 404}, FailureKind.INTERNAL),
        ({"http": 500}, FailureKind.INTERNAL),
        ({"garbage": True}, FailureKind.INTERNAL),
        ({"text": "Half an ans", "cut": True}, FailureKind.INTERNAL),
        ({"text": ""}, FailureKind.EMPTY_OUTPUT),
    ],
    ids=[
        "rate limit",
        "overloaded",
        "no credit",
        "context",
        "forbidden",
        "no such model",
        "server error",
        "a proxy's page",
        "stream always cut",
        "no answer",
    ],
)
async def test_each_way_to_fail_has_its_kind(
    step: dict[str, object], kind: FailureKind, model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {**step, "times": 20})
    failed = await failure(job, said)
    assert failed.kind is kind
    assert failed.message.count("\n") == 0
    assert claude_processes() == []


async def test_a_stream_that_is_cut_once_is_taken_up_again(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"text": "Half an ans", "cut": True}, {"text": "A whole answer."})
    assert (await Claude().run(job, said)).text == "A whole answer."
    assert said.text.endswith("A whole answer.")
    assert said.of(Error)


async def test_a_killed_claude_is_a_crash(
    model: ScriptedModel, job: Job, said: Recorder, running: int
) -> None:
    script(model, job, SLEEP)
    async with anyio.create_task_group() as tasks:

        async def kill() -> None:
            await until(running)
            for process in descendants():  # its tools too, which nobody else would end here
                process.kill()

        tasks.start_soon(kill)
        failed = await failure(job, said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.startswith("The claude process ended unexpectedly")


async def test_a_folder_that_is_gone_is_a_failure_that_names_it(job: Job, said: Recorder) -> None:
    failed = await failure(replace(job, cwd=job.copy / "gone"), said)
    assert failed.kind is FailureKind.INTERNAL
    assert str(job.copy / "gone") in failed.message


async def test_an_answer_of_ten_megabytes_is_bounded(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, {"big": 10_000_000})
    answer = await Claude().run(job, said)
    assert 100_000 < len(answer.text) < 1_001_000
    assert len(said.text) > 9_000_000


async def test_a_tool_that_prints_ten_megabytes_is_bounded(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, tools(shell("head -c 10000000 /dev/zero | tr '\\0' x")), {"text": "Much."})
    assert (await Claude().run(job, said)).text == "Much."
    (result,) = said.of(ToolResult)
    assert len(result.output) < 17_000


async def test_a_daemon_that_a_tool_leaves_behind_does_not_hold_the_answer(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(
        model, job, tools(shell("setsid sleep 600 & echo $! > ../daemon; exit 0")), {"text": "Ok."}
    )
    with anyio.fail_after(15):
        assert (await Claude().run(job, said)).text == "Ok."
    daemon = int((job.copy / "daemon").read_text())
    if psutil.pid_exists(daemon):
        psutil.Process(daemon).kill()


@pytest.mark.parametrize("speaks", [True, False], ids=["while it speaks", "while a tool runs"])
async def test_cancelling_stops_it_within_seconds_and_leaves_nothing(
    speaks: bool, model: ScriptedModel, job: Job, said: Recorder, running: int
) -> None:
    script(model, job, {"text": "Well. " * 2000, "delay": 0.05} if speaks else SLEEP)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Claude().run, job, said)
        await (said.wait_for(Text) if speaks else until(running))
        family = descendants()
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert time.monotonic() - started < 5
    _, alive = psutil.wait_procs(family, timeout=5)
    assert family
    assert alive == []


@pytest.mark.parametrize("seconds", [0, 0.05, 0.2, 0.4, 0.8])
async def test_cancelling_while_it_starts_leaves_nothing(
    seconds: float, model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, SLEEP)
    started = time.monotonic()
    with anyio.move_on_after(seconds):
        await Claude().run(job, said)
    assert time.monotonic() - started < 5
    assert descendants() == []


LEAVING = """\
import anyio
from pathlib import Path
from bug_lsp.agents.base import Job
from bug_lsp.agents.claude.agent import Claude
from bug_lsp.domain.events import ToolCall

async def main():
    def emit(event):
        if isinstance(event, ToolCall):
            scope.cancel()
    here = Path.cwd()
    job = Job(prompt="x", cwd=here, copy=here, workspace=here, scratch=here)
    with anyio.CancelScope() as scope:
        await Claude().run(job, emit)
    print("cancelled")

anyio.run(main)
"""


async def test_a_process_that_has_cancelled_it_can_exit(
    model: ScriptedModel, job: Job, said: Recorder
) -> None:
    script(model, job, SLEEP)
    with anyio.fail_after(15):
        left = await anyio.run_process(
            [sys.executable, "-W", "error", "-c", LEAVING],
            cwd=job.cwd,
            env={**os.environ, **job.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert left.stdout == b"cancelled\n"
    assert b"Traceback" not in left.stderr


FAKE = """\
#!{python}
import json, signal, sys, time

def say(**message):
    print(json.dumps(message), flush=True)

def greet(hello):
    answer = {{"hook_on_failure_supported": True}}
    answer = {{"subtype": "success", "request_id": hello["request_id"], "response": answer}}
    say(type="control_response", response=answer)

def end(text):
    say(type="result", subtype="success", is_error=False, result=text, duration_ms=1,
        duration_api_ms=1, num_turns=1, session_id="s")

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)

if "--version" in sys.argv:
    sys.exit(print("9.9.9 (Claude Code)"))
{behaviour}
"""


def behaving(job: Job, *behaviour: str) -> Job:
    """The job, where another program stands in for Claude, to end as Claude cannot be made to."""
    program = job.copy.parent / "bin" / "claude"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable, behaviour="\n".join(behaviour)))
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return replace(job, env={**job.env, "PATH": path})


GREET = "greet(json.loads(sys.stdin.readline()))"
HEAR = "sys.stdin.readline()"


@pytest.mark.parametrize("behaviour", [["deaf()"], [GREET, "deaf()"]], ids=["never", "no longer"])
async def test_a_claude_that_does_not_answer_cannot_keep_us_from_leaving(
    behaviour: list[str], job: Job, said: Recorder
) -> None:
    started = time.monotonic()
    with anyio.move_on_after(2) as scope:
        await Claude().run(behaving(job, *behaviour), said)
    assert scope.cancelled_caught
    assert time.monotonic() - started < 2 + 5
    assert descendants() == []


async def test_a_claude_that_stays_after_its_answer_is_ended(job: Job, said: Recorder) -> None:
    with anyio.fail_after(10):
        answer = await Claude().run(behaving(job, GREET, HEAR, "end('Here.')", "deaf()"), said)
    assert answer.text == "Here."
    assert descendants() == []


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (["sys.exit('no such option')"], "no such option"),
        ([GREET, HEAR, "sys.exit(0)"], ""),
        ([GREET, HEAR, "end('Here.')", "sys.exit(3)"], "exit code 3 after its answer"),
    ],
    ids=["at the start", "without an answer", "after its answer"],
)
async def test_a_claude_that_does_not_end_cleanly_has_crashed(
    behaviour: list[str], why: str, job: Job, said: Recorder
) -> None:
    failed = await failure(behaving(job, *behaviour), said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.startswith("The claude process ended unexpectedly")
    assert why in failed.message

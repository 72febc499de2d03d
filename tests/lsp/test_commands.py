"""The commands, and what bad input gets: one sentence that names the field and says what to do."""

from __future__ import annotations

import asyncio
import os

import pytest
from pygls.exceptions import JsonRpcException

from .conftest import AGENTS, OPTIONS, TASK, git

pytestmark = pytest.mark.anyio

INVALID, REFUSED = -32602, -32803


@pytest.fixture
async def editor(open_editor):
    return await open_editor()


async def refusal(editor, name, *arguments):
    with pytest.raises(JsonRpcException) as caught:
        await editor.command(name, *arguments)
    message = str(caught.value.message)
    assert "Traceback" not in message
    assert "\n" not in message
    return caught.value.code, message


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ({"title": "x", "agents": [{"agentType": "nobody"}]}, "there is no agent 'nobody'"),
        ({"title": "x", "agents": [{"agentType": "digest"}]}, "it only orchestrates"),
        ({"title": "x", "agents": []}, "agents: is empty"),
        ({"title": "x", "agents": [{"agentType": "right"}] * 17}, "at most 16"),
        ({"title": "x", "agents": [{}]}, "agents[0].agentType: Field required"),
        ({"title": "x", "agents": "codex"}, "agents: "),
        ({}, "title: is missing"),
        ({"title": "  "}, "title: is missing"),
        ({"title": 5}, "title: "),
        ({"title": "x", "bugTxt": "y"}, "bugTxt: there is no such key"),
        ({"title": "x", "orchestrate": "maybe"}, "orchestrate: "),
        ({"taskUri": "https://example.org/x.md"}, "taskUri: "),
        ({"taskUri": "file:///etc/passwd"}, "is outside the workspace"),
        ({"title": "x", "context": {"uri": "untitled:1"}}, "context.uri: "),
        ({"title": "x", "context": {"uri": "file:///x", "range": {}}}, "context.range.start: "),
    ],
)
async def test_a_bad_argument_is_named_and_nothing_is_started(editor, project, argument, says):
    before = sorted(project.rglob("*"))
    code, message = await refusal(editor, "debugWithAgents", argument)
    assert code == INVALID
    assert says in message
    assert (await editor.command("listDebugRuns", {})) == {"runs": []}
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"# x\n\0\1"), "is a binary file"),
        (lambda path: path.write_bytes("# Grüße\n".encode("latin-1")), "is not UTF-8"),
        (lambda path: path.write_bytes(b"# x\n" * 2_600_000), "bytes, more than"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("/etc/passwd"), "is outside the workspace"),
    ],
    ids=["missing", "folder", "binary", "latin-1", "10 MB", "pipe", "link"],
)
async def test_a_task_file_that_cannot_be_one_is_refused(editor, project, make, says):
    path = project / "tasks" / "bad.md"
    make(path)
    code, message = await refusal(
        editor, "debugWithAgents", {"taskUri": path.as_uri(), "agents": [{"agentType": "right"}]}
    )
    assert code == INVALID
    assert "taskUri: " in message
    assert says in message
    assert (await editor.command("listDebugRuns", {})) == {"runs": []}


async def test_more_than_one_argument_and_one_that_is_no_object_are_refused(editor):
    assert (await refusal(editor, "listDebugRuns", {}, {}))[0] == INVALID
    assert (await refusal(editor, "listDebugRuns", 5))[0] == INVALID
    assert (await refusal(editor, "listAgents", "x"))[0] == INVALID


async def test_ids_that_are_wrong_and_ids_that_are_unknown_are_told_apart(editor):
    for name in ("getDebugRunStatus", "orchestrateDebugRun", "cancelDebugRun", "deleteDebugRun"):
        assert await refusal(editor, name, {"debugRunId": "../x"}) == (
            INVALID,
            "debugRunId: '../x' is not the id of a run (16 hex digits)",
        )
        code, message = await refusal(editor, name, {"debugRunId": "0" * 16})
        assert code == REFUSED
        assert "there is no debug run 0000000000000000" in message
    for name in ("cancelSession", "openSession"):
        assert (await refusal(editor, name, {"sessionId": "x"}))[0] == INVALID
        assert (await refusal(editor, name, {"sessionId": "0" * 12}))[0] == REFUSED


async def test_agents_that_are_not_installed_are_refused_with_what_to_do(open_editor):
    options = {"agents": {"gone": {"type": "command", "command": ["no-such-program"]}}}
    editor = await open_editor(options=options)
    code, message = await refusal(
        editor, "debugWithAgents", {"title": "x", "agents": [{"agentType": "gone"}]}
    )
    assert code == REFUSED
    assert "'no-such-program'" in message
    assert "install it" in message


async def test_a_missing_agent_among_others_fails_alone(open_editor):
    gone = {"gone": {"type": "command", "command": ["no-such-program"]}, **AGENTS}
    editor = await open_editor(options={"agents": gone, "orchestrator": {"agentType": "digest"}})
    run = await editor.command(
        "debugWithAgents",
        {"title": "x", "agents": [{"agentType": "gone"}, {"agentType": "right"}]},
    )
    status = await editor.finished(run["debugRunId"])
    assert status["sessions"][0]["failure"]["kind"] == "notInstalled"
    assert status["completedCount"] == 1


async def test_two_requests_at_once_are_two_runs(editor, project):
    argument = {"title": "Twice", "agents": [{"agentType": "right"}] * 2}
    runs = await asyncio.gather(*(editor.command("debugWithAgents", argument) for _ in range(2)))
    assert runs[0]["debugRunId"] != runs[1]["debugRunId"]
    assert runs[0]["taskUri"] != runs[1]["taskUri"]
    for run in runs:
        await editor.finished(run["debugRunId"])
    assert sorted(path.name for path in (project / "tasks").iterdir()) == [
        "add.md", "twice-2.md", "twice.md",
    ]  # fmt: skip


async def test_a_repository_without_a_commit_works(editor, project, task):
    git(project, "update-ref", "-d", "HEAD")
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}] * 2}
    )
    assert (await editor.finished(run["debugRunId"]))["completedCount"] == 2


async def test_a_title_makes_a_task_file_with_the_description(editor, project):
    run = await editor.command(
        "debugWithAgents",
        {"title": "It is wrong!", "description": "Very.", "agents": [{"agentType": "right"}]},
    )
    path = project / "tasks" / "it-is-wrong.md"
    assert run["taskUri"] == path.as_uri()
    assert path.read_text().startswith("# It is wrong!\n\nVery.\n")
    await editor.finished(run["debugRunId"])


async def test_orchestrating_is_refused_while_a_session_runs_and_names_it(open_editor, task, gate):
    editor = await open_editor(env={"GO": str(gate)})
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "waits"}, {"agentType": "right"}]},
    )
    code, message = await refusal(editor, "orchestrateDebugRun", {"debugRunId": run["debugRunId"]})
    assert code == REFUSED
    assert f"Debug (1) waits ({run['sessionIds'][0]})" in message
    code, message = await refusal(editor, "deleteDebugRun", {"debugRunId": run["debugRunId"]})
    assert code == REFUSED
    assert "still running" in message
    (gate / "open").touch()
    await editor.finished(run["debugRunId"])
    deleted = await editor.command("deleteDebugRun", {"debugRunId": run["debugRunId"]})
    assert deleted == {"deleted": True}
    assert (await editor.command("listDebugRuns")) == {"runs": []}


async def test_cancelling_a_run_ends_it_all_and_starts_no_orchestrator(editor, task):
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "sleeps"}] * 3}
    )
    cancelled = await editor.command("cancelDebugRun", {"debugRunId": run["debugRunId"]})
    assert sorted(cancelled["cancelled"]) == sorted(run["sessionIds"])

    async def status():
        return await editor.command("getDebugRunStatus", {"debugRunId": run["debugRunId"]})

    async with asyncio.timeout(30):
        while (seen := await status())["cancelledCount"] < 3:
            count = len(editor.run_changes)
            await editor.until(lambda: len(editor.run_changes) > count)  # noqa: B023
    assert seen["allTerminal"]
    assert seen["orchestrator"] is None
    assert task.read_text() == TASK


async def test_without_an_argument_the_current_task_and_its_newest_run_are_meant(editor, task):
    editor.open(task)
    run = await editor.command("debugWithAgents", {"agents": [{"agentType": "sleeps"}]})
    assert run["taskUri"] == task.as_uri()
    assert (await editor.command("getDebugRunStatus"))["debugRunId"] == run["debugRunId"]
    assert len((await editor.command("getTaskSessions"))["groups"]) == 1
    assert await editor.command("cancelSession") == {"cancelled": True}


async def test_with_several_running_the_user_is_asked_which_to_cancel(editor, task):
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "sleeps"}] * 2}
    )
    assert await editor.command("cancelSession") == {"cancelled": False}, "nothing was chosen"
    assert len(editor.questions[0].actions) == 2
    editor.answer = lambda question: question.actions[1].title
    assert await editor.command("cancelSession") == {"cancelled": True}
    await editor.command("cancelDebugRun", {"debugRunId": run["debugRunId"]})


async def test_a_bare_string_is_understood(editor, task):
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}]}
    )
    status = await editor.command("getDebugRunStatus", run["debugRunId"])
    assert status["debugRunId"] == run["debugRunId"]
    await editor.finished(run["debugRunId"])


async def test_the_text_in_the_editor_is_what_the_agents_are_told(editor, task, state_dir):
    editor.open(task)
    editor.type(task, 2, "UNSAVED ")
    run = await editor.command(
        "debugWithAgents",
        {
            "taskUri": task.as_uri(),
            "agents": [{"agentType": "right"}],
            "context": {
                "uri": (task.parent.parent / "calc.py").as_uri(),
                "range": {
                    "start": {"line": 1, "character": 4},
                    "end": {"line": 1, "character": 10},
                },
                "diagnostics": [
                    {"message": "odd operator", "source": "lint", "range": {"start": {"line": 1}}}
                ],
            },
            "testCommand": "python -m unittest",
        },
    )
    [prompt] = state_dir.glob(f"workspaces/*/runs/{run['debugRunId']}/sessions/*/prompt.md")
    text = prompt.read_text()
    assert "UNSAVED `add(2, 3)`" in text
    assert "`calc.py`, line 2" in text
    assert "line 2: odd operator (lint)" in text
    assert "python -m unittest" in text
    await editor.finished(run["debugRunId"])


async def test_wrong_settings_are_said_and_the_good_ones_stay(open_editor):
    editor = await open_editor(options={**OPTIONS["bugLsp"], "maxParallelAgents": 0})
    await editor.until(lambda: editor.client.messages)
    assert "maxParallelAgents" in editor.client.messages[0].message


async def test_who_has_no_agent_that_can_try_anything_is_asked_for_a_test_command(
    open_editor, project
):
    git(project, "rm", "-q", "-r", "--ignore-unmatch", "*.py")
    (project / "package.json").write_text('{"scripts": {"test": "exit 1"}}')
    git(project, "add", "-A")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "JavaScript")
    options = {"bugLsp": {**OPTIONS["bugLsp"], "defaultAgents": ["spectrum", "bisect"]}}
    editor = await open_editor(options=options)
    editor.answer = lambda question: question.actions[0].title
    code, message = await refusal(editor, "debugWithAgents", {"title": "x"})
    assert code == REFUSED
    assert "bisect: there is no Python here and no testCommand" in message
    await editor.until(lambda: editor.questions, what="the question for a test command")
    assert [one.title for one in editor.questions[0].actions] == ["npm test"]

    await editor.until(lambda: editor.run_changes, what="the run")
    [run] = (await editor.command("listDebugRuns", {}))["runs"]
    assert [one["agentType"] for one in run["sessions"]] == ["bisect"]
    await editor.command("cancelDebugRun", {"debugRunId": run["debugRunId"]})

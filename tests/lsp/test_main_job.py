"""The main job through a real client with the real Codex: from a bug to one synthesis."""

from __future__ import annotations

import asyncio
import json

import pytest

from bug_lsp.store.layout import WorkspaceFolder
from tests.codex_home import write_codex_home
from tests.support.runs import wait_until

from .conftest import AGENTS, REPORT, TASK

pytestmark = pytest.mark.anyio

READ_AND_FIX = [
    {"thinking": "Look first.", "tools": [{"kind": "shell", "command": "cat calc.py"}]},
    {
        "tools": [
            {
                "kind": "edit",
                "path": "calc.py",
                "old": "    return a - b",
                "new": "    return a + b",
            }
        ]
    },
    {"text": f"Fixed it.\n\n```json\n{json.dumps(REPORT)}\n```"},
]
SYNTHESIS = {
    "rootCause": "calc.py:2 subtracts where it should add.",
    "recommendedSolution": "Return `a + b`.",
    "implementationSteps": ["Change calc.py:2.", "Run the tests."],
    "sessionNotes": [],
    "conflicts": [],
    "findings": REPORT["findings"],
}
STREAMED = {
    "text": "## Root cause\n\n"
    + "It subtracts, as two sessions have seen. " * 60
    + f"\n\n```json\n{json.dumps(SYNTHESIS)}\n```",
    "delay": 0.03,
}


def codex(model, home, **scripts):
    """Codex's environment, with one lane for each model name."""
    for name, steps in scripts.items():
        model.load(f"codex/{name.replace('_', '-')}", {"cwd": ".", "steps": steps})
    model.load("codex", {"cwd": ".", "steps": [{"text": "not scripted"}]})
    return write_codex_home(home, model.url("codex"))


def settings(**more):
    return {
        "bugLsp": {
            "agents": AGENTS,
            "orchestrator": {"agentType": "codex", "model": "gpt-5"},
            **more,
        }
    }


async def test_four_agents_and_one_orchestrator_that_starts_by_itself(
    open_editor, model, task, tmp_path
):
    env = codex(
        model, tmp_path / "home", one=READ_AND_FIX, two=READ_AND_FIX, **{"gpt-5": [STREAMED]}
    )
    editor = await open_editor(options=settings(), env=env)
    editor.open(task)
    run = await editor.command(
        "debugWithAgents",
        {
            "taskUri": task.as_uri(),
            "agents": [
                {"agentType": "codex", "model": "one"},
                {"agentType": "codex", "model": "two"},
                {"agentType": "exits3"},
                {"agentType": "sleeps"},
            ],
        },
    )
    assert run["status"] == "pending"
    assert [one["title"] for one in run["sessions"]] == [
        f"Debug ({number}): add() subtracts" for number in (1, 2, 3, 4)
    ]
    one, two, exits, sleeps = run["sessionIds"]

    await editor.until(lambda: editor.progress(sleeps), what="progress of the one that sleeps")
    editor.cancel_progress(sleeps)
    editor.type(task, 4, "Still there today. ")
    status = await editor.finished(run["debugRunId"])

    by_id = {session["sessionId"]: session for session in status["sessions"]}
    assert by_id[one]["status"] == by_id[two]["status"] == "completed"
    assert by_id[exits]["status"] == "failed"
    assert by_id[exits]["failure"]["kind"] == "crashed"
    assert by_id[sleeps]["status"] == "cancelled"
    assert status["orchestrator"]["title"] == "Orchestrator: add() subtracts"
    assert status["orchestrator"]["status"] == "completed"

    text = editor.text(task)
    typed = TASK.replace("My notes", "Still there today. My notes")
    assert text.startswith(typed)
    assert "degraded: 2 of 4 sessions completed, 1 failed, 1 cancelled" in text
    assert "calc.py:2 subtracts where it should add." in text
    assert "- [ ] Change calc.py:2." in text
    assert task.read_text() == TASK, "the buffer is edited, saving it is the user's"

    uri = status["orchestrator"]["uri"]
    await editor.until(lambda: "completed in" in editor.texts[uri][-1], what="the last refresh")
    assert len(dict.fromkeys(editor.texts[uri])) >= 10, "it streams"
    assert [shown.uri for shown in editor.client.shown_documents] == [uri]
    assert not editor.client.shown_documents[0].take_focus

    begin, *_, end = editor.progress(one)
    assert begin.title == "Debug (1) codex: add() subtracts"
    assert begin.cancellable
    assert end.message.startswith("completed in")
    assert editor.progress(sleeps)[-1].message.startswith("cancelled")

    answers = await asyncio.gather(
        *(
            editor.command("orchestrateDebugRun", {"debugRunId": run["debugRunId"]})
            for _ in range(50)
        )
    )
    first = {"sessionId": status["orchestrator"]["sessionId"], "isNew": False}
    assert answers == [first] * 50
    groups = (await editor.command("getTaskSessions", {"taskUri": task.as_uri()}))["groups"]
    assert [len(group["orchestrator"]) for group in groups] == [1]
    assert len(model.requests("codex/gpt-5")) == 1


async def test_the_orchestrator_is_told_what_the_sessions_found_and_cannot_write(
    open_editor, model, task, project, tmp_path
):
    writes = [
        {"tools": [{"kind": "shell", "command": "echo broken > calc.py"}]},
        {"text": f"Done.\n\n```json\n{json.dumps(SYNTHESIS)}\n```"},
    ]
    env = codex(model, tmp_path / "home", one=READ_AND_FIX, **{"gpt-5": writes})
    editor = await open_editor(options=settings(), env=env)
    run = await editor.command(
        "debugWithAgents",
        {
            "taskUri": task.as_uri(),
            "agents": [{"agentType": "codex", "model": "one"}, {"agentType": "right"}],
        },
    )
    await editor.finished(run["debugRunId"])
    asked = json.dumps(model.requests("codex/gpt-5")[0]["body"])
    assert "The operator is wrong." in asked
    assert "return a + b" in asked, "the patch of a session is told"
    assert asked.index("The operator is wrong.") < asked.index("Fixed it.")
    assert (project / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"


async def test_an_answer_without_a_valid_block_gets_one_repair_turn(
    open_editor, model, task, tmp_path
):
    answers = [
        {"text": "It subtracts.\n\n```json\n{}\n```"},
        {"text": f"```json\n{json.dumps(SYNTHESIS)}\n```"},
    ]
    env = codex(model, tmp_path / "home", **{"gpt-5": answers})
    editor = await open_editor(options=settings(), env=env)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}, {"agentType": "right"}]},
    )
    await editor.finished(run["debugRunId"])
    assert len(model.requests("codex/gpt-5")) == 2
    assert "calc.py:2 subtracts where it should add." in task.read_text()


async def test_where_codex_cannot_log_in_the_digest_stands_in_and_force_tries_again(
    open_editor, model, task, tmp_path
):
    env = codex(model, tmp_path / "home", **{"gpt-5": [{"http": 401, "times": 20}]})
    editor = await open_editor(options=settings(), env=env)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}, {"agentType": "exits3"}]},
    )
    status = await editor.finished(run["debugRunId"])
    assert status["orchestrator"]["status"] == "failed"
    assert status["orchestrator"]["failure"]["kind"] == "auth"
    assert "merged by rule, because the orchestrator codex failed: " in task.read_text()
    assert "`calc.py:2`" in task.read_text()

    model.load("codex/gpt-5", {"cwd": ".", "steps": [STREAMED]})
    again = await editor.command(
        "orchestrateDebugRun", {"debugRunId": run["debugRunId"], "force": True}
    )
    assert again["isNew"]
    assert again["sessionId"] != status["orchestrator"]["sessionId"]
    await editor.finished(run["debugRunId"])
    text = task.read_text()
    assert "By codex, " in text
    assert "<summary>Earlier synthesis: run" in text
    assert text.count("<!-- bug-lsp:begin") == 1


@pytest.mark.fault(8)
async def test_a_killed_server_loses_nothing(open_editor, model, task, tmp_path, gate):
    env = codex(model, tmp_path / "home", one=READ_AND_FIX, **{"gpt-5": [STREAMED]})
    env["GO"] = str(gate)
    editor = await open_editor(options=settings(), env=env)
    run = await editor.command(
        "debugWithAgents",
        {
            "taskUri": task.as_uri(),
            "agents": [{"agentType": "waits"}, {"agentType": "codex", "model": "one"}],
        },
    )
    await editor.until(lambda: len(editor.progress(run["sessionIds"][0])) > 1)
    await editor.kill()
    (gate / "open").touch()

    folder = WorkspaceFolder.of(task.parent.parent)
    await asyncio.to_thread(
        wait_until, lambda: "By codex" in task.read_text(), workspace=folder, deadline=60
    )
    assert task.read_text().startswith(TASK)

    after = await open_editor(options=settings(), env=env)
    [group] = (await after.command("getTaskSessions", {"taskUri": task.as_uri()}))["groups"]
    assert [session["status"] for session in group["debug"]] == ["completed"] * 2
    [orchestrator] = group["orchestrator"]
    opened = await after.command("openSession", {"sessionId": orchestrator["sessionId"]})
    assert opened == {"uri": orchestrator["uri"], "shown": True}
    text = await after.read(opened["uri"])
    assert text.startswith("> **completed** · codex (gpt-5)")
    assert "It subtracts, as two sessions have seen." in text


async def test_a_new_server_takes_up_what_is_still_going(open_editor, model, task, gate):
    env = {"GO": str(gate)}
    first = await open_editor(env=env)
    run = await first.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "waits"}, {"agentType": "right"}]},
    )
    await first.until(lambda: len(first.progress(run["sessionIds"][0])) > 1)
    await first.kill()

    second = await open_editor(env=env)
    second.open(task)
    await second.until(lambda: second.progress(run["sessionIds"][0]), what="progress again")
    (gate / "open").touch()
    await second.finished(run["debugRunId"])
    assert "By digest" in second.text(task)
    assert task.read_text() == TASK

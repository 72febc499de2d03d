"""Steering a run from the editor."""

from __future__ import annotations

import json

import pytest
from pygls.exceptions import JsonRpcException

from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home

from .conftest import REPORT, acp_program

pytestmark = pytest.mark.anyio


def waiting(tmp_path):
    """A script in which a tool waits for the file `go`, then the answer comes."""
    waits = f"until [ -e {tmp_path / 'go'} ]; do sleep 0.05; done"
    answer = f"Done.\n\n```json\n{json.dumps(REPORT)}\n```"
    return {
        "cwd": ".",
        "steps": [{"tools": [{"kind": "shell", "command": waits}]}, {"text": answer}],
    }


async def test_a_failed_session_is_retried_and_the_region_revised(open_editor, task):
    editor = await open_editor()
    editor.open(task)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}, {"agentType": "exits3"}]},
    )
    await editor.finished(run["debugRunId"])
    assert "degraded" in editor.text(task)
    retried = await editor.command(
        "retrySession", {"sessionId": run["sessionIds"][1], "agentType": "right"}
    )
    assert retried["session"]["title"] == "Debug (3): add() subtracts"
    status = await editor.finished(run["debugRunId"])
    assert status["sessions"][1]["retriedBy"] == retried["sessionId"]
    assert (status["totalCount"], status["completedCount"]) == (2, 2)
    text = editor.text(task)
    assert "degraded" not in text.partition("<details>")[0]
    assert text.count("<!-- bug-lsp:begin") == 1
    [group] = (await editor.command("getTaskSessions", {"taskUri": task.as_uri()}))["groups"]
    assert len(group["orchestrator"]) == 2


async def test_an_agent_is_added_and_another_ended_by_synthesise_now(open_editor, task):
    editor = await open_editor()
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "sleeps"}]}
    )
    added = await editor.command(
        "addAgent", {"debugRunId": run["debugRunId"], "agentType": "right"}
    )
    await editor.until(
        lambda: any(getattr(v, "kind", "") == "end" for v in editor.progress(added["sessionId"])),
        what="the end of the added session",
    )
    ended = await editor.command("synthesiseNow", {"debugRunId": run["debugRunId"]})
    assert ended == {"cancelled": run["sessionIds"]}
    status = await editor.finished(run["debugRunId"])
    assert (status["completedCount"], status["cancelledCount"]) == (1, 1)
    assert "degraded: 1 of 2 sessions completed, 1 cancelled" in task.read_text()


async def test_what_the_user_says_reaches_codex_while_it_works(open_editor, model, task, tmp_path):
    model.load("codex", waiting(tmp_path))
    env = write_codex_home(tmp_path / "home", model.url("codex"))
    editor = await open_editor(env=env)
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "codex"}]}
    )
    session = run["sessions"][0]
    await editor.until(
        lambda: any(
            "until [ -e" in (v.message or "") for v in editor.progress(session["sessionId"])
        ),
        what="the waiting command",
    )
    said = await editor.command(
        "messageSession", {"sessionId": session["sessionId"], "text": "Look at the sign."}
    )
    assert said == {"delivered": True}
    await editor.read(session["uri"])
    await editor.until(lambda: "**you:** Look at the sign." in editor.texts[session["uri"]][-1])
    (tmp_path / "go").touch()
    await editor.finished(run["debugRunId"])
    assert "Look at the sign." in json.dumps(model.requests("codex")[-1]["body"])


async def test_what_the_user_says_reaches_claude_while_it_works(
    open_editor, model, task, tmp_path, gate
):
    model.load("claude", waiting(gate))
    editor = await open_editor(
        options={"writablePaths": [str(gate)]},
        env=write_claude_home(tmp_path / "home", model.url("claude")),
    )
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "claude"}]}
    )
    session = run["sessions"][0]
    await editor.until(
        lambda: any(
            "until [ -e" in (v.message or "") for v in editor.progress(session["sessionId"])
        ),
        what="the waiting command",
    )
    for text in ("Look at the sign.", "And at the name."):
        await editor.command("messageSession", {"sessionId": session["sessionId"], "text": text})
    await editor.read(session["uri"])
    await editor.until(lambda: "**you:** And at the name." in editor.texts[session["uri"]][-1])
    (gate / "go").touch()
    status = await editor.finished(run["debugRunId"])
    assert status["completedCount"] == 1
    asked = json.dumps(model.requests("claude")[-1]["body"])
    assert asked.index("Look at the sign.") < asked.index("And at the name.")
    with pytest.raises(JsonRpcException) as caught:
        await editor.command("messageSession", {"sessionId": session["sessionId"], "text": "Oh."})
    assert "is not running, so nobody would hear it" in str(caught.value.message)


async def test_what_the_user_says_to_an_acp_agent_is_its_next_prompt(open_editor, task, gate):
    talks = acp_program("talks", str(gate / "go"))
    editor = await open_editor(
        options={"agents": {"talks": talks | {"writablePaths": [str(gate)]}}}
    )
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "talks"}]}
    )
    session = run["sessions"][0]
    await editor.read(session["uri"])
    await editor.until(lambda: "Waiting." in editor.texts[session["uri"]][-1])
    for text in ("Look at the sign.", "And at the name."):
        await editor.command("messageSession", {"sessionId": session["sessionId"], "text": text})
    (gate / "go").touch()
    await editor.finished(run["debugRunId"])
    shown = await editor.read(session["uri"])
    assert "**you:** Look at the sign." in shown
    _, _, answer = shown.partition("Turn 2: ")
    assert answer.index("Look at the sign.") < answer.index("And at the name.")
    assert "closing JSON block that you were asked for" in answer


async def test_what_cannot_be_steered_is_refused_with_what_to_do(open_editor, task):
    editor = await open_editor()
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "sleeps"}]}
    )
    session_id = run["sessionIds"][0]
    wrong = [
        ("retrySession", {"sessionId": session_id}, "has not ended"),
        ("retrySession", {}, "sessionId: is missing"),
        ("addAgent", {"debugRunId": run["debugRunId"]}, "agentType: Field required"),
        ("addAgent", {"debugRunId": run["debugRunId"], "agentType": "nobody"}, "no agent 'nobody'"),
        ("messageSession", {"sessionId": session_id, "text": ""}, "text: "),
        ("messageSession", {"sessionId": "0" * 12, "text": "x"}, "there is no session"),
        ("synthesiseNow", {"debugRunId": "0" * 16}, "there is no debug run"),
    ]
    for name, argument, says in wrong:
        with pytest.raises(JsonRpcException) as caught:
            await editor.command(name, argument)
        assert says in str(caught.value.message)
    await editor.command("cancelDebugRun", {"debugRunId": run["debugRunId"]})

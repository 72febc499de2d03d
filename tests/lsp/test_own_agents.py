"""Agents that the user's settings define take part; those that a workspace may bring do not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from .conftest import AGENTS, OPTIONS, acp_program, program

pytestmark = pytest.mark.anyio

MINE = {"mine": AGENTS["right"], "spoken": acp_program("modes")}
DIGEST = {"orchestrator": {"agentType": "digest"}}
CONFIG = """
[orchestrator]
agentType = "digest"

[agents.mine]
type = "command"
command = {command}
env = {{ GREETING = "hello" }}

[agents.spoken]
type = "acp"
command = {acp}
"""


def _both_in_a_file() -> str:
    says = "import os, sys; sys.stdin.read(); print(os.environ['GREETING'], 'from mine')"
    return CONFIG.format(
        command=json.dumps([sys.executable, "-c", says]),
        acp=json.dumps(acp_program("modes")["command"]),
    )


async def _both_work(editor, task: Path) -> list[str]:
    """Lists both, runs both, and returns what each said."""
    listed = {one["agentType"]: one for one in (await editor.command("listAgents"))["agents"]}
    for name in ("mine", "spoken"):
        assert listed[name] == {
            "agentType": name,
            "installed": True,
            "version": None,
            "ready": True,
            "hint": "",
            "confinedBy": "bubblewrap",
        }
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "mine"}, {"agentType": "spoken"}]},
    )
    status = await editor.finished(run["debugRunId"])
    assert status["completedCount"] == 2
    assert status["orchestrator"]["status"] == "completed"
    assert "## Root cause" in task.read_text()
    return [await editor.read(session["uri"]) for session in status["sessions"]]


async def test_a_program_and_an_acp_agent_of_the_editors_settings_take_part(open_editor, task):
    editor = await open_editor(options={"bugLsp": {"agents": MINE, **DIGEST}})
    mine, spoken = await _both_work(editor, task)
    assert "Found it." in mine
    assert "I am in default." in spoken
    assert _warnings(editor) == []


async def test_a_program_and_an_acp_agent_of_the_users_own_file_take_part(open_editor, task):
    Path(os.environ["BUG_LSP_CONFIG"]).write_text(_both_in_a_file())
    editor = await open_editor(options=None)
    mine, spoken = await _both_work(editor, task)
    assert "hello from mine" in mine
    assert "I am in default." in spoken


def _bring(editor, settings: dict[str, object]) -> None:
    """The editor's settings are these now, and it says that they changed."""
    editor.client.set_configuration(settings, section="bugLsp")
    editor.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings=None)
    )


def _warnings(editor) -> list[str]:
    return [
        message.message
        for message in editor.client.messages
        if message.type is types.MessageType.Warning
    ]


async def _refusal(editor, name: str, argument: dict[str, object]) -> str:
    with pytest.raises(JsonRpcException) as caught:
        await editor.command(name, argument)
    return str(caught.value.message)


@pytest.mark.fault(19)
async def test_an_agent_of_the_workspaces_settings_is_not_run_and_the_user_is_told_why_once(
    open_editor, task, tmp_path
):
    planted = {
        "planted": program(f"open({str(tmp_path / 'ran')!r}, 'w')"),
        "spoken": {"type": "acp", "command": ["sh", "-c", f"touch {tmp_path / 'ran'}"]},
        "right": program(f"open({str(tmp_path / 'ran')!r}, 'w')"),
        "exits3": AGENTS["exits3"],
    }
    editor = await open_editor()
    _bring(editor, {"agents": planted, "tasksDir": "bugs"})
    await editor.until(lambda: _warnings(editor))
    [told] = _warnings(editor)
    assert "agents 'planted', 'spoken', 'right' are not used" in told
    assert "settings of a workspace may not name programs to run" in told
    assert os.environ["BUG_LSP_CONFIG"] in told
    assert "initializationOptions" in told

    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}]}
    )
    await editor.finished(run["debugRunId"])
    for name in ("planted", "spoken"):
        said = await _refusal(
            editor, "debugWithAgents", {"title": "x", "agents": [{"agentType": name}]}
        )
        assert said.startswith(f"agent {name!r} is not run: settings of a workspace may not name")
        for command, argument in (
            ("addAgent", {"debugRunId": run["debugRunId"]}),
            ("retrySession", {"sessionId": run["sessionIds"][0]}),
        ):
            said = await _refusal(editor, command, {**argument, "agentType": name})
            assert "is not run: settings of a workspace" in said
    listed = {one["agentType"] for one in (await editor.command("listAgents"))["agents"]}
    assert listed & set(planted) == {"right", "exits3"}, "the user's own, as they defined them"
    assert not (tmp_path / "ran").exists()

    _bring(editor, {"agents": {**planted, "another": AGENTS["right"]}})
    await editor.until(lambda: len(_warnings(editor)) > 1)
    assert "agent 'another' is not used" in _warnings(editor)[1], "what was told is not told again"


@pytest.mark.parametrize(
    "settings",
    [{"defaultAgents": ["planted"]}, {"orchestrator": {"agentType": "planted"}}],
    ids=["by default", "to orchestrate"],
)
@pytest.mark.fault(19)
async def test_the_workspaces_settings_cannot_have_it_run_in_another_way(
    settings, open_editor, task, tmp_path
):
    planted = {"planted": program(f"open({str(tmp_path / 'ran')!r}, 'w')")}
    editor = await open_editor()
    _bring(editor, {"agents": planted, **settings})
    await editor.until(lambda: _warnings(editor))
    said = await _refusal(editor, "debugWithAgents", {"taskUri": task.as_uri()})
    assert said.startswith("agent 'planted' is not run: ")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("agents", [None, {}, [], "sh", {"a": None}, {"a": {"command": 3}}])
async def test_odd_settings_of_a_workspace_do_no_harm(agents, open_editor, task):
    editor = await open_editor(options=OPTIONS)
    _bring(editor, {"agents": agents})
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}]}
    )
    await editor.finished(run["debugRunId"])
    assert len(_warnings(editor)) == (agents not in (None, {}, [], "sh"))


@pytest.mark.fault(19)
async def test_a_workspace_cannot_loosen_what_holds_agents_and_the_user_is_told(open_editor):
    editor = await open_editor()
    _bring(editor, {"confinement": "off", "writablePaths": ["~"], "tasksDir": "bugs"})
    await editor.until(lambda: len(_warnings(editor)) > 1)
    assert [said.split(" of the editor")[0] for said in sorted(_warnings(editor))] == [
        "bug-lsp: the setting `confinement`",
        "bug-lsp: the setting `writablePaths`",
    ]
    listed = (await editor.command("listAgents"))["agents"]
    assert {one["confinedBy"] for one in listed if one["agentType"] == "right"} == {"bubblewrap"}


async def test_a_workspace_cannot_name_the_python_that_runs_tests(open_editor):
    editor = await open_editor()
    _bring(editor, {"python": "planted/python"})
    await editor.until(lambda: _warnings(editor))
    (said,) = _warnings(editor)
    assert said.startswith("bug-lsp: the setting `python` of the editor's settings is not followed")


async def test_a_workspace_cannot_have_the_users_runs_deleted(open_editor):
    editor = await open_editor()
    _bring(editor, {"keepRuns": 1})
    await editor.until(lambda: _warnings(editor))
    (said,) = _warnings(editor)
    assert said.startswith("bug-lsp: the setting `keepRuns` of the editor's settings is not follow")
    assert "settings of a workspace may not have runs of yours deleted" in said


async def test_what_the_users_own_settings_say_too_is_no_news(open_editor):
    options = {"bugLsp": {**OPTIONS["bugLsp"], "confinement": "off"}}
    editor = await open_editor(options=options)
    _bring(editor, {"confinement": "off"})
    listed = (await editor.command("listAgents"))["agents"]
    assert {one["confinedBy"] for one in listed if one["agentType"] == "right"} == {None}
    assert _warnings(editor) == []

"""How a synthesis comes into the task file: through the buffer where there is one, and never at the
cost of a character of the user's."""

from __future__ import annotations

import asyncio
import copy

import pytest

from .conftest import TASK
from .editor import FULL

pytestmark = pytest.mark.anyio

RUN = [{"agentType": "right"}, {"agentType": "exits3"}]


async def start(editor, task):
    run = await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": RUN})
    return run["debugRunId"]


async def test_a_file_that_is_not_open_is_written_on_disk(open_editor, task):
    editor = await open_editor()
    await editor.finished(await start(editor, task))
    assert task.read_text().startswith(TASK)
    assert "## Root cause" in task.read_text()
    assert editor.edits == []


@pytest.mark.fault(16)
async def test_an_edit_for_a_version_that_is_past_is_made_again_for_the_present_one(
    open_editor, task
):
    editor = await open_editor()
    editor.open(task)
    editor.before_edit = lambda: editor.type(task, 0, "Typed meanwhile.\n\n")
    await editor.finished(await start(editor, task))
    assert len(editor.edits) == 2, "the first one was for a version that was past"
    assert editor.text(task).startswith("Typed meanwhile.\n\n" + TASK)
    assert editor.text(task).count("## Root cause") == 1


async def test_a_client_without_versions_gets_plain_changes(open_editor, task):
    capabilities = copy.deepcopy(FULL)
    capabilities["workspace"]["workspaceEdit"] = {}
    editor = await open_editor(capabilities)
    editor.open(task)
    await editor.finished(await start(editor, task))
    [edit] = editor.edits
    assert edit.edit.document_changes is None
    assert editor.text(task).startswith(TASK)
    assert "## Root cause" in editor.text(task)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_odd_characters_before_the_region_move_nothing(open_editor, task, encoding):
    odd = "# Bug \U0001f41b\n\na\x0cb\u2028c\x85d e\u0301\r\nlast line with \U0001f41b"
    task.write_bytes(odd.encode())
    capabilities = copy.deepcopy(FULL)
    capabilities["general"] = {"positionEncodings": [encoding]}
    editor = await open_editor(capabilities)
    editor.open(task)
    first = await start(editor, task)
    await editor.finished(first)
    assert editor.text(task).startswith(odd)
    second = await start(editor, task)
    await editor.finished(second)
    text = editor.text(task)
    assert text.startswith(odd)
    assert text.count("<!-- bug-lsp:begin") == 1
    assert f"begin run={second}" in text
    assert f"<summary>Earlier synthesis: run {first}" in text


@pytest.mark.fault(16)
async def test_an_editor_that_refuses_leaves_unsaved_text_alone_until_it_is_saved(
    open_editor, task
):
    editor = await open_editor()
    editor.open(task)
    editor.type(task, 0, "Unsaved.\n\n")
    editor.lets_edit = False
    run_id = await start(editor, task)
    await editor.until(lambda: editor.client.messages, what="a message")
    assert "has unsaved changes" in editor.client.messages[0].message
    assert task.read_text() == TASK
    assert not (await editor.command("getDebugRunStatus", {"debugRunId": run_id}))["delivered"]

    editor.lets_edit = True
    editor.save(task)
    await editor.finished(run_id)
    assert editor.text(task).startswith("Unsaved.\n\n" + TASK)
    assert "## Root cause" in editor.text(task)


async def test_a_client_that_makes_no_edits_gets_the_file_on_disk(open_editor, task):
    editor = await open_editor({"window": {"workDoneProgress": True}})
    editor.open(task)
    await editor.finished(await start(editor, task))
    assert task.read_text().startswith(TASK)
    assert "## Root cause" in task.read_text()


async def test_of_two_editors_the_one_that_has_the_file_open_receives_it(open_editor, task):
    first, second = await asyncio.gather(open_editor(), open_editor())
    second.open(task)
    await second.command("listDebugRuns")  # by now the server has seen the file
    run_id = await start(first, task)
    status = await second.finished(run_id)
    assert status["delivered"]
    assert "## Root cause" in second.text(task)
    assert task.read_text() == TASK
    assert first.edits == []


@pytest.mark.fault(16)
async def test_a_task_file_that_was_deleted_meanwhile_is_said(open_editor, task, gate):
    editor = await open_editor(env={"GO": str(gate)})
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": "waits"}, {"agentType": "right"}]},
    )
    task.unlink()
    (gate / "open").touch()
    await editor.until(lambda: editor.questions, what="the notification at the end")
    assert "its synthesis is not in the task file" in editor.questions[0].message
    assert not (await editor.command("getDebugRunStatus", run["debugRunId"]))["delivered"]
    assert not task.exists()


async def test_the_notification_at_the_end_leads_to_the_task_and_the_orchestrator(
    open_editor, task
):
    editor = await open_editor()
    editor.answer = lambda question: question.actions[0].title
    await start(editor, task)
    await editor.until(
        lambda: any(shown.uri == task.as_uri() for shown in editor.client.shown_documents)
    )
    [question] = editor.questions
    assert [action.title for action in question.actions] == ["Open Task", "Open Orchestrator"]
    assert "1 of 2 sessions completed" in question.message

"""The whole job in each editor that the tests cannot run, played by a client with its capabilities:
what it can do it does, and the rest reaches the user in another way.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bug_lsp.store.layout import WorkspaceFolder
from tests.editors.conftest import speaks_slowly
from tests.support import example, runs
from tests.support.projects import BUG
from tests.support.projects import TASK as TASK_TEXT

from .offers import actions, carry_out, titles
from .simulated import Simulated, capabilities

pytestmark = [pytest.mark.anyio, pytest.mark.example, pytest.mark.timeout(120)]

CLIENTS = (
    "emacs-lsp-mode",
    "helix",
    "helix-25.07.1-from-source",
    "kakoune-lsp",
    "sublime-lsp",
    "vim-lsp",
    "zed",
)
TYPED = "Seen since Tuesday.\n"
SYNTHESIS = {**runs.SYNTHESIS, "findings": [runs.FINDING]}


@pytest.fixture
def turnstile(tmp_path: Path):
    with runs.turnstile(tmp_path / "turnstile") as made:
        yield made


def options(turnstile: runs.Turnstile) -> dict[str, Any]:
    agents = {
        "right": example.RIGHT.as_program(),
        "slow": speaks_slowly(turnstile, "I look around.", f"Ah.\n\n{runs.block(runs.REPORT)}"),
        "sleeps": runs.WAITS,
        "boss": speaks_slowly(turnstile, "First I read.", f"Then:\n\n{runs.block(SYNTHESIS)}"),
    }
    return {
        "agents": {
            name: json.loads(agent.model_dump_json(by_alias=True)) for name, agent in agents.items()
        },
        "defaultAgents": ["right", "slow", "sleeps"],
        "orchestrator": {"agentType": "boss"},
    }


@pytest.mark.parametrize(
    "can",
    [
        pytest.param({}, id="no optional capability"),
        *(pytest.param(capabilities(name), id=name) for name in CLIENTS),
    ],
)
async def test_the_whole_job(project, task, turnstile, can):
    first = await Simulated(project, can).start(options=options(turnstile))
    run = await _started_and_one_cancelled(first, task)
    turnstile.let_go(2)
    orchestrator = await _orchestrator_is_at_work(first, run["debugRunId"])
    await _its_text_is_there(first, orchestrator)
    await first.kill()

    second = await Simulated(project, can).start(options=options(turnstile))
    second.open(task)
    edits = second.can("workspace/applyEdit")
    second.type(task, 2, TYPED)
    if not edits:
        second.save(task)
    if second.can("window/workDoneProgress/create"):
        await second.until(lambda: second.progress(orchestrator["sessionId"]))
    found_again = titles(await actions(second, task))
    assert found_again == ["Cancel (its synthesis is being written)", "Open orchestrator"]
    turnstile.let_go(2)
    status = await second.finished(run["debugRunId"])
    assert (status["completedCount"], status["cancelledCount"]) == (2, 1)
    await second.until(lambda: second.said("is done (2 of 3 sessions completed)"))

    text = second.text(task) if edits else task.read_text()
    assert TYPED in text
    assert "The tax is subtracted at shop/tax.py:3." in text
    if edits:
        assert task.read_text() == TASK_TEXT, "it is for the user to save"
        second.undo()
        assert "## Root cause" not in second.text(task)
    await _patch_is_applied_and_undone(second, project / example.BUGGY_FILE)
    await second.end()


async def _started_and_one_cancelled(editor: Simulated, task: Path) -> dict[str, Any]:
    editor.open(task)
    offered = await actions(editor, task)
    assert titles(offered) == ["Debug with agents"]
    run = await carry_out(editor, offered[0])
    sleeps = run["sessionIds"][2]
    if editor.can("window/workDoneProgress/create"):
        await editor.until(lambda: editor.progress(sleeps))
        editor.cancel_progress(sleeps)
    else:
        await editor.until(lambda: editor.said("is being debugged by right, slow, sleeps"))
        assert await editor.command("cancelSession", sleeps) == {"cancelled": True}
    return run


async def _orchestrator_is_at_work(editor: Simulated, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            seen = len(editor.run_changes)
            status = await editor.command("getDebugRunStatus", run_id)
            if status["orchestrator"] and status["orchestrator"]["status"] == "running":
                return status["orchestrator"]
            await editor.until(lambda: len(editor.run_changes) > seen)  # noqa: B023


async def _its_text_is_there(editor: Simulated, session: dict[str, Any]) -> None:
    """As a live document, or as a file that grows; shown, or named in a message."""
    uri = session["uri"]
    if editor.can("window/showDocument"):
        await editor.until(lambda: uri in {one.uri for one in editor.client.shown_documents})
    else:
        await editor.until(lambda: editor.said("Orchestrator: Prices are too low"))
    if editor.can("workspace/textDocumentContent/refresh"):
        await editor.read(uri)
        await editor.until(lambda: "First I read." in editor.texts[uri][-1])
        return
    path = Path(unquote(uri.removeprefix("file://")))
    workspace = WorkspaceFolder.of(editor.root)
    await asyncio.to_thread(
        runs.wait_until, lambda: "First I read." in path.read_text(), workspace=workspace
    )


async def _patch_is_applied_and_undone(editor: Simulated, buggy: Path) -> None:
    await editor.until(lambda: len(editor.diagnostics(buggy)) == 1)
    before = buggy.read_text()
    edits = editor.can("workspace/applyEdit")
    if edits:
        editor.open(buggy)
    [found] = editor.diagnostics(buggy)
    offered = await actions(editor, buggy, 2, [found])
    assert titles(offered)[0].startswith("Apply the patch of Debug (1) right")
    assert (await carry_out(editor, offered[0]))["applied"]
    await editor.until(lambda: editor.diagnostics(buggy) == [])
    fixed = before.replace(BUG, example.RIGHT.line)
    assert (editor.text(buggy) if edits else buggy.read_text()) == fixed
    if edits:
        editor.undo()
        assert editor.text(buggy) == before
        await editor.until(lambda: len(editor.diagnostics(buggy)) == 1)

"""Cancel, pressed in the editor while an agent's tool runs: each kind of agent is gone in time."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import psutil
import pytest

from bug_lsp.store.layout import WorkspaceFolder
from tests.support import leftovers
from tests.support.projects import fingerprint
from tests.support.runs import wait_until

from .conftest import git, program
from .vendors import VENDORS, scripted

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

ENDING_SECONDS = 6
SLEEPS = """\
import pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path("running").touch()
time.sleep(600)
"""
"""Says that it runs, with a child that has left its group, and would go on for ten minutes."""
TOOL = {"tools": [{"kind": "shell", "command": f"{sys.executable} tool.py"}]}
GEMINI = {
    "type": "acp",
    "command": ["gemini", "--acp", "--skip-trust"],
    "env": {"GEMINI_CLI_NO_RELAUNCH": "true"},
}
"""As a user would name it who does not know that we do."""
AGENTS = {"a-program": program(SLEEPS), "an-acp-agent": GEMINI}


@pytest.fixture
def with_tools(project: Path) -> Path:
    """The project with a program that does not end, and a test that runs it."""
    (project / "tool.py").write_text(SLEEPS)
    (project / "test_calc.py").write_text("def test_add():\n    import tool\n")
    git(project, "add", ".")
    git(project, "-c", "user.name=Ada", "-c", "user.email=ada@localhost", "commit", "-qm", "Tools")
    return project


@pytest.mark.parametrize("kind", [*VENDORS, *AGENTS, "spectrum", "bisect"])
async def test_an_agent_that_is_cancelled_while_its_tool_runs_is_gone_at_once(
    kind, open_editor, model, with_tools, task, tmp_path, state_dir
):
    env = scripted(model, tmp_path / "agents", [TOOL])
    before = fingerprint(with_tools, without=("tasks",))
    editor = await open_editor(options={"agents": AGENTS}, env=env)
    run = await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": kind}]}
    )
    [session_id] = run["sessionIds"]
    [folder] = state_dir.glob(f"workspaces/*/runs/*/sessions/{session_id}")
    await asyncio.to_thread(
        wait_until,
        lambda: list(folder.glob("copy/*/running")),
        workspace=WorkspaceFolder.of(with_tools),
        deadline=90,
    )
    await editor.until(lambda: editor.progress(session_id), what="its progress")
    assert works_in(folder)

    pressed = time.monotonic()
    editor.cancel_progress(session_id)
    await editor.until(lambda: editor.progress(session_id)[-1].kind == "end", what="the end")
    assert time.monotonic() - pressed < ENDING_SECONDS
    assert editor.progress(session_id)[-1].message.startswith("cancelled")
    [session] = (await editor.command("getDebugRunStatus", {"debugRunId": run["debugRunId"]}))[
        "sessions"
    ]
    assert session["status"] == "cancelled"
    assert leftovers.of_session(run["debugRunId"], session_id) == []
    assert works_in(folder) == []
    assert fingerprint(with_tools, without=("tasks",)) == before


def works_in(folder: Path) -> list[psutil.Process]:
    """The processes whose working folder is a session's copy, whatever their environment says."""
    return [
        process
        for process in psutil.process_iter(["cwd"])
        if (process.info["cwd"] or "").startswith(f"{folder}/copy/")
    ]

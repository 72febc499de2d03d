"""Four vendors' real agents on one bug, each in its own copy, and one orchestrator."""

from __future__ import annotations

import json
import sys

import pytest

from tests.acp_homes import write_gemini_home, write_opencode_home
from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.support.projects import fingerprint

from .conftest import REPORT, TASK

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

AGENTS = ["codex", "claude", "gemini", "opencode"]
CHECK = f"{sys.executable} -c 'import calc; assert calc.add(2, 3) == 5; print(\"it adds\")'"
STEPS = [
    {"tools": [{"kind": "shell", "command": "cat calc.py"}]},
    {"tools": [{"kind": "shell", "command": "sed -i 's/a - b/a + b/' calc.py"}]},
    {"tools": [{"kind": "shell", "command": CHECK}]},
    {"text": f"Fixed and checked.\n\n```json\n{json.dumps(REPORT)}\n```"},
]
SYNTHESIS = {
    "rootCause": "All four say calc.py:2.",
    "recommendedSolution": "Add.",
    "implementationSteps": ["Change calc.py:2."],
    "sessionNotes": [],
    "conflicts": [],
    "findings": REPORT["findings"],
}


async def test_four_vendors_agents_debug_one_bug_and_one_orchestrator_concludes(
    open_editor, model, project, task, tmp_path, state_dir
):
    home = tmp_path / "agents"
    homes = {
        "gemini": write_gemini_home,
        "opencode": write_opencode_home,
        "claude": write_claude_home,
        "codex": write_codex_home,
    }
    env = {}
    for name, write in homes.items():
        model.load(name, {"cwd": ".", "steps": STEPS})
        env |= write(home, model.url(name))
    answer = {"text": f"```json\n{json.dumps(SYNTHESIS)}\n```"}
    model.load("codex/gpt-5", {"cwd": ".", "steps": [answer]})
    before = fingerprint(project, without=("tasks",))
    editor = await open_editor(
        options={"orchestrator": {"agentType": "codex", "model": "gpt-5"}}, env=env
    )
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in AGENTS]},
    )
    status = await editor.finished(run["debugRunId"], 180)

    assert {one["agentType"]: one["status"] for one in status["sessions"]} == dict.fromkeys(
        AGENTS, "completed"
    )
    for session_id in run["sessionIds"]:
        [patch] = state_dir.glob(f"workspaces/*/runs/*/sessions/{session_id}/patch.diff")
        assert "+    return a + b" in patch.read_text()
    assert "All four say calc.py:2." in task.read_text()
    assert task.read_text().startswith(TASK)
    assert fingerprint(project, without=("tasks",)) == before
    told = json.dumps(model.requests("codex/gpt-5")[0]["body"])
    assert told.count("return a + b") >= 4, "the orchestrator was told every patch"

"""Four vendors' real agents on one bug, each in its own copy, and one orchestrator."""

from __future__ import annotations

import json
import sys

import pytest

from tests.support.projects import fingerprint

from .conftest import REPORT, TASK
from .vendors import VENDORS, scripted

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

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
    env = scripted(model, tmp_path / "agents", STEPS)
    answer = {"text": f"```json\n{json.dumps(SYNTHESIS)}\n```"}
    model.load("codex/gpt-5", {"cwd": ".", "steps": [answer]})
    before = fingerprint(project, without=("tasks",))
    editor = await open_editor(
        options={"orchestrator": {"agentType": "codex", "model": "gpt-5"}}, env=env
    )
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in VENDORS]},
    )
    status = await editor.finished(run["debugRunId"], 180)

    assert {one["agentType"]: one["status"] for one in status["sessions"]} == dict.fromkeys(
        VENDORS, "completed"
    )
    for session_id in run["sessionIds"]:
        [patch] = state_dir.glob(f"workspaces/*/runs/*/sessions/{session_id}/patch.diff")
        assert "+    return a + b" in patch.read_text()
    assert "All four say calc.py:2." in task.read_text()
    assert task.read_text().startswith(TASK)
    assert fingerprint(project, without=("tasks",)) == before
    told = json.dumps(model.requests("codex/gpt-5")[0]["body"])
    assert told.count("return a + b") >= 4, "the orchestrator was told every patch"

"""Four vendors' real agents, each made to write where it must not, in a way that no policy sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.acp_homes import write_gemini_home, write_opencode_home
from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.support.projects import fingerprint

from .conftest import REPORT, git

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

AGENTS = ["codex", "claude", "gemini", "opencode"]
PLANT = """
import glob, pathlib
mine = pathlib.Path.cwd()
others = [name for name in glob.glob("../../../*/copy/*/calc.py") if mine not in
          pathlib.Path(name).resolve().parents]
for name in pathlib.Path("victims.txt").read_text().split() + others:
    try:
        pathlib.Path(name).write_text("planted = True")
        print(name, "WRITTEN")
    except OSError as error:
        print(name, error.strerror)
pathlib.Path("calc.py").write_text("mine = True")
"""
STEPS = [
    {"tools": [{"kind": "shell", "command": f"{sys.executable} plant.py"}]},
    {"text": f"Done.\n\n```json\n{json.dumps(REPORT)}\n```"},
]


async def test_none_writes_outside_its_copy(open_editor, model, project, task, tmp_path, state_dir):
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
    victims = [project / "calc.py", project / ".git" / "HEAD", home / "planted", Path("/planted")]
    (project / "plant.py").write_text(PLANT)
    (project / "victims.txt").write_text("\n".join(map(str, victims)))
    git(project, "add", ".")
    git(project, "-c", "user.name=Ada", "-c", "user.email=ada@localhost", "commit", "-qm", "Plant")
    before = fingerprint(project, without=("tasks",))
    editor = await open_editor(options={"orchestrator": {"agentType": "digest"}}, env=env)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in AGENTS]},
    )
    status = await editor.finished(run["debugRunId"], 180)
    assert {one["agentType"]: one["status"] for one in status["sessions"]} == dict.fromkeys(
        AGENTS, "completed"
    )
    for name, session_id in zip(AGENTS, run["sessionIds"], strict=True):
        [folder] = state_dir.glob(f"workspaces/*/runs/*/sessions/{session_id}")
        output = (folder / "output.md").read_text()
        assert "**confined** to its copy" in output
        assert "WRITTEN" not in output, name
        assert "+mine = True" in (folder / "patch.diff").read_text(), "it did write in its own"
        assert "planted = True" not in (folder / "patch.diff").read_text(), name
    told = "".join(json.dumps(one["body"]) for name in AGENTS for one in model.requests(name))
    assert told.count("Read-only file system") >= len(AGENTS), "each was told why"
    assert fingerprint(project, without=("tasks",)) == before
    assert not (home / "planted").exists()
    assert not Path("/planted").exists()

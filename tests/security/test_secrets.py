"""What is secret in the environment, the prompt, the settings and what agents say is in no log and
in no command line of ours.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.lsp.conftest import TASK
from tests.lsp.editor import Editor
from tests.support.projects import Project

pytestmark = pytest.mark.fault(21)

MARKS = {
    "environment": "s3cret-of-the-environment",
    "settings": "s3cret-of-the-settings",
    "task": "s3cret-of-the-task",
    "description": "s3cret-of-the-description",
    "said": "s3cret-that-was-said",
    "answer": "s3cret-of-the-answer",
    "test": "s3cret-of-the-test-command",
}
_AGENT = (
    "import os, sys\n"
    "sys.stdin.read()\n"
    "assert os.environ['OF_SETTINGS'] and os.environ['OF_ENVIRONMENT']\n"
    "print(open(os.environ['SAYS']).read(), flush=True)\n"
    "while not os.path.exists(os.environ['GO'] + '/open'): __import__('time').sleep(0.02)\n"
    "sys.exit(int(os.environ['STATUS']))\n"
)


def ours(state: Path, server: int) -> list[str]:
    """The command lines of the server and of all session processes, with what they started."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environ = (path / "environ").read_bytes()
            except OSError:
                continue
            mine = int(path.name) == server or b"BUG_LSP_SESSION=" in environ or str(state) in line
            if mine and int(path.name) != os.getpid():
                found.append(line)
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("level", ["DEBUG"])
async def test_no_secret_is_in_a_log_or_a_command_line(
    project: Project,
    state_dir: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    level: str,
) -> None:
    task = project.task(f"{TASK}\n{MARKS['task']}\n", "tasks/add.md")
    gate, says = tmp_path / "gate", tmp_path / "says"
    gate.mkdir()
    says.write_text(f"{MARKS['answer']}\n![x](command:{MARKS['answer']})\n")

    def agent(status: int) -> dict[str, object]:
        values = {"SAYS": str(says), "GO": str(gate), "STATUS": str(status)}
        return {
            "type": "command",
            "command": [sys.executable, "-c", _AGENT],
            "env": {**values, "OF_SETTINGS": MARKS["settings"]},
            "writablePaths": [str(gate)],
        }

    options = {
        "bugLsp": {
            "agents": {"right": agent(0), "wrong": agent(3)},
            "orchestrator": {"agentType": "digest"},
            "prove": False,
        }
    }
    editor = await Editor(project.root).start(
        {"OF_ENVIRONMENT": MARKS["environment"], "BUG_LSP_LOG": level}, options
    )
    try:
        editor.open(task)
        for bad in ({"title": MARKS["description"], "nonsense": MARKS["description"]}, [1]):
            with pytest.raises(Exception, match=r".") as refused:
                await editor.command("debugWithAgents", bad)
            assert "Traceback" not in str(refused.value)
        started = await editor.command(
            "debugWithAgents",
            {
                "taskUri": task.as_uri(),
                "description": MARKS["description"],
                "agents": [{"agentType": "right"}, {"agentType": "wrong"}],
                "testCommand": f"echo {MARKS['test']}; false",
            },
        )
        session = started["sessionIds"][0]
        with pytest.raises(Exception, match=r"cannot be spoken to|takes no|does not"):
            await editor.command("messageSession", {"sessionId": session, "text": MARKS["said"]})
        lines = ours(state_dir, editor.pid)
        assert len([line for line in lines if "bug_lsp.session" in line]) >= 2
        assert [line for line in lines if "s3cret" in line] == []
        (gate / "open").touch()
        await editor.finished(started["debugRunId"])
    finally:
        await editor.stop()
    text = json.dumps(capfd.readouterr())
    logs = [*state_dir.glob("server.log*"), *state_dir.rglob("agent.log")]
    assert len(logs) == 4
    text += "".join(path.read_text() for path in logs)
    assert [what for what, mark in MARKS.items() if mark in text] == []

"""Editors, projects and agents for the tests of the language server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scripted_model.thread import scripted_model
from tests.support import example

from .editor import Editor

TASK = """# add() subtracts

`add(2, 3)` gives -1, 5 is right.

My notes: seen since Tuesday.
"""

REPORT = {
    "rootCause": "add() subtracts",
    "findings": [
        {
            "claim": "The operator is wrong.",
            "path": "calc.py",
            "line": 2,
            "quote": "    return a - b",
            "confidence": 0.9,
        }
    ],
    "fix": "Use + instead of -.",
    "verification": "add(2, 3) is 5 now.",
}

_ANSWER = f"Found it.\n\n```json\n{json.dumps(REPORT)}\n```"
_SAY = f"import sys; sys.stdin.read(); print({_ANSWER!r})"


def program(code: str) -> dict[str, Any]:
    """An agent that is a Python one-liner."""
    return {"type": "command", "command": [sys.executable, "-c", code]}


def acp_program(*arguments: str) -> dict[str, Any]:
    """An agent that speaks ACP and does what it is told, `tests/agents/acp_agent.py`."""
    path = Path(__file__).parents[1] / "agents" / "acp_agent.py"
    return {"type": "acp", "command": [sys.executable, str(path), *arguments]}


AGENTS = {
    "right": program(_SAY),
    "exits3": program("import sys; print('no idea', file=sys.stderr); sys.exit(3)"),
    "sleeps": program("import time; print('thinking', flush=True); time.sleep(600)"),
    "waits": program(
        "import os, time\nprint('waiting', flush=True)\n"
        "while not os.path.exists(os.environ['GO'] + '/open'): time.sleep(0.02)\n" + _SAY
    )
    | {"writablePaths": ["$GO"]},  # else it would not see what changes there
}
OPTIONS = {"bugLsp": {"agents": AGENTS, "orchestrator": {"agentType": "digest"}}}
"""Settings of an editor whose runs need no model."""


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A small project with a bug and a task file about it; marked `example`, the example."""
    if request.node.get_closest_marker("example"):
        made = example.example_project(tmp_path / "shop")
        made.task()
        return made.root
    folder = tmp_path / "project"
    (folder / "tasks").mkdir(parents=True)
    (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (folder / "tasks" / "add.md").write_text(TASK)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@localhost", "commit", "-qm", "Start")
    return folder


@pytest.fixture
def task(project: Path) -> Path:
    """The project's task file."""
    [only] = (project / "tasks").iterdir()
    return only


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """What `GO` is to name for the agents that wait: they go when `open` is in it."""
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


@pytest.fixture
def model():
    """A scripted model that keeps what it was asked."""
    with scripted_model(keep_bodies=True) as running:
        yield running


@pytest.fixture
async def open_editor(project: Path):
    """Opens editors on the project; those still alive are closed at the end."""
    opened: list[Editor] = []

    async def start(
        capabilities: dict[str, Any] | None = None,
        options: Any = OPTIONS,
        env: dict[str, str] | None = None,
    ) -> Editor:
        editor = await Editor(project, capabilities).start(env, options)
        opened.append(editor)
        return editor

    yield start
    for editor in opened:
        await editor.end()


OpenEditor = Callable[..., Awaitable[Editor]]

"""A user of their own for each test: home, settings, state and a project."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

REPORT = {
    "rootCause": "total() forgets the last item",
    "findings": [
        {
            "claim": "the range ends one item early",
            "path": "shop.py",
            "line": 2,
            "quote": "    return sum(items[:-1])",
            "confidence": 0.9,
        }
    ],
    "fix": "sum all items",
}
FINDER = f"""\
import sys
assert "Totals are wrong" in sys.stdin.read()
print("The slice is wrong.\\n\\n```json\\n" + {json.dumps(REPORT)!r} + "\\n```")
"""
FAILING = "import sys; sys.exit('no \\x1b[31mmoney left')"
# It has a child in a session of its own: nobody's process group, and soon nobody's child.
BLOCKED = """\
import os, signal, subprocess, sys
wait = "import signal; signal.pause()"
subprocess.Popen([sys.executable, "-c", wait], start_new_session=True)
with open(os.environ["READY"], "w") as ready:
    ready.write("x")
signal.pause()
"""


@dataclass(frozen=True)
class User:
    root: Path
    state: Path

    @property
    def project(self) -> Path:
        return self.root / "shop"

    @property
    def task(self) -> Path:
        return self.project / "tasks" / "totals.md"

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def ready(self) -> Path:
        return self.root / "ready"

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "BUG_LSP_STATE_DIR": str(self.state),
            "BUG_LSP_CONFIG": str(self.config),
            "CODEX_HOME": str(self.root / "home" / ".codex"),
        }

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "bug_lsp", *map(str, arguments)]

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.project,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(
        self, *arguments: str | Path, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.project,
            env=self.env | env,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=90,
            check=False,
        )

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)

    def processes(self) -> list[psutil.Process]:
        """Whatever was started for this user and still lives."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("BUG_LSP_STATE_DIR") == str(self.state):
                    found.append(process)
        return found


@pytest.fixture
def user(tmp_path: Path, state_dir: Path) -> Iterator[User]:
    user = User(tmp_path / "user", state_dir)
    for folder in ("home", "tmp", "shop/tasks"):
        (user.root / folder).mkdir(parents=True)
    (user.project / "shop.py").write_text("def total(items):\n    return sum(items[:-1])\n")
    user.task.write_text("# Totals are wrong\n\nThe last item is free.\n")
    user.config.write_text(
        _config({"finder": FINDER, "failing": FAILING, "blocked": BLOCKED}, user)
    )
    subprocess.run(["git", "init", "-q", str(user.project)], check=True, env=user.env)
    os.mkfifo(user.ready)
    yield user
    # All that the run started has ended, or is about to: nothing may outlive it.
    _, left = psutil.wait_procs(user.processes(), timeout=20)
    for process in left:
        process.kill()
    assert left == []


def _config(agents: dict[str, str], user: User) -> str:
    lines = [f"writablePaths = {json.dumps([str(user.ready)])}"]
    for name, code in agents.items():
        program = user.root / f"{name}.py"
        program.write_text(code)
        lines += [
            f"[agents.{name}]",
            'type = "command"',
            f"command = {json.dumps([sys.executable, str(program)])}",
            f"env = {{ READY = {json.dumps(str(user.ready))} }}",
        ]
    return "\n".join([*lines, "[agents.absent]", 'type = "command"', 'command = ["no-such-one"]\n'])

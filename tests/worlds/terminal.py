"""A run in the terminal: what it says and when, and what is in the task file at its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from bug_lsp.domain.run import CustomAgent

from .shop import fixes
from .world import World

_CLAIMS = (
    re.compile(r"agents? (?:agree on|for) \S+:\d+"),
    re.compile(r"\*\*(?:FAILS|breaks|timed out|does not apply)"),
    re.compile(r"\bmade `[^`]+` fail"),
    re.compile(r"^- `[^`]+:\d+` ", re.MULTILINE),
    re.compile(r"\(Ochiai"),
    re.compile(r"the failing tests pass"),
    re.compile(r"\| passes \|"),
    re.compile(r"the bug is (?:old|in every)"),
)
"""Causes, votes and verdicts."""


@dataclass(frozen=True)
class Said:
    """What a run has said."""

    lines: list[tuple[float, str]]
    """Of the terminal, with the seconds since the run had its first line."""
    text: str
    """The task file."""
    output: str

    @property
    def first(self) -> list[str]:
        """The lines of the first second."""
        return [line for seconds, line in self.lines if seconds <= 1]

    @property
    def all(self) -> str:
        return "\n".join(line for _, line in self.lines)

    @property
    def heading(self) -> str:
        heads = ("## Synthesis", "## Findings")
        return next(line for line in self.text.splitlines() if line.startswith(heads))

    @property
    def claims(self) -> list[str]:
        """Causes, votes and verdicts in the task file."""
        return [match[0] for claim in _CLAIMS for match in claim.finditer(self.text)]


def run(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    agents: str = "spectrum,repair,bisect,mends",
    **more: CustomAgent,
) -> Said:
    """`bug-lsp debug` in the world. The agent `mends` hands in the right patch and no finding."""
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    lines = [f"{name} = {json.dumps(value)}" for name, value in world.settings.items()]
    for name, agent in {"mends": fixes(report=False), **more}.items():
        command = json.dumps(list(agent.command))
        lines += [f"[agents.{name}]", 'type = "command"', f"command = {command}"]
    Path(os.environ["BUG_LSP_CONFIG"]).write_text("\n".join(lines))
    process = subprocess.Popen(
        [
            sys.executable, "-m", "bug_lsp", "debug", str(world.root / world.task),
            "--agents", agents, "--orchestrator", "digest", "--test-command", world.command,
            "--workspace", str(world.workspace),
        ],
        cwd=world.workspace,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[tuple[float, str]] = []
    began = 0.0
    for line in process.stderr:
        began = began or time.monotonic()
        said.append((time.monotonic() - began, line.rstrip("\n")))
    output = process.stdout.read()
    process.wait()
    process.stdout.close()
    process.stderr.close()
    return Said(said, (world.root / world.task).read_text(), output)

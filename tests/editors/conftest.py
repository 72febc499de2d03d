"""The example project in real editors, debugged by programs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bug_lsp.domain.run import CustomAgent
from tests.support import example, runs

from .emacs import Emacs
from .neovim import Neovim

_SPEAKS_SLOWLY = (
    "import os, sys\n"
    "for line in sys.argv[2:]:\n"
    "    print(line, flush=True)\n"
    "    os.read(os.open(sys.argv[1], os.O_RDONLY), 1)\n"
)


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The task file of the example; its project is where the user is."""
    project = example.example_project(tmp_path / "shop")
    made = project.task()
    monkeypatch.chdir(project.root)
    return made


@pytest.fixture
def agents(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the user's settings: these agents, and the one of them that orchestrates."""

    def write(*, orchestrator: str = "digest", **named: CustomAgent) -> None:
        debug = [name for name in named if name != orchestrator]
        lines = [f"defaultAgents = {json.dumps(debug)}"]
        lines.append(f"orchestrator = {{ agentType = {json.dumps(orchestrator)} }}")
        for name, agent in named.items():
            lines += [f"[agents.{name}]", *_toml(agent)]
        path = state_dir.parent / "bug-lsp.toml"
        path.write_text("\n".join(lines))
        monkeypatch.setenv("BUG_LSP_CONFIG", str(path))

    return write


def _toml(agent: CustomAgent) -> Iterator[str]:
    values: Mapping[str, object] = agent.model_dump(mode="json", by_alias=True, exclude={"env"})
    for key, value in values.items():
        yield f"{key} = {json.dumps(value)}"


@pytest.fixture
def turnstile(tmp_path: Path) -> Iterator[runs.Turnstile]:
    """What the agents of `speaks_slowly` wait at, a turn for each line."""
    with runs.turnstile(tmp_path / "turnstile") as made:
        yield made


def speaks_slowly(at: runs.Turnstile, *lines: str) -> CustomAgent:
    """An agent that says one line a turn."""
    return runs.program(_SPEAKS_SLOWLY, at.path, *lines, writes=[at.path])


@pytest.fixture
def open_neovim(tmp_path: Path) -> Iterator[Callable[[str], Neovim]]:
    """Opens Neovims with an init.lua."""
    with contextlib.ExitStack() as opened:

        def start(init: str) -> Neovim:
            editor = Neovim(tmp_path / "neovim", init)
            opened.callback(editor.end)
            return editor

        yield start


@pytest.fixture
def open_emacs(tmp_path: Path) -> Iterator[Callable[..., Emacs]]:
    """Opens Emacsen with an init.el and files."""
    with contextlib.ExitStack() as opened:

        def start(init: str, *files: str) -> Emacs:
            editor = Emacs(tmp_path / "emacs", init, *files)
            opened.callback(editor.end)
            return editor

        yield start

"""The example project in real editors, debugged by programs or by agents on the scripted model."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bug_lsp.domain.run import CustomAgent
from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.scripted_model import scripted_model
from tests.support import example, runs

from .emacs import Emacs
from .neovim import Neovim

_SPEAKS_SLOWLY = (
    "import os, sys\n"
    "for line in sys.argv[2:]:\n"
    "    print(line, flush=True)\n"
    "    os.read(os.open(sys.argv[1], os.O_RDONLY), 1)\n"
)
_CONCLUDES = (
    "First I read what the two of them say.\n\nThen I compare it with the code, line by line.\n\n"
    f"I have read it all.\n\n{runs.block({**runs.SYNTHESIS, 'findings': [runs.FINDING]})}"
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
    """Writes the user's settings: these agents, by name or made here, and who orchestrates."""

    def write(
        *known: str, orchestrator: str = "digest", model: str | None = None, **named: CustomAgent
    ) -> None:
        debug = [*known, *(name for name in named if name != orchestrator)]
        choice = [f"agentType = {json.dumps(orchestrator)}"]
        choice += [f"model = {json.dumps(model)}"] if model else []
        lines = [f"defaultAgents = {json.dumps(debug)}"]
        lines.append(f"orchestrator = {{ {', '.join(choice)} }}")
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
def real_agents(
    agents: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Codex, who is right, and Claude, who never ends; another Codex concludes, slowly."""
    agents("codex", "claude", orchestrator="codex", model="gpt-5")
    home = tmp_path / "agents"
    with scripted_model() as model:
        model.load("codex", {"cwd": ".", "steps": example.RIGHT.as_steps()})
        model.load("claude", {"cwd": ".", "steps": [{"text": "I look around.", "hang": 600}]})
        model.load("codex/gpt-5", {"cwd": ".", "steps": [{"text": _CONCLUDES, "delay": 0.3}]})
        homes = {
            **write_claude_home(home, model.url("claude")),
            **write_codex_home(home, model.url("codex")),
        }
        for name, value in homes.items():
            monkeypatch.setenv(name, value)
        yield


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

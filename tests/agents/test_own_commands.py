"""The commands that the real Codex and the real Claude run in a copy test the copy, although the
project is installed from the checkout.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bug_lsp.agents.base import Agent, Job
from bug_lsp.agents.claude.agent import Claude
from bug_lsp.agents.codex.agent import Codex
from bug_lsp.domain.events import ToolResult
from bug_lsp.session.prepare import Prepared, in_the_copy
from tests.agents.recorder import Recorder
from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.scripted_model import ScriptedModel
from tests.support.projects import change_files

pytestmark = pytest.mark.anyio
WHERE = "python -c 'import shop.price as price; print(price.__file__, price.VALUE)'"
VENDORS: Mapping[str, tuple[Callable[[], Agent], Callable[[Path, str], dict[str, str]]]] = {
    "codex": (Codex, write_codex_home),
    "claude": (Claude, write_claude_home),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project with an environment in which it is installed as editable."""
    root = tmp_path / "dev/shop"
    change_files(root, {"src/shop/price.py": "VALUE = 'checkout'\n", "src/shop/__init__.py": ""})
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    [site] = (root / ".venv").glob("lib/python*/site-packages")
    (site / "__editable__.shop.pth").write_text(f"{root / 'src'}\n")
    return root


@pytest.mark.parametrize("name", VENDORS)
async def test_a_command_of_a_vendors_agent_imports_the_copy(
    name: str, checkout: Path, tmp_path: Path, model: ScriptedModel, said: Recorder
) -> None:
    make, write_home = VENDORS[name]
    copy, scratch = tmp_path / "copies/shop", tmp_path / "scratch"
    change_files(copy, {"src/shop/price.py": "VALUE = 'copy'\n", "src/shop/__init__.py": ""})
    scratch.mkdir()
    home = write_home(tmp_path / "home", model.url(name))
    job = Job(
        prompt="Find the bug.",
        cwd=copy,
        copy=copy,
        workspace=checkout,
        scratch=scratch,
        env=home,
    )
    told = in_the_copy(job, Prepared(copy, ()))
    python = checkout / ".venv/bin/python"
    assert told.notes == (f"`import shop` comes from the copy, by `{python}`",)
    shell = {"tools": [{"kind": "shell", "command": WHERE}]}
    model.load(name, {"cwd": str(copy), "steps": [shell, {"text": "Done."}]})

    await make().run(replace(job, env={**home, **told.environment}), said)

    [result] = said.of(ToolResult)
    assert f"{copy / 'src/shop/price.py'} copy" in result.output

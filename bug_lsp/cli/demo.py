"""`bug-lsp demo`: a run on a project of its own, which is left to look at.

Everything is in one folder, the run's state too: nothing of it gets among the user's own runs.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bug_lsp.demo import project
from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.transcript import clean
from bug_lsp.session.start import Request
from bug_lsp.workspace import git, task_file

from .debug import agents_of, exit_status, run, settings_of
from .ending import tell
from .say import note, out

if TYPE_CHECKING:
    from .args import Options

_ORCHESTRATOR = "digest"
_STATE = "BUG_LSP_STATE_DIR"
_WIDEST = 100
"""Columns of running text: longer lines are hard to read."""


def demo(options: Options) -> int:
    """Make the project, debug it, show what is in the task file then."""
    agents = agents_of(",".join(project.AGENTS) if options.agents is None else options.agents)
    chosen = settings_of(options.orchestrator or _ORCHESTRATOR)
    folder = _folder(options.keep)
    os.environ[_STATE] = str(folder / "state")
    workspace = project.build(folder)
    commits = git.text("rev-list", "--count", "HEAD", cwd=workspace)
    note(f"a project with {commits} commits, a bug, and a report about it: {workspace}")
    task = workspace / project.TASK
    request = Request(
        workspace=workspace, task=task, agents=agents, test_command=project.TEST_COMMAND
    )
    ended = run(request, chosen)
    if ended.concluded:
        out()
        _show(task)
        out()
    tell(ended, out)
    _say_where(folder, workspace)
    return exit_status(ended)


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="bug-lsp-demo-")).resolve()
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise BadInput("--keep", f"{keep} is not empty; name a new folder")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _show(task: Path) -> None:
    text = clean(task_file.read(task, "task file"))
    if not sys.stdout.isatty():
        out(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=sys.stdout)
    console.print(Markdown(text), width=min(console.width, _WIDEST))


def _say_where(folder: Path, workspace: Path) -> None:
    here, state = shlex.quote(str(workspace)), shlex.quote(str(folder / "state"))
    out()
    out("The project is left for you to look at:")
    out(f"  git -C {here} diff    # what was written into the task file")
    out(f"  {_STATE}={state} bug-lsp status --workspace {here}")
    out(f"  rm -r {shlex.quote(str(folder))}    # when you have seen enough")

"""The command that makes the demo's project, for editors that show a new user round."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync

from bug_lsp.demo import project
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.workspace import git

from . import wire
from .answering import command
from .client import path_of
from .server import BugLspServer


@command("createDemo", wire.CreateDemo)
async def create_demo(_: BugLspServer, argument: wire.CreateDemo) -> dict[str, Any]:
    """A small project with a bug, in a new folder: what `bug-lsp demo` debugs."""
    parent = path_of(argument.folder_uri)
    if parent is None:
        raise BadInput("folderUri", f"{argument.folder_uri} is not the address of a folder")
    made = await run_sync(_make, parent)
    return {
        "folderUri": made.as_uri(),
        "taskUri": (made / project.TASK).as_uri(),
        "agents": [{"agentType": name} for name in project.AGENTS],
        "testCommand": project.TEST_COMMAND,
    }


def _make(parent: Path) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return project.build(Path(tempfile.mkdtemp(prefix="demo-", dir=parent)))
    except (OSError, git.GitError) as error:
        problem = " ".join(str(error).split())
        raise Refused(f"the demo could not be made in {parent}: {problem}") from error

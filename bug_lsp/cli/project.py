"""`bug-lsp doctor --project`: how this project's tests would run in a session. Changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bug_lsp.domain.model import Value
from bug_lsp.session import settings
from bug_lsp.session.preflight import Preflight
from bug_lsp.session.rehearsal import rehearse

from .names import in_terminal
from .say import out
from .where import workspace_of

if TYPE_CHECKING:
    from .args import Options


class ProjectTests(Value):
    """What was looked at and tried out, a sentence each."""

    workspace: str
    looked_at: tuple[str, ...]
    """With which interpreter and how tests are run."""
    tried: tuple[str, ...]
    """What is collected, and what the test command does."""


def project(options: Options) -> int:
    """Look, collect the tests and run those that the test command names; 0 when that is said."""
    chosen = settings.load()
    workspace = Path(workspace_of(None, options.workspace)).resolve()
    looked = [*Preflight(workspace, options.test_command).lines(chosen.python, None)]
    if not options.json:
        out("\n".join([f"project: {workspace}", *map(in_terminal, looked)]))
    tried = rehearse(workspace, chosen, options.test_command)
    if options.json:
        found = ProjectTests(workspace=str(workspace), looked_at=tuple(looked), tried=tuple(tried))
        out(found.model_dump_json(by_alias=True))
    else:
        out("\n".join(map(in_terminal, tried)))
    return 0

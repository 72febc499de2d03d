"""`bug-lsp orchestrate`: a run's orchestrator, started again or for the first time."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from bug_lsp.session import gate
from bug_lsp.store.layout import RunFolder, WorkspaceFolder

from .debug import exit_status
from .ending import tell
from .follow import follow
from .progress import progress_on
from .say import out
from .status import named_run
from .where import workspace_of

if TYPE_CHECKING:
    from .args import Options


def orchestrate(options: Options) -> int:
    """Start the orchestrator of the run that was named, follow it, say what came of it."""
    workspace = workspace_of(None, options.workspace).resolve()
    folder = named_run(WorkspaceFolder.of(workspace), options.run or "", workspace)

    def start() -> RunFolder:
        gate.orchestrate(folder, force=options.force)
        return folder

    with progress_on(sys.stderr) as progress:
        ended = asyncio.run(follow(start, progress))
    tell(ended, out)
    return exit_status(ended)

"""Asks for a test command where no agent has anything to go by without one.

The command that would have started the run is refused at once; the answer, whenever a person gives
it, starts the run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from anyio.to_thread import run_sync

from bug_lsp.proof.suite import ways
from bug_lsp.session.start import Request
from bug_lsp.store.layout import RunFolder

from .client import Client

_QUESTION = "No agent can try anything in {} without a test command. Which one fails with the bug?"


async def ask_for_command(
    client: Client, request: Request, start: Callable[[Request], Awaitable[RunFolder]]
) -> None:
    """Offer the commands that run the project's tests, and start the run with the chosen one."""
    known = await run_sync(_known, request.workspace)
    if not known or not client.has_questions:
        return
    chosen = await client.choose(_QUESTION.format(request.workspace.name), known)
    if chosen is not None:
        await start(replace(request, test_command=chosen))


def _known(workspace: Path) -> list[str]:
    return [check.command for check in ways(workspace, None) if check.command]

"""`bug-lsp debug`: one whole run in the terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.run import AgentChoice
from bug_lsp.session import settings
from bug_lsp.session.start import Request, start_run

from .ending import tell
from .follow import Ended, follow
from .progress import progress_on
from .say import note, out
from .where import workspace_of

if TYPE_CHECKING:
    from bug_lsp.domain.settings import Settings

    from .args import Options

_CONCLUDED, _NOT_CONCLUDED, _NOTHING_FOUND, _INTERRUPTED = 0, 1, 3, 130


def debug(options: Options) -> int:
    """Start a run, follow it to its end, say what came of it."""
    if options.task is None and not (options.title or "").strip():
        raise BadInput("TASK.md", "is missing; name a task file, or give --title to have one made")
    request = Request(
        workspace=workspace_of(options.task, options.workspace),
        title=options.title,
        task=options.task,
        agents=agents_of(options.agents),
        test_command=options.test_command,
        orchestrate="never" if options.no_orchestrate else "auto",
    )
    ended = run(request, settings_of(options.orchestrator), as_json=options.json)
    tell(ended, note if options.json else out)
    if options.json:
        out(ended.status.model_dump_json(by_alias=True))
    return exit_status(ended)


def run(request: Request, chosen: Settings, *, as_json: bool = False) -> Ended:
    """Start a run and follow it; Ctrl-C cancels it, a second one leaves it alone."""
    only_out = sys.stdout.isatty() and not sys.stderr.isatty() and not as_json
    with progress_on(sys.stdout if only_out else sys.stderr) as progress:
        return asyncio.run(follow(lambda: start_run(request, chosen), progress))


def exit_status(ended: Ended) -> int:
    """0 when a conclusion was delivered, 3 when it is that nothing was found."""
    if ended.interrupted:
        return _INTERRUPTED
    if ended.is_not_known:
        return _NOTHING_FOUND
    return _CONCLUDED if ended.concluded else _NOT_CONCLUDED


def agents_of(text: str | None) -> tuple[AgentChoice, ...] | None:
    """`codex:gpt-5.5,spectrum` as agents; None where nothing was typed."""
    if text is None:
        return None
    return tuple(_agent(part) for part in text.split(",") if part.strip())


def settings_of(orchestrator: str | None) -> Settings:
    """The user's settings, with the orchestrator that was typed."""
    layer: dict[str, Any] = {}
    if orchestrator is not None:
        layer["orchestrator"] = _agent(orchestrator).model_dump(by_alias=True)
    return settings.load(layer)


def _agent(text: str) -> AgentChoice:
    name, _, model = text.partition(":")
    return AgentChoice(agent_type=name.strip(), model=model.strip() or None)

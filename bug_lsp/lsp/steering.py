"""The commands that steer a run: retry, add, synthesise now, speak to an agent."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.run import AgentChoice
from bug_lsp.session import steer
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder

from . import wire
from .answering import command
from .server import BugLspServer


@command("retrySession", wire.RetrySession)
async def retry_session(server: BugLspServer, argument: wire.RetrySession) -> dict[str, Any]:
    """Start a debug session again; the old one stays to be read, but counts no more."""
    session = server.session(_named(argument.session_id))
    choice = None
    if argument.agent_type is not None or argument.model is not None:
        agent = argument.agent_type or runs.spec(session).agent_type
        server.check_trusted(agent)
        choice = AgentChoice(agent_type=agent, model=argument.model)
    new = await run_sync(steer.retry, session, choice, server.settings.agents)
    return await _started(server, session.run, new)


@command("retryFailed", wire.RunArgument)
async def retry_failed(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """Start every debug session again that failed or was cancelled."""
    folder = server.run(argument.debug_run_id)
    new = await run_sync(steer.retry_failed, folder, server.settings.agents)
    server.follow(folder, mine=True)
    return {"sessionIds": new}


@command("addAgent", wire.AddAgent)
async def add_agent(server: BugLspServer, argument: wire.AddAgent) -> dict[str, Any]:
    """Add a debug session to a run."""
    folder = server.run(argument.debug_run_id)
    server.check_trusted(argument.agent_type)
    choice = AgentChoice(agent_type=argument.agent_type, model=argument.model)
    new = await run_sync(steer.add_agent, folder, choice, server.settings.agents)
    return await _started(server, folder, new)


@command("synthesiseNow", wire.RunArgument)
async def synthesise_now(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """End what still goes on and orchestrate with what is there."""
    folder = server.run(argument.debug_run_id)
    ended = await run_sync(steer.synthesise_now, folder)
    server.follow(folder, mine=True)
    return {"cancelled": ended}


@command("messageSession", wire.MessageSession)
async def message_session(server: BugLspServer, argument: wire.MessageSession) -> dict[str, Any]:
    """Say something to an agent at work."""
    await run_sync(steer.tell, server.session(_named(argument.session_id)), argument.text)
    return {"delivered": True}


def _named(session_id: str | None) -> str:
    if session_id is None:
        raise BadInput("sessionId", "is missing; name the session")
    return session_id


async def _started(server: BugLspServer, folder: RunFolder, session_id: str) -> dict[str, Any]:
    server.follow(folder, mine=True)
    status = await run_sync(runs.status, folder)
    shown = wire.status_to_wire(status, folder, virtual=server.client.has_virtual_documents)
    [session] = [one for one in shown["sessions"] if one["sessionId"] == session_id]
    return {"sessionId": session_id, "session": session}

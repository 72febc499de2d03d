"""The commands that start, show, cancel and delete: ask the room below, answer at once."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from anyio.to_thread import run_sync

from bug_lsp.agents import registry
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.run import AgentChoice, Session, materialise_session
from bug_lsp.session import cancel, forget, gate, start
from bug_lsp.session.confine import confined_by
from bug_lsp.session.confinement import confinement
from bug_lsp.session.preflight import NothingToGoBy
from bug_lsp.session.view import RunView
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.workspace import task_file

from . import wire
from .answering import command
from .client import path_of
from .context import context_of, open_texts
from .follow import announce_start
from .server import BugLspServer
from .test_command import ask_for_command

log = logging.getLogger(__name__)


@command("debugWithAgents", wire.DebugWithAgents)
async def debug_with_agents(server: BugLspServer, argument: wire.DebugWithAgents) -> dict[str, Any]:
    """Start a debug run; returns its ids at once."""
    request = _request(server, argument)
    asked = request.agents
    names = server.settings.default_agents if asked is None else [one.agent_type for one in asked]
    server.check_trusted(*names, server.settings.orchestrator.agent_type)
    try:
        folder = await _start(server, request)
    except NothingToGoBy:
        if request.test_command is None:
            server.background(ask_for_command, server.client, request, partial(_start, server))
        raise
    status = await run_sync(RunView(folder).status)
    shown = _shown(server, folder, status)
    return {
        "debugRunId": status.debug_run_id,
        "taskUri": status.task_uri,
        "sessionIds": [session.session_id for session in status.sessions],
        "sessions": shown["sessions"],
        "status": "pending",
    }


async def _start(server: BugLspServer, request: start.Request) -> RunFolder:
    folder = await run_sync(start.start_run, request, server.settings)
    server.watch(request.workspace)
    server.follow(folder, mine=True)
    announce_start(server, await run_sync(RunView(folder).status))
    return folder


def _request(server: BugLspServer, argument: wire.DebugWithAgents) -> start.Request:
    task = server.task_path(argument.task_uri) if argument.task_uri is not None else None
    if task is None and argument.context is None and not (argument.title or "").strip():
        if argument.title is not None or server.current_task is None:
            raise BadInput("title", "is missing; give a title or the taskUri of a task file")
        task = server.current_task
    given = argument.context
    workspace = server.workspace_for(task or (path_of(given.uri) if given else None))
    text = server.open_document(task) if task is not None else None
    agents = argument.agents
    return start.Request(
        workspace=workspace,
        title=argument.title,
        task=task,
        task_text=text.source if text is not None else None,
        description=argument.description or "",
        agents=None
        if agents is None
        else tuple(AgentChoice(agent_type=item.agent_type, model=item.model) for item in agents),
        context=None if given is None else context_of(server, given, workspace),
        open_texts={} if given is None else open_texts(server),
        test_command=argument.test_command,
        python=argument.python,
        orchestrate=argument.orchestrate,
    )


def _shown(server: BugLspServer, folder: RunFolder, status: Any) -> dict[str, Any]:
    return wire.status_to_wire(status, folder, virtual=server.client.has_virtual_documents)


@command("getDebugRunStatus", wire.RunArgument)
async def get_debug_run_status(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """A run, as it is on disk now."""
    folder = server.run(argument.debug_run_id)
    return _shown(server, folder, await run_sync(runs.shown, folder))


@command("orchestrateDebugRun", wire.Orchestrate)
async def orchestrate_debug_run(server: BugLspServer, argument: wire.Orchestrate) -> dict[str, Any]:
    """Start the run's orchestrator, or find the one there is: idempotent but for `force`."""
    folder = server.run(argument.debug_run_id)
    session_id, is_new = await run_sync(lambda: gate.orchestrate(folder, force=argument.force))
    if is_new:
        server.follow(folder, mine=True)
    return {"sessionId": session_id, "isNew": is_new}


@command("cancelDebugRun", wire.RunArgument)
async def cancel_debug_run(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """Cancel whatever of the run has not ended."""
    folder = server.run(argument.debug_run_id)
    return {"cancelled": await run_sync(cancel.cancel_run, folder)}


@command("cancelSession", wire.SessionArgument)
async def cancel_session(server: BugLspServer, argument: wire.SessionArgument) -> dict[str, Any]:
    """Cancel one session."""
    session_id = argument.session_id or await _running_session(server)
    if session_id is None:
        return {"cancelled": False}
    return {"cancelled": await run_sync(cancel.cancel_session, server.session(session_id))}


async def cancel_quietly(server: BugLspServer, session_id: str) -> None:
    """Cancel from a progress: there is nobody to answer."""
    await run_sync(cancel.cancel_session, server.session(session_id))


async def _running_session(server: BugLspServer) -> str | None:
    """The only session that runs, or the one the user picks."""
    found: dict[str, str] = {}
    for workspace in server.folders():
        for folder in runs.active(WorkspaceFolder.of(workspace)):
            status = await run_sync(runs.status, folder)
            for session in status.everyone:
                if not session.status.terminal:
                    label = f"{session.agent_type}: {session.title} [{session.session_id[:4]}]"
                    found[label] = session.session_id
    if not found:
        raise Refused("no session is running")
    if len(found) == 1:
        return next(iter(found.values()))
    if not server.client.has_questions:
        listed = ", ".join(f"{label} = {one}" for label, one in found.items())
        raise BadInput("sessionId", f"several sessions run; name one of: {listed}")
    chosen = await server.client.choose("Which session is to be cancelled?", list(found))
    return found.get(chosen) if chosen else None


@command("listDebugRuns", wire.ListRuns)
async def list_debug_runs(server: BugLspServer, argument: wire.ListRuns) -> dict[str, Any]:
    """The runs of the editor's workspaces, or of one task file, newest first."""
    if argument.task_uri is not None:
        found = _of_task(server, argument.task_uri)
    else:
        found = [
            folder
            for workspace in server.folders()
            for folder in _first(WorkspaceFolder.of(workspace), argument.limit)
        ]
        found.sort(key=lambda folder: folder.run_id)
    listed = []
    for folder in found[: argument.limit]:
        try:
            listed.append(_shown(server, folder, await run_sync(runs.shown, folder)))
        except Refused as error:
            log.warning("%s", error.message)
    return {"runs": listed}


def _first(workspace: WorkspaceFolder, limit: int) -> list[RunFolder]:
    found: list[RunFolder] = []
    for folder in runs.newest(workspace):
        if len(found) == limit:
            break
        if folder.run.exists():
            found.append(folder)
    return found


def _of_task(server: BugLspServer, uri: str) -> list[RunFolder]:
    task = server.task_path(uri)
    workspace = server.workspace_for(task)
    real = task_file.resolve(task, workspace, "taskUri")
    return runs.of_task(WorkspaceFolder.of(workspace), real)


@command("getTaskSessions", wire.TaskArgument)
async def get_task_sessions(server: BugLspServer, argument: wire.TaskArgument) -> dict[str, Any]:
    """All sessions of one task file, grouped by run, newest first."""
    uri = argument.task_uri
    if uri is None:
        if server.current_task is None:
            raise BadInput("taskUri", "is missing, and no task file was opened yet")
        uri = server.current_task.as_uri()
    groups = []
    for folder in _of_task(server, uri):
        status = await run_sync(runs.shown, folder)
        later = await run_sync(_later, folder)
        groups.append(
            wire.group_to_wire(status, later, folder, virtual=server.client.has_virtual_documents)
        )
    return {"groups": groups}


def _later(folder: RunFolder) -> list[Session]:
    """All that came after the debug sessions."""
    return [
        materialise_session(folder.run_id, runs.facts(session))
        for session in (*runs.proofs(folder), *runs.orchestrators(folder))
        if session.spec.exists()
    ]


@command("openSession", wire.SessionArgument)
async def open_session(server: BugLspServer, argument: wire.SessionArgument) -> dict[str, Any]:
    """Show a session's live document."""
    session_id = argument.session_id
    if session_id is None:
        session_id = await run_sync(_latest_session, server)
    session = server.session(session_id)
    shown = materialise_session(session.run.run_id, await run_sync(runs.facts, session))
    uri = server.address(shown, session.run)
    if not server.client.has_show_document:
        server.client.say(f"{shown.title}: {session.output}")
        return {"uri": uri, "shown": False}
    return {"uri": uri, "shown": await server.client.show(uri, focus=True)}


def _latest_session(server: BugLspServer) -> str:
    """The orchestrator of the newest run, or its first session."""
    folder = server.run(None)
    latest = runs.latest_orchestrator(folder)
    return latest.session_id if latest else runs.load(folder).standing[0].session_id


@command("listAgents", wire.Nothing)
async def list_agents(server: BugLspServer, _argument: wire.Nothing) -> dict[str, Any]:
    """Which agents there are, and whether they can run here."""
    custom = server.settings.agents
    names = dict.fromkeys([*registry.known(custom), *registry.ORCHESTRATORS])
    found = [await run_sync(registry.availability, name, custom) for name in names]
    means = await run_sync(confinement, ())
    return {
        "agents": [
            item.model_dump(mode="json", by_alias=True)
            | {"confinedBy": confined_by(item.agent_type, server.settings, means)}
            for item in found
        ]
    }


@command("deleteDebugRun", wire.RunArgument)
async def delete_debug_run(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """Delete a run that has ended, with its copies."""
    if argument.debug_run_id is None:
        raise BadInput("debugRunId", "is missing; name the run to delete")
    return {"deleted": await run_sync(forget.delete_run, server.run(argument.debug_run_id))}

"""Commands about what was found: the report of a run, dismissing a finding, going to a place."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync

from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.findings import is_finding_id
from bug_lsp.session import findings
from bug_lsp.session.report import report
from bug_lsp.store import runs
from bug_lsp.store.layout import WorkspaceFolder

from . import wire
from .answering import command
from .client import path_of
from .server import BugLspServer


@command("getDebugRunReport", wire.RunArgument)
async def get_debug_run_report(server: BugLspServer, argument: wire.RunArgument) -> dict[str, Any]:
    """What a run concluded, what of it was checked, and its patches."""
    folder = server.run(argument.debug_run_id)
    found = await run_sync(report, folder)
    status = await run_sync(runs.shown, folder)
    virtual = server.client.has_virtual_documents
    shown = found.model_dump(mode="json", by_alias=True)
    for patch in shown["patches"]:
        del patch["hunks"]
    placed = {one.finding.id: one for one in server.diagnostics.of_run(folder.run_id)}
    for finding in shown["findings"]:
        now = placed.get(finding["id"])
        finding["findingId"] = finding.pop("id")
        finding["shown"] = now is not None
        finding["stale"] = now is not None and now.stale
    fixed = server.diagnostics.is_fixed(folder.run_id)
    return {**wire.status_to_wire(status, folder, virtual=virtual), **shown, "fixed": fixed}


@command("dismissFinding", wire.DismissFinding)
async def dismiss_finding(server: BugLspServer, argument: wire.DismissFinding) -> dict[str, Any]:
    """Show a finding no more, in later runs neither; or again."""
    name = argument.finding_id
    if not is_finding_id(name):
        raise BadInput("findingId", f"{name!r} is not the id of a finding (12 hex digits)")
    for workspace in server.folders():
        folder = WorkspaceFolder.of(workspace)
        known = name in findings.dismissed_in(folder) or any(
            finding.id == name
            for task in await run_sync(findings.Kept(folder).read)
            for finding in task.findings
        )
        if known:
            dismissed = argument.dismissed
            await run_sync(lambda: findings.dismiss(folder, name, dismissed=dismissed))  # noqa: B023
            server.diagnostics.look(folder)
            return {"dismissed": dismissed}
    raise Refused(f"there is no finding {name} here; the code of a diagnostic is a finding's id")


@command("openPlace", wire.OpenPlace)
async def open_place(server: BugLspServer, argument: wire.OpenPlace) -> dict[str, Any]:
    """Show a line of a file."""
    if path_of(argument.uri) is None:
        raise BadInput("uri", f"{argument.uri!r} is not the URI of a file; use file:///...")
    shown = await server.client.show(argument.uri, focus=True, line=argument.line - 1)
    return {"uri": argument.uri, "shown": shown}

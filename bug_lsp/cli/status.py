"""`bug-lsp status`: the runs of a workspace, or one of them.

Whoever looks also moves on what a crash has left behind; otherwise nothing is changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.run import RunStatus, Session, Status
from bug_lsp.domain.transcript import one_line, outcome
from bug_lsp.session import delivery
from bug_lsp.session.view import RunView, tool_calls
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder

from .names import in_terminal
from .say import note, out
from .where import workspace_of
from .words import agent, elapsed, label, place

if TYPE_CHECKING:
    from .args import Options

_PLAIN_WIDTH = 160
"""Columns of a table that goes into a file or a pipe."""


def status(options: Options) -> int:
    """Show the runs, or the one that was named."""
    workspace = workspace_of(None, options.workspace).resolve()
    folder = WorkspaceFolder.of(workspace)
    for unfinished in runs.active(folder):
        try:
            delivery.move_on(unfinished)
        except Refused as refused:
            note(f"bug-lsp: {refused.message}")
    if options.run is not None:
        _show_one(named_run(folder, options.run, workspace), as_json=options.json)
    else:
        _show_all(folder, workspace, options)
    return 0


def named_run(folder: WorkspaceFolder, wanted: str, workspace: Path) -> RunFolder:
    """The run whose id begins like this."""
    found = [run for run in runs.newest(folder) if run.run_id.startswith(wanted.lower())]
    if not wanted or not found:
        raise Refused(
            f"there is no debug run {wanted!r} of {workspace}; `bug-lsp status` lists its runs, "
            "--workspace names another folder"
        )
    if len(found) > 1:
        raise Refused(
            f"{len(found)} debug runs begin with {wanted!r}: "
            f"{', '.join(run.run_id for run in found[:5])}; give more of the id"
        )
    return found[0]


def _show_all(folder: WorkspaceFolder, workspace: Path, options: Options) -> None:
    shown: list[RunStatus] = []
    for run in runs.newest(folder):
        if len(shown) == options.limit:
            break
        try:
            shown.append(runs.shown(run))
        except Refused as refused:
            note(f"bug-lsp: {refused.message}")
    if options.json:
        out(json.dumps({"runs": [run.model_dump(mode="json", by_alias=True) for run in shown]}))
    elif shown:
        _table([_row(run) for run in shown], ("run", "started", "sessions", "synthesis", "title"))
    else:
        out(f"there are no debug runs of {workspace}")


def _row(run: RunStatus) -> tuple[str, ...]:
    started = run.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    if run.delivered:
        synthesis = "delivered"
    elif run.orchestrator is not None:
        synthesis = str(run.orchestrator.status)
    else:
        synthesis = "none" if run.all_terminal else "waiting"
    ended = f"{run.completed_count} of {run.total_count} completed"
    return run.debug_run_id, started, ended, synthesis, one_line(run.title)


def _show_one(folder: RunFolder, *, as_json: bool) -> None:
    view = RunView(folder)
    run = view.status()
    if as_json:
        out(run.model_dump_json(by_alias=True))
        return
    task = Path(view.run.task_path)
    out(f"{one_line(run.title)}  ({run.debug_run_id})")
    out(f"task file: {place(task)}" + (", synthesis delivered" if run.delivered else ""))
    problem = view.problem()
    if problem:
        out(f"not delivered: {problem}")
    for session in run.everyone:
        out()
        for line in _session(folder, session):
            out(line)


def _session(folder: RunFolder, session: Session) -> list[str]:
    files = folder.session(session.session_id)
    calls = tool_calls(files)
    how = one_line(in_terminal(outcome(session)), 500)
    if session.status is Status.RUNNING:
        how = ", ".join(filter(None, [f"running for {elapsed(session)}", session.activity]))
    lines = [
        f"{label(session)}  {agent(session)}  {session.session_id}",
        f"  {how}; {calls} tool call{'' if calls == 1 else 's'}",
    ]
    if files.output.exists():
        lines.append(f"  document: {files.output}")
    if files.patch.exists() and files.patch.stat().st_size:
        lines.append(f"  patch: {files.patch}")
    return lines


def _table(rows: list[tuple[str, ...]], names: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*names, box=None, pad_edge=False, header_style="bold")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    Console(file=sys.stdout, highlight=False, width=width).print(table)

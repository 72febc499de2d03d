"""What came of a run, in the few lines that are left when it is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bug_lsp.domain.errors import BadInput, FailureKind
from bug_lsp.domain.region import region_of
from bug_lsp.domain.related import sections
from bug_lsp.domain.rendering import CAUSES, NOTHING
from bug_lsp.domain.run import RunStatus, Status
from bug_lsp.domain.transcript import one_line
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.workspace import task_file

from .follow import Ended
from .names import in_terminal
from .where import workspace_of
from .words import agent, label, place

_LINE = 400
_TELL_MORE = {FailureKind.CRASHED, FailureKind.INTERNAL}
"""Failures of which a line is not enough."""

Say = Callable[[str], None]


def tell(ended: Ended, say: Say) -> None:
    """Say where the conclusion is, what it is, and who failed."""
    if ended.left:
        say(f"the run is left in the background; to look at it: {_look_again(ended.folder)}")
        return
    task = Path(runs.load(ended.folder).task_path)
    if ended.is_not_known:
        _tell_nothing(ended.status, task, say)
        return
    if ended.concluded:
        _tell_conclusion(ended.status, task, say)
    else:
        _tell_why_none(ended, task, say)
    for session in ended.status.everyone:
        if session.status is Status.FAILED and session.failure:
            why = one_line(in_terminal(session.failure.message), _LINE)
            where = ended.folder.session(session.session_id).output
            more = f"; all of it: {place(where)}" if session.failure.kind in _TELL_MORE else ""
            say(f"{label(session)} {agent(session)} failed: {why}{more}")


def _tell_conclusion(status: RunStatus, task: Path, say: Say) -> None:
    found = _conclusion(task, status.debug_run_id)
    say(f"{next(iter(found), 'Synthesis')}: {place(task)}")
    for heading in CAUSES:
        if cause := _first_line(found.get(heading, "")):
            say(f"{heading}: {cause}")


def _tell_nothing(status: RunStatus, task: Path, say: Say) -> None:
    """Say that nothing was found, and each reason once."""
    found = _conclusion(task, status.debug_run_id)
    say(f"{NOTHING}: {place(task)}")
    for line in found.get(NOTHING, "").splitlines()[1:]:
        if line.strip():
            say(one_line(in_terminal(line), _LINE))


def _conclusion(task: Path, run_id: str) -> dict[str, str]:
    """The sections of this run's region, none where the file has changed since."""
    try:
        region = region_of(task_file.read(task, "task file"))
    except BadInput:
        return {}
    return sections(region[1]) if region and region[0] == run_id else {}


def _first_line(text: str) -> str:
    """The first line; one that only announces the next comes with that."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    taken = 2 if lines and lines[0].endswith(":") else 1
    return one_line(" ".join(line.removeprefix("- ") for line in lines[:taken]), _LINE)


def _tell_why_none(ended: Ended, task: Path, say: Say) -> None:
    status, folder = ended.status, ended.folder
    if ended.problem:
        source = folder.session(runs.source(folder, runs.load(folder)))
        say(f"the conclusion is not in {place(task)}: {ended.problem}; read it in {source.output}")
        return
    if status.delivered:
        say(f"no session completed; what failed stands in {place(task)}")
    elif folder.cancelled.exists():
        say(f"the run was cancelled; nothing was written into {place(task)}")
    else:
        say(f"the run ended without a synthesis; nothing was written into {place(task)}")
    for session in status.everyone:
        if session.status is Status.COMPLETED:
            say(f"{label(session)} {agent(session)}: {folder.session(session.session_id).output}")


def _look_again(folder: RunFolder) -> str:
    command = f"bug-lsp status {folder.run_id}"
    workspace = Path(runs.load(folder).workspace)
    if workspace_of(None, None).resolve() == workspace:
        return command
    return f"{command} --workspace {workspace}"

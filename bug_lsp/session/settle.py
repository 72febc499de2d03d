"""Writes the end of a session that has no process to write it: lost, cancelled before its start, or
never come up. The caller holds the run's lock, or the session has never had a process.
"""

from __future__ import annotations

import contextlib

from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT
from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.inert import inert
from bug_lsp.domain.run import Facts, Failure, Kind, Result, Run, Status, materialise_session
from bug_lsp.domain.transcript import outcome, padded_status, status_line
from bug_lsp.store import files, runs
from bug_lsp.store.copy_environment import remove_temporary_root
from bug_lsp.store.damage import damaged
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.pokes import poke
from bug_lsp.store.processes import alive

from .farewell import farewell


def settle_all(folder: RunFolder, run: Run) -> None:
    """Give every session of the run whose process is gone its terminal status."""
    for spec in run.roster:
        session = folder.session(spec.session_id)
        if not runs.is_complete(session):  # damaged, and kept aside: the run knows what was in it
            files.replace(session.spec, spec.to_json())
        _settle(run, session)
    for session in (*runs.proofs(folder), *runs.orchestrators(folder)):
        _settle(run, session)


def finish_failed(session: SessionFolder, kind: FailureKind, message: str) -> None:
    """Write the result of a session that never came up, or whose own process broke down."""
    run = runs.load(session.run)
    _finish(run, session, Status.FAILED, Failure(kind=kind, message=message))


def _settle(run: Run, session: SessionFolder) -> None:
    if runs.result(session) is not None or not runs.is_complete(session):
        return
    process = runs.process(session)
    if process is None:
        starter = runs.claim(session.start_claim)
        if session.cancel.exists() and not (starter is not None and starter.held):
            _finish(run, session, Status.CANCELLED, None)
        return
    if alive(process.pid, process.birth) or session.result.exists():
        return
    _bury(run, session)
    if session.cancel.exists():
        _finish(run, session, Status.CANCELLED, None)
        return
    lost = damaged(session.result)
    why = (
        f"its result cannot be read (it is kept in {lost})"
        if lost.exists()
        else "its session process was killed"
    )
    message = f"{why}; start the run again, or use what it wrote so far"
    _finish(run, session, Status.FAILED, Failure(kind=FailureKind.LOST, message=message))


def _bury(run: Run, session: SessionFolder) -> None:
    """What the killed session process would have done itself: end its agent, keep its patch."""
    # Loaded where they are needed: most sessions end by themselves.
    from bug_lsp.workspace import copies, git

    from . import tree

    tree.end(tree.marker(session.run.run_id, session.session_id))
    copy = session.copy / run.base.name
    if runs.spec(session).kind is not Kind.DEBUG:
        copies.remove(session)
    elif (copy / ".git").exists() and not session.patch.exists():
        with contextlib.suppress(git.GitError, OSError):  # a copy only half made has no patch
            files.replace(session.patch, copies.diff(copy, run.base, session.index))


def _finish(run: Run, session: SessionFolder, status: Status, failure: Failure | None) -> None:
    head, tail, total = _written(session)
    record = runs.last_record(session)
    process = runs.process(session)
    ended_at = max(runs.now(), process.started_at) if process is not None else runs.now()
    result = Result(
        session_id=session.session_id,
        status=status,
        failure=failure,
        ended_at=ended_at,  # the clock may have been set back
        usage=record.usage if record else None,
        tool_calls=record.tool_calls if record else 0,
        output_chars=total,
        head=head,
        tail=tail,
    )
    with contextlib.suppress(OSError):  # it is in the way of nobody
        remove_temporary_root(session.scratch)
    if not files.create_once(session.result, result.to_json()):
        return
    _show_end(run, session, result)
    poke(session.run.workspace, session.run.run_id, session.session_id)


def _written(session: SessionFolder) -> tuple[str, str, int]:
    """(head, tail, characters) of what a session wrote before it was lost."""
    skip = len(padded_status(""))
    try:
        with session.output.open("rb") as file:
            size = max(0, file.seek(0, 2) - skip)
            file.seek(skip)
            head = file.read(HEAD_KEPT).decode(errors="replace")
            file.seek(skip + max(HEAD_KEPT, size - TAIL_KEPT))
            tail = file.read().decode(errors="replace")
    except FileNotFoundError:
        return "", "", 0
    return head, tail, len(head) + len(tail) if size <= HEAD_KEPT + TAIL_KEPT else size


def _show_end(run: Run, session: SessionFolder, result: Result) -> None:
    facts = Facts(spec=runs.spec(session), process=runs.process(session), result=result)
    shown = materialise_session(session.run.run_id, facts)
    line = padded_status(status_line(shown, result.tool_calls, None))
    if not session.output.exists():
        files.create_once(session.output, line + f"\n# {inert(shown.title)}\n".encode())
    with session.output.open("r+b") as file:
        file.write(line)
        file.seek(0, 2)
        file.write(f"\n\n{farewell(run, session, facts.spec, outcome(shown))}\n".encode())

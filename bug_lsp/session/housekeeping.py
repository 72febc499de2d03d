"""What of a workspace's finished runs is removed, and what must stay.

A run that is not finished is never touched. One that holds what nobody has elsewhere (the latest
of a task file, or a conclusion that could not be delivered) goes only when the user says so.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from bug_lsp.domain.errors import BugLspError, Refused
from bug_lsp.domain.ids import created_at, is_run_id
from bug_lsp.domain.model import Value
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.store.usage import taken
from bug_lsp.workspace import git

from . import findings
from .forget import delete_finished, remove_copies

_AT_ONCE = 16
"""Runs that are looked at when another has ended: that one must not wait for thousands."""
_FAR_BACK = 100
"""Runs of one task file among which the latest that was delivered is looked for."""
_ABANDONED = 3600.0
"""Seconds after which what was begun and never finished is nobody's any more."""
_PRUNE_DEADLINE = 600.0


class Freed(Value):
    """What was removed, or would be, and what was kept although there are newer runs enough."""

    runs: int = 0
    copies: int = 0
    """Of sessions whose runs were kept."""
    leftovers: int = 0
    size_bytes: int = 0
    kept_latest: int = 0
    kept_undelivered: int = 0
    kept_unreadable: int = 0
    unfinished: int = 0

    def __add__(self, other: Freed) -> Freed:
        """Both together."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Freed(**{name: value + theirs[name] for name, value in mine.items()})


def after_run(folder: RunFolder) -> None:
    """Remove runs beyond the setting `keepRuns`, a few at a time. Which ones is left to chance: so
    those that must stay are never in the way of the others.
    """
    try:
        if runs.is_finished(folder):
            _remove_some(folder)
    except (BugLspError, git.GitError, OSError) as error:
        sys.stderr.write(f"old runs were not removed: {error}\n")


def _remove_some(ended: RunFolder) -> None:
    workspace = ended.workspace
    unfinished = {path.name for path in _entries(workspace.active)}
    finished = [name for name in runs.newest_ids(workspace) if name not in unfinished]
    beyond = [name for name in finished[runs.load(ended).keep_runs :] if name != ended.run_id]
    latest = _Latest(workspace)
    for one in map(workspace.run, random.sample(beyond, min(_AT_ONCE, len(beyond)))):
        if not _why_kept(one, latest):
            delete_finished(one)


def clean(
    workspace: WorkspaceFolder, keep: int, *, everything: bool = False, dry_run: bool = False
) -> Freed:
    """Remove the finished runs beyond the newest `keep`, the copies of the others, and what kills
    have left. With `everything` also what is otherwise kept.
    """
    finished: list[RunFolder] = []
    unfinished = 0
    for one in runs.newest(workspace):
        if runs.is_finished(one):
            finished.append(one)
        else:
            unfinished += one.run.exists()
    latest = _Latest(workspace)
    freed = Freed(unfinished=unfinished)
    stay = finished[: 0 if everything else keep]
    for one in finished[len(stay) :]:
        why = "" if everything else _why_kept(one, latest)
        if why:
            stay.append(one)
            freed += Freed(**{f"kept_{why}": 1})
        else:
            freed += _run(one, dry_run=dry_run)
    for one in stay:
        freed += _copies(one, dry_run=dry_run)
    if not dry_run:
        _tidy_index(workspace)
    # The copies of finished runs, which link to them, are gone.
    if not unfinished and workspace.set_ups.exists() and not _entries(workspace.active):
        freed += _removed([workspace.set_ups], dry_run=dry_run)
    return freed + _leftovers(workspace, dry_run=dry_run)


class _Latest:
    """Which runs are the latest of their task files, looked up once for each task."""

    def __init__(self, workspace: WorkspaceFolder) -> None:
        self._workspace = workspace
        self._known: dict[str, frozenset[str]] = {}

    def __contains__(self, folder: RunFolder) -> bool:
        task = runs.load(folder).task_path
        if task not in self._known:
            self._known[task] = frozenset(self._of(Path(task)))
        return folder.run_id in self._known[task]

    def _of(self, task: Path) -> Iterator[str]:
        """The newest, the newest of which something was delivered, and that of the findings."""
        if not os.path.lexists(task):
            return  # who has deleted the task file is done with it
        kept = findings.of_task(self._workspace, task)
        if kept is not None:
            yield kept.debug_run_id
        for number, one in enumerate(islice(runs.each_of_task(self._workspace, task), _FAR_BACK)):
            delivered = runs.is_finished(one) and _is_delivered(one)
            if number == 0 or delivered:
                yield one.run_id
            if delivered:
                return


def _is_delivered(folder: RunFolder) -> bool:
    try:
        return runs.shown(folder).delivered
    except Refused:
        return False


def _why_kept(folder: RunFolder, latest: _Latest) -> str:
    """Why a finished run is not removed unasked; "" where nothing is lost with it."""
    try:
        record = runs.delivered(folder, runs.source(folder, runs.load(folder)))
        is_latest = folder in latest
    except Refused:
        return "unreadable"
    if record is not None and record.problem is not None:
        return "undelivered"
    return "latest" if is_latest else ""


def _run(folder: RunFolder, *, dry_run: bool) -> Freed:
    size = taken([folder.path]).size_bytes
    if dry_run or delete_finished(folder):
        return Freed(runs=1, size_bytes=size)
    return Freed()


def _copies(folder: RunFolder, *, dry_run: bool) -> Freed:
    sessions = [folder.session(path.name) for path in _entries(folder.sessions)]
    left = [path for one in sessions for path in (one.copy, one.scratch) if path.exists()]
    count = sum(one.copy.exists() for one in sessions)
    if not left:
        return Freed()
    size = taken(left).size_bytes
    if dry_run or remove_copies(folder):
        return Freed(copies=count, size_bytes=size)
    return Freed()


def _leftovers(workspace: WorkspaceFolder, *, dry_run: bool) -> Freed:
    """Folders of deleted runs that are still there, and of what was killed while it was made."""
    return _removed((*_hidden(workspace.runs), *_temporary(workspace)), dry_run=dry_run)


def _removed(paths: Iterable[Path], *, dry_run: bool) -> Freed:
    freed = Freed()
    for path in paths:
        size = taken([path]).size_bytes
        if not dry_run:
            with contextlib.suppress(OSError):
                files.remove(path)
        if dry_run or not path.exists():
            freed += Freed(leftovers=1, size_bytes=size)
    return freed


def _hidden(folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        if path.name.startswith(".") and (path.name.endswith(".deleted") or _abandoned(path)):
            yield path


def _temporary(workspace: WorkspaceFolder) -> Iterator[Path]:
    yield from filter(_abandoned, workspace.repository.glob("index-*"))
    for one in runs.newest(workspace):
        if runs.is_finished(one):
            yield from filter(_abandoned, one.path.glob("hunks-*"))
            for prefix in ("apply-", "sides-"):
                yield from filter(_abandoned, one.sessions.glob(f"*/{prefix}*"))


def _abandoned(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > _ABANDONED
    except OSError:
        return False


def _entries(folder: Path) -> Sequence[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return ()


def _tidy_index(workspace: WorkspaceFolder) -> None:
    """Remove what speaks of runs that are gone, and the snapshots that nobody needs any more."""
    _unlink(workspace, [workspace.active, *_entries(workspace.tasks)])
    if not workspace.repository.exists():
        return
    # A run that is being started has its snapshot before it has a folder.
    with contextlib.suppress(git.GitError), files.locked(workspace.git_lock):
        told = git.text(
            "for-each-ref", "--format=%(refname)", "refs/bug-lsp/", cwd=workspace.repository
        )
        names = [Path(ref).name for ref in told.splitlines()]
        for name in filter(_gone(workspace), names):
            git.maybe("update-ref", "-d", f"refs/bug-lsp/{name}", cwd=workspace.repository)
        git.run("prune", "--expire=1.hour.ago", cwd=workspace.repository, deadline=_PRUNE_DEADLINE)


def _unlink(workspace: WorkspaceFolder, folders: Sequence[Path]) -> None:
    gone = _gone(workspace)
    for folder in folders:
        for path in _entries(folder):
            if gone(path.name):
                path.unlink(missing_ok=True)


def _gone(workspace: WorkspaceFolder) -> Callable[[str], bool]:
    """Tells of a run whether it is neither there nor about to be."""

    def gone(run_id: str) -> bool:
        if not is_run_id(run_id) or workspace.run(run_id).path.exists():
            return False
        if workspace.run(f".{run_id}.deleted").path.exists():
            return True
        return time.time() - created_at(run_id).timestamp() > _ABANDONED

    return gone

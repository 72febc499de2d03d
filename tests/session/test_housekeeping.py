"""Which runs go when there are too many, and which never do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bug_lsp.domain.ids import new_run_id
from bug_lsp.domain.run import Status
from bug_lsp.session.cancel import cancel_run
from bug_lsp.session.housekeeping import Freed, after_run, clean
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.workspace import git
from tests.support.facts import ended, run_of, session_id
from tests.support.projects import Project
from tests.support.runs import FINDS, REPORT, WAITS, Started, block, start, turnstile

QUICK = {"prove": False}
KILLED = """
import os, pathlib, signal, sys
from bug_lsp.session import forget, housekeeping
from bug_lsp.store.layout import WorkspaceFolder

def die(*_): os.kill(os.getpid(), signal.SIGKILL)

def rename(path, target):
    os.rename(path, target)
    die()

if sys.argv[2] == "rename": pathlib.Path.rename = rename
if sys.argv[2] == "release": forget.capture.release = die
if sys.argv[2] == "remove": forget.files.remove = die
housekeeping.clean(WorkspaceFolder(pathlib.Path(sys.argv[1])), 0)
"""
"""Cleans, and is killed when a run has been put out of sight, before its snapshot is let go, or
before its files are removed.
"""


def started(project: Project, task: Path | None = None, **settings: object) -> Started:
    """A run that has ended, on this task file or a new one."""
    request = {"task": task} if task else {"title": f"Bug {time.monotonic_ns()}"}
    return start(project.root, FINDS, settings={**QUICK, **settings}, **request).wait_finished()


def there(workspace: WorkspaceFolder) -> set[str]:
    return {one.run_id for one in runs.newest(workspace)}


def refs(workspace: WorkspaceFolder) -> set[str]:
    told = git.text("for-each-ref", "--format=%(refname)", cwd=workspace.repository)
    return {Path(ref).name for ref in told.splitlines()}


def test_the_oldest_runs_go_when_another_ends_but_not_the_latest_of_a_task_file(
    project: Project,
) -> None:
    other = started(project)
    first = started(project)
    second = started(project, first.task)
    waiting = start(project.root, WAITS, settings=QUICK, task=first.task)
    waiting.wait_ready(0)
    last = started(project, first.task, keep_runs=1)
    left = {one.folder.run_id for one in (other, waiting, last)}
    last.wait(lambda: there(last.folder.workspace) == left)
    assert refs(last.folder.workspace) == left
    assert not second.folder.path.exists()
    assert waiting.status.sessions[0].status is Status.RUNNING
    assert f"run={last.folder.run_id}" in last.text


def test_clean_says_what_it_would_do_and_then_does_it(project: Project) -> None:
    other = started(project)
    first = started(project)
    last = started(project, first.task)
    workspace = last.folder.workspace
    would = clean(workspace, 0, dry_run=True)
    assert (would.runs, would.copies, would.leftovers, would.kept_latest) == (1, 2, 0, 2)
    assert there(workspace) == {one.folder.run_id for one in (other, first, last)}
    assert clean(workspace, 0) == would
    assert there(workspace) == refs(workspace) == {other.folder.run_id, last.folder.run_id}
    for one in (other, last):
        assert not one.sessions[0].copy.exists()
        assert not one.sessions[0].scratch.exists()
        assert one.sessions[0].patch.exists()
        assert one.status.delivered
    assert clean(workspace, 0) == Freed(kept_latest=2)
    assert clean(workspace, 0, everything=True).runs == 2
    assert there(workspace) == refs(workspace) == set()
    assert list(workspace.tasks.glob("*/*")) == list(workspace.findings.iterdir()) == []


def test_a_run_that_is_not_finished_is_never_touched(project: Project) -> None:
    run = start(project.root, FINDS, WAITS, settings=QUICK)
    run.wait_ready(1)
    run.wait_for(0, Status.COMPLETED)
    workspace = run.folder.workspace
    assert clean(workspace, 0, everything=True) == Freed(unfinished=1)
    assert run.sessions[0].copy.exists()
    assert run.status.sessions[1].status is Status.RUNNING
    cancel_run(run.folder)
    run.wait_finished()
    assert clean(workspace, 0, everything=True).runs == 1


def test_a_conclusion_that_is_nowhere_else_is_kept_until_it_is_asked_for(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as gate:
        run = start(project.root, gate.agent(block(REPORT)), settings=QUICK)
        run.wait_ready(0)
        run.task.unlink()
        gate.let_go()
        run.wait_finished()
    workspace = run.folder.workspace
    assert not run.status.delivered
    assert clean(workspace, 0).kept_undelivered == 1
    assert there(workspace) == {run.folder.run_id}
    assert clean(workspace, 0, everything=True).runs == 1


def test_what_kills_have_left_is_removed_when_it_is_old(project: Project) -> None:
    run = started(project)
    workspace = run.folder.workspace
    half = new_run_id(1_000)
    deleted = files.make_private(workspace.runs / f".{new_run_id(2_000)}.deleted" / "sessions")
    (deleted / "locked").mkdir(mode=0o500)
    old = files.make_private(workspace.runs / f".{half}")
    young = files.make_private(workspace.runs / f".{new_run_id(time.time_ns() // 1_000_000)}")
    os.utime(old, (1, 1))
    files.replace(workspace.active / half, b"")
    files.replace(workspace.active / young.name[1:], b"")
    files.replace(workspace.task_index(run.task) / half, b"")
    commit = git.text("rev-parse", f"refs/bug-lsp/{run.folder.run_id}", cwd=workspace.repository)
    git.run("update-ref", f"refs/bug-lsp/{half}", commit, cwd=workspace.repository)
    assert clean(workspace, 5, dry_run=True).leftovers == 2
    assert clean(workspace, 5).leftovers == 2
    assert {path.name for path in workspace.runs.iterdir()} == {run.folder.run_id, young.name}
    assert [path.name for path in workspace.active.iterdir()] == [young.name[1:]]
    assert [path.name for path in workspace.tasks.glob("*/*")] == [run.folder.run_id]
    assert refs(workspace) == {run.folder.run_id}
    young.rmdir()
    (workspace.active / young.name[1:]).unlink()


@pytest.mark.parametrize("step", ["rename", "release", "remove"])
def test_a_cleaner_that_is_killed_at_any_step_loses_nothing_that_was_to_stay(
    project: Project, step: str
) -> None:
    first = started(project)
    last = started(project, first.task)
    workspace = last.folder.workspace
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(workspace.path), step], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert there(workspace) == {last.folder.run_id}
    assert [one.run_id for one in runs.of_task(workspace, last.task)] == [last.folder.run_id]
    assert clean(workspace, 0).leftovers == 1
    assert [path.name for path in workspace.runs.iterdir()] == [last.folder.run_id]
    assert [path.name for path in workspace.tasks.glob("*/*")] == [last.folder.run_id]
    assert refs(workspace) == {last.folder.run_id}
    assert last.status.delivered
    assert last.sessions[0].patch.exists()


def test_several_cleaners_at_once_remove_each_run_once(tmp_path: Path) -> None:
    workspace = WorkspaceFolder.of(tmp_path)
    for moment in range(40):
        folder = made(workspace, moment)
        for name in range(20):
            files.make_private(folder.session(session_id(1)).copy / f"{name}" / "deep")
    with ThreadPoolExecutor(8) as pool:
        freed = list(pool.map(lambda _: clean(workspace, 10), range(8)))
    assert sum(one.runs for one in freed) == 30
    assert {path.name for path in workspace.runs.iterdir()} == there(workspace)
    assert len(there(workspace)) == 10
    assert there(workspace) == {new_run_id(moment)[:12] + "0000" for moment in range(30, 40)}


def test_one_more_run_after_many_looks_at_a_few_alone(tmp_path: Path) -> None:
    workspace = WorkspaceFolder.of(tmp_path)
    for moment in range(60):
        made(workspace, moment)
    newest = next(runs.newest(workspace))
    after_run(newest)
    assert len(there(workspace)) == 60 - 16
    for _ in range(10):
        after_run(newest)
    assert len(there(workspace)) == 2
    assert newest.run_id in there(workspace)


@pytest.mark.parametrize("broken", ["{", '{"version": 2}'])
def test_a_run_that_cannot_be_read_is_kept(tmp_path: Path, broken: str) -> None:
    workspace = WorkspaceFolder.of(tmp_path)
    folder = made(workspace, 1)
    files.replace(folder.run, broken.encode())
    assert clean(workspace, 0).kept_unreadable == 1
    assert clean(workspace, 0, everything=True).runs == 1
    assert there(workspace) == set()


def made(workspace: WorkspaceFolder, moment: int) -> RunFolder:
    """A finished run on disk, whose task file nobody has any more."""
    run_id = new_run_id(moment)[:12] + "0000"
    run = run_of([ended(1)], debug_run_id=run_id, keep_runs=2)
    folder = runs.create(workspace, run, {session_id(1): "prompt"})
    result = ended(1).result
    assert result is not None
    files.replace(folder.session(session_id(1)).result, result.to_json())
    (workspace.active / run_id).unlink()
    return folder

"""The machine stops: every state that the disk was in while a run went on is found by somebody
later, with nothing running any more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bug_lsp.domain.region import region_of
from bug_lsp.store import faults, runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.store.processes import me
from tests.support import leftovers
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, start

from .control import Control, Step
from .ends import check, look_until_finished

pytestmark = pytest.mark.fault(2)

_NOT_KEPT = shutil.ignore_patterns(
    "copy", "scratch", "repository.git", "inbox", "standby", "*.pipe", "*.new", "*.lock"
)
"""Copies are made again, our repository was there before the run was, and pipes and locks are
nothing without their owner.
"""


def test_each_state_of_the_disk_leads_to_one_orchestrator(
    project: Project,
    control: Control,
    state_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: Callable[[int, int], int],
) -> None:
    states = tmp_path / "states"
    tasks = project.root / "tasks"

    def keep(step: Step) -> str:
        kept = states / f"{step.number}"
        if state_dir.exists():
            shutil.copytree(state_dir, kept / "state", ignore=_NOT_KEPT, copy_function=_copy)
        if tasks.exists():
            shutil.copytree(tasks, kept / "tasks")
        return ""

    control.rule = keep
    # The start too, which is made by this process.
    monkeypatch.setattr(faults, "_SOCKET", os.environ["BUG_LSP_FAULTS"])
    whole = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES)
    look_until_finished(whole)
    monkeypatch.setattr(faults, "_SOCKET", None)
    control.release()
    check(whole)
    _wait_until_alone(whole, state_dir)

    numbers = [step.number for step in control.steps]
    count = times(10, len(numbers))
    for at in range(count):
        number = numbers[at * len(numbers) // count]
        found = states / str(number)
        _restore(found, whole, state_dir, tasks)
        workspace = WorkspaceFolder.of(project.root)
        for folder in runs.active(workspace):
            run = Started(folder)
            _tear(folder)
            look_until_finished(run)
            check(run)
            _wait_until_alone(run, state_dir)
        left = [path for path in workspace.runs.glob("[!.]*") if not (path / "run.json").exists()]
        assert left == []
        for folder in runs.newest(workspace):
            assert region_of(Started(folder).text) is not None


def _wait_until_alone(run: Started, state: Path) -> None:
    """Until the last of its processes is gone: the disk must not change under a living one."""
    run.wait(lambda: not leftovers.session_processes(state))


def _copy(source: str, to: str) -> None:
    with suppress(FileNotFoundError):  # another process has just renamed it
        shutil.copy2(source, to)


def _restore(found: Path, whole: Started, state: Path, tasks: Path) -> None:
    """Put the disk back to how it was then."""
    workspace = state / "workspaces" / whole.folder.workspace.path.name
    for path in [*workspace.iterdir()]:
        if path.name != "repository.git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if (found / "state").exists():
        shutil.copytree(found / "state", state, dirs_exist_ok=True)
    shutil.rmtree(tasks, ignore_errors=True)
    if (found / "tasks").exists():
        shutil.copytree(found / "tasks", tasks)


def _tear(folder: RunFolder) -> None:
    """What is not made durable at once may end in the middle of a record; and who has claimed
    anything, this process too, is dead.
    """
    for claim in folder.path.rglob("*.claim"):
        claim.write_text(claim.read_text().replace(me()[1], "before"))
    for session in folder.sessions.iterdir():
        for name in ("events.jsonl", "output.md"):
            path = session / name
            if path.exists():
                with path.open("r+b") as file:
                    file.truncate(max(0, path.stat().st_size - 7))

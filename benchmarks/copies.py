"""Copies of large repositories: a whole run of eight agents that end at once, beside eight work
trees that git itself makes.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from bug_lsp.store.layout import state_root
from tests.support.runs import FINDS, start

from .rows import Row
from .stage import stage
from .waiting import finished

_AGENTS = 8
_MB = 1_000_000


def rows(*, quick: bool = False) -> list[Row]:
    """Many files, and large ones."""
    files = 2_000 if quick else 50_000
    megabytes = 100 if quick else 3_000
    with stage() as workspace:
        _many(workspace, files)
        many = _measured(workspace, f"{files:,} tracked files")
    with stage() as workspace:
        _large(workspace, megabytes)
        large = _measured(workspace, f"{megabytes:,} MB tracked")
    return [*many, *large]


def _many(workspace: Path, count: int) -> None:
    """Small files in folders of a hundred."""
    for number in range(count):
        path = workspace / f"d{number // 100}" / f"f{number}.py"
        if number % 100 == 0:
            path.parent.mkdir()
        path.write_text(f"VALUE = {number}\n" * 20)
    _commit(workspace)


def _large(workspace: Path, megabytes: int) -> None:
    """Files of 10 MB that do not shrink."""
    for number in range(megabytes // 10):
        (workspace / f"large{number}.bin").write_bytes(os.urandom(10 * _MB))
    _commit(workspace)


def _commit(workspace: Path) -> None:
    _git(workspace, "add", "-A")
    _git(workspace, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all")


def _git(workspace: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=workspace, check=True, capture_output=True)


def _measured(workspace: Path, what: str) -> list[Row]:
    trees = workspace.parent / "trees"
    began = time.monotonic()
    for number in range(_AGENTS):
        _git(workspace, "worktree", "add", "-q", "--detach", str(trees / str(number)))
    peer, peer_bytes = time.monotonic() - began, _size(trees)
    subprocess.run(["rm", "-rf", str(trees)], check=True)
    _git(workspace, "worktree", "prune")

    began = time.monotonic()
    run = start(workspace, *[FINDS] * _AGENTS)
    accepted = time.monotonic() - began
    finished(run.folder, 1800)
    whole = time.monotonic() - began
    size = _size(state_root())
    trees_of_git = f"{_AGENTS} work trees by git"
    return [
        Row(f"{what}: until the run is accepted", accepted, None, unit="s"),
        Row(
            f"→ until {_AGENTS} agents that say one thing have ended, and the synthesis is there",
            whole,
            None,
            unit="s",
            peer=trees_of_git,
            beside=peer,
        ),
        Row(
            "→ what it takes of the disk",
            size / _MB,
            None,
            unit="MB",
            peer=trees_of_git,
            beside=peer_bytes / _MB,
        ),
    ]


def _size(folder: Path) -> int:
    done = subprocess.run(
        ["du", "-s", "-B1", str(folder)], check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[0])

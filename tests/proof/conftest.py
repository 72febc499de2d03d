from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bug_lsp.proof import leftovers
from tests.support.projects import Project

from .benches import Trials


@pytest.fixture
def trials(project: Project, tmp_path: Path) -> Iterator[Trials]:
    """The shop, and patches of it; no process of a cell may outlive the test."""
    made = Trials(project, tmp_path / "trials")
    made.tmp.mkdir()
    yield made
    left = [pid for pid in _of_cells(tmp_path) if psutil.pid_exists(pid)]
    assert left == []


def _of_cells(folder: Path) -> set[int]:
    """The living processes of cells whose copies are in the folder."""
    found = set()
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                environment = (path / "environ").read_bytes()
            except OSError:
                continue
            marked = leftovers.MARKER.encode() + b"=" in environment
            if marked and str(folder).encode() in environment:
                found.add(int(path.name))
    return found

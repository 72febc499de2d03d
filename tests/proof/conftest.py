from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bug_lsp.proof import leftovers
from tests.support.projects import Project

from .benches import Trials


@pytest.fixture(autouse=True)
def without_plugins(monkeypatch) -> None:
    """Plugins of our own development have no part in the small projects' tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def trials(project: Project, tmp_path: Path) -> Iterator[Trials]:
    """The shop, and patches of it; no process of a cell may outlive the test."""
    made = Trials(project, tmp_path / "trials")
    made.tmp.mkdir()
    yield made
    left = [
        process.pid
        for process in psutil.process_iter()
        if process.pid in _with_marker() and process.status() != psutil.STATUS_ZOMBIE
    ]
    assert left == []


def _with_marker() -> set[int]:
    found = set()
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if leftovers.MARKER.encode() + b"=" in (path / "environ").read_bytes():
                    found.add(int(path.name))
            except OSError:
                continue
    return found

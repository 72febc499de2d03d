"""Control of the steps of whatever a test starts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .control import Control, controlled


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """Control of every step of the processes that this test starts."""
    # Not in tmp_path: the path of a socket may have a hundred bytes.
    with (
        tempfile.TemporaryDirectory() as folder,
        controlled(Path(folder, "faults"), monkeypatch) as made,
    ):
        yield made

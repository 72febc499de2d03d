"""What tests of whole worlds share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.node import npm


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have node and npm on the PATH: the machine's own, or else those of the wheel."""
    if shutil.which("npm") is None:
        path = os.pathsep.join([str(npm(tmp_path)), os.environ["PATH"]])
        monkeypatch.setenv("PATH", path)

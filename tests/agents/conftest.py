"""What the tests of the agents share: a scripted model, and who hears what an agent emits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripted_model import ScriptedModel, scripted_model

from .recorder import Recorder


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A scripted model that keeps what it was asked."""
    with scripted_model(keep_bodies=True) as model:
        yield model


@pytest.fixture
def said() -> Recorder:
    """To be given to an agent as its `emit`."""
    return Recorder()


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that is neither the copy nor in a folder for temporary files."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)

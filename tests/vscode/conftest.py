"""A real VS Code for each test, with a home of its own and the extension as it is shipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clients.vscode.__main__ import vsix
from tests.scripted_model import scripted_model

_PICTURES = os.environ.get("BUG_LSP_TEST_PICTURES")


@pytest.fixture(scope="session")
def extension() -> Path:
    """The extension, built as it is shipped."""
    return vsix()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures of each step are left."""
    folder = Path(_PICTURES or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def model():
    """A scripted model."""
    with scripted_model() as running:
        yield running

"""The extension as it is shipped, built once a test run; where pictures are left; a model."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from clients.node import make_once
from clients.vscode.__main__ import vsix
from tests.scripted_model import scripted_model


@pytest.fixture(scope="session")
def extension(tmp_path_factory) -> Path:
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    built = make_once(shared / "vsix", lambda whole: shutil.copy(vsix(), whole))
    return built / "bug-lsp.vsix"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("BUG_LSP_TEST_PICTURES") or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def model():
    with scripted_model() as running:
        yield running

"""Where a benchmark is run: a project and a state folder that nobody else has."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def stage(**more: str) -> Iterator[Path]:
    """The folder of a small project; what is beside it goes with it."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as temporary:
        place = Path(temporary).resolve()
        apart = {
            "BUG_LSP_STATE_DIR": str(place / "state"),
            "BUG_LSP_CONFIG": str(place / "none.toml"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        with environment(apart | more):
            yield project(place / "project")


def project(folder: Path) -> Path:
    """A project of one file."""
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment with these in it, for as long as it lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

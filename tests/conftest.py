"""What holds for every test: nothing of the user's is seen, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import leftovers
from tests.support.projects import Project, small_project

pytest_plugins = ["tests.faults.report"]

_HOMES = {
    "HOME": "",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_RUNTIME_DIR": ".run",
    "XDG_STATE_HOME": ".local/state",
    "CODEX_HOME": ".codex",
    "CLAUDE_CONFIG_DIR": ".claude",
    "BUG_LSP_CONFIG": "config.toml",
}
_GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
_PYTEST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Plugins of our own development have no part in the small projects' tests; loading them takes ten
times as long as such a test."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a state folder of the test's own; git and pytest without anybody's settings."""
    home = tmp_path / "home"
    home.mkdir()
    for name, place in _HOMES.items():
        monkeypatch.setenv(name, str(home / place))
    for name, value in {**_GIT, **_PYTEST}.items():
        monkeypatch.setenv(name, value)
    state = tmp_path / "state"
    monkeypatch.setenv("BUG_LSP_STATE_DIR", str(state))
    return state


@pytest.fixture(autouse=True)
def no_survivors(state_dir: Path) -> Iterator[None]:
    """After a test no process of its sessions lives, no copy is registered, no run is left."""
    yield
    if state_dir.exists():
        leftovers.end_and_check(state_dir)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A small project with a real bug, of which only task files may change behind the test."""
    made = small_project(tmp_path / "shop")
    yield made
    assert made.changed_behind_the_test() == {}
    assert sorted((tmp_path / "home").iterdir()) == []

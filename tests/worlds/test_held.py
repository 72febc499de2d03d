"""What tests need of their user's world besides files is the same in the copies."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, change_files

from . import terminal
from .shop import shop, shop_world
from .test_unequal import with_test


def _zone(project: Project) -> dict[str, Any]:
    body = "self.assertEqual((time.tzname[0], os.environ['LC_ALL']), ('NZST', 'de_DE.UTF-8'))"
    with_test(project, body, "import os\nimport time\n")
    return {"environ": {"TZ": "Pacific/Auckland", "LC_ALL": "de_DE.UTF-8"}}


def _home(project: Project) -> dict[str, Any]:
    change_files(Path.home(), {".shoprc": "1"})
    body = "self.assertTrue((pathlib.Path.home() / '.shoprc').exists())"
    with_test(project, body, "import pathlib\n")
    return {}


def _folder_of_logs(project: Project) -> dict[str, Any]:
    project.write(".gitignore", "__pycache__/\nlogs/\n")
    with_test(project, "open('logs/new.log', 'w').close()")
    project.write("logs/old.log", "old\n")
    return {}


def _python_path(project: Project) -> dict[str, Any]:
    change_files(project.root, {"lib/helpers/__init__.py": "VALUE = 1\n"})
    with_test(project, "self.assertEqual(helpers.VALUE, 1)", "import helpers\n")
    return {"environ": {"PYTHONPATH": "lib"}}


def _make(project: Project) -> dict[str, Any]:
    """The file that `make` reads is younger than the bug."""
    with_test(project, "pass")
    project.write("Makefile", "test:\n\tpython -m unittest\n")
    project.commit("Makefile")
    return {"command": "make test"}


@contextlib.contextmanager
def _service() -> Iterator[int]:
    """Somebody who listens on a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _check(project: Project, monkeypatch: pytest.MonkeyPatch, **more: Any) -> terminal.Said:
    said = terminal.run(shop_world(project, **more), monkeypatch, "bisect,mends")
    assert "on your code: 3 passed, 1 failed" in said.text
    assert said.text.count("| passes | passes |") == 1
    assert "(Simplify, Ada," in said.text
    return said


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "make",
    [_zone, _home, _folder_of_logs, _python_path, _make],
    ids=lambda make: make.__name__.strip("_"),
)
def test_tests_find_the_users_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Project], dict[str, Any]]
) -> None:
    project = shop(tmp_path / "shop")
    _check(project, monkeypatch, **make(project))


@pytest.mark.timeout(240)
def test_a_service_on_a_port_of_the_users_is_found_by_running_the_tests_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    with _service() as port:
        body = f"socket.create_connection(('127.0.0.1', {port})).close()"
        with_test(project, body, "import socket\n")
        said = _check(project, monkeypatch)
    assert "tests need the network" in said.text

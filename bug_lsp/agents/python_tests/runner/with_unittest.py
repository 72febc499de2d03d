"""Runs the tests with unittest: every `test*.py` and `*_test.py` below the current folder.

Unlike `python -m unittest discover` it also finds tests in folders that are no packages.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import unittest
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .journal import Journal
from .limits import TestLimit

_LEFT_OUT = {"node_modules", "build", "dist", "venv", "env", "site-packages", "__pycache__"}


def run(config: dict[str, Any], journal: Journal, limit: TestLimit) -> None:
    """Load all files, then run the wanted tests in one flat suite."""
    journal.runner = "unittest"
    files = [Path(file).absolute() for file in config["args"]] or list(_files(Path.cwd()))
    tests = [test for file in files for test in _load(file, journal)]
    only = None if config["only"] is None else set(config["only"])
    first, leave_out = set(config["first"]), set(config["leave_out"])
    ids = {id(test): _id(test, journal) for test in tests}
    wanted = [
        test
        for test in tests
        if ids[id(test)] not in leave_out and (only is None or ids[id(test)] in only)
    ]
    wanted.sort(key=lambda test: ids[id(test)] not in first)
    journal.set_collected([ids[id(test)] for test in wanted])
    if not config["collect_only"]:
        unittest.TestSuite(wanted).run(_Result(journal, limit))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _LEFT_OUT and not name.startswith(".")
        )
        for name in sorted(names):
            if fnmatch(name, "test*.py") or fnmatch(name, "*_test.py"):
                yield Path(place, name)


def _load(file: Path, journal: Journal) -> list[unittest.TestCase]:
    """The tests of one file, imported as the member of the packages it is in."""
    folder, name = file.parent, file.stem
    while (folder / "__init__.py").is_file():
        folder, name = folder.parent, f"{folder.name}.{name}"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(name)
        if Path(module.__file__ or "").resolve() != file.resolve():
            del sys.modules[name]  # two folders have a test file of this name
            sys.path.insert(0, str(folder))
            module = importlib.import_module(name)
        return list(_flat(unittest.defaultTestLoader.loadTestsFromModule(module)))
    except unittest.SkipTest:
        return []
    except BaseException as error:  # noqa: BLE001 - importing a test file runs the project's code
        journal.add_collection_error(journal.place(str(file)), error)
        return []


def _flat(suite: Any) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestCase):
        yield suite
        return
    for part in suite:
        yield from _flat(part)


def _file(test: Any) -> str:
    module = sys.modules.get(type(test).__module__)
    return getattr(module, "__file__", None) or ""


def _id(test: Any, journal: Journal) -> str:
    method = getattr(test, "_testMethodName", None)
    if method is None:  # the error of a setUpClass or setUpModule
        return str(test.id())
    return journal.test_id(_file(test), f"{type(test).__qualname__}::{method}")


class _Result(unittest.TestResult):
    # ruff: noqa: N802 - unittest names its hooks

    def __init__(self, journal: Journal, limit: TestLimit) -> None:
        super().__init__()
        self._journal = journal
        self._limit = limit
        self._phase = contextlib.ExitStack()
        self._running = False

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        if self._journal.out_of_time():
            self.stop()
        self._journal.begin(_id(test, self._journal), _file(test))
        self._running = True
        self._limit.begin()
        self._phase.enter_context(self._limit.phase())

    def stopTest(self, test: Any) -> None:
        self._phase.close()
        self._journal.end()
        self._running = False
        super().stopTest(test)

    def addSuccess(self, _test: Any) -> None:
        self._journal.succeed()

    def addFailure(self, _test: Any, err: Any) -> None:
        self._journal.fail("failed", err[1])

    def addError(self, test: Any, err: Any) -> None:
        if self._running:
            self._journal.fail("error", err[1])
            return
        self._journal.begin(_id(test, self._journal), "")
        self._journal.fail("error", err[1])
        self._journal.end()

    def addSkip(self, test: Any, reason: str) -> None:
        del test, reason
        if self._running:
            self._journal.skip()

    def addExpectedFailure(self, _test: Any, _err: Any) -> None:
        self._journal.skip()

    def addUnexpectedSuccess(self, _test: Any) -> None:
        self._journal.fail("failed", "it succeeded, which was not expected")

    def addSubTest(self, _test: Any, _subtest: Any, err: Any) -> None:
        if err is not None:
            self._journal.fail("failed", err[1])

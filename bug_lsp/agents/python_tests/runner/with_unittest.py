"""Runs the tests with unittest: every `test*.py` and `*_test.py` below the current folder.

Unlike `python -m unittest discover` it also finds tests in folders that are no packages.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import unittest
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from . import explanations
from .journal import Journal
from .limits import NoLimit, TestLimit
from .order import Order

_LEFT_OUT = {"node_modules", "build", "dist", "venv", "env", "site-packages", "__pycache__"}


def run(config: dict[str, Any], journal: Journal, limit: TestLimit | NoLimit) -> None:
    """Load all files, then run the wanted tests in one flat suite."""
    known, tests = _load(config, journal)
    wanted = Order(config).arranged(tests, known.id)
    journal.set_collected([known.id(test) for test in wanted])
    if not config["collect_only"]:
        unittest.TestSuite(wanted).run(_Result(journal, limit, known))


def collect(
    config: dict[str, Any], journal: Journal, serve: Callable[[Callable[..., None]], None]
) -> None:
    """Load all files, then give `serve` a function that runs some of the tests by their ids."""
    known, tests = _load(config, journal)
    by_id = {known.id(test): test for test in tests}
    journal.set_collected(list(by_id))

    def run_some(ids: list[str], told: Journal, limit: TestLimit | NoLimit) -> None:
        wanted = [by_id[test] for test in ids if test in by_id]
        unittest.TestSuite(wanted).run(_Result(told, limit, known))

    serve(run_some)


def _load(config: dict[str, Any], journal: Journal) -> tuple[_Known, list[unittest.TestCase]]:
    journal.runner = "unittest"
    explanations.install()
    files = [Path(file).absolute() for file in config["args"]] or list(_files(Path.cwd()))
    known = _Known(journal)
    return known, [test for file in files for test in known.load(file)]


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _LEFT_OUT and not name.startswith(".")
        )
        for name in sorted(names):
            if fnmatch(name, "test*.py") or fnmatch(name, "*_test.py"):
                yield Path(place, name)


class _Known:
    """The loaded tests and their files; their modules do not tell, as two may share a name."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._files: dict[int, Path] = {}

    def load(self, file: Path) -> list[unittest.TestCase]:
        """The tests of one file."""
        self._journal.collecting(str(file))
        try:
            tests = list(_flat(unittest.defaultTestLoader.loadTestsFromModule(_module(file))))
        except unittest.SkipTest:
            return []
        except BaseException as error:  # noqa: BLE001 - importing runs the project's code
            self._journal.add_collection_error(self._journal.place(str(file)), error)
            return []
        self._files.update({id(test): file for test in tests})
        return tests

    def file(self, test: Any) -> str:
        """The file of a test, empty for the error of a setUpClass or setUpModule."""
        return str(self._files.get(id(test), ""))

    def id(self, test: Any) -> str:
        """The test's name for us."""
        method = getattr(test, "_testMethodName", None)
        if method is None or not self.file(test):
            return str(test.id())
        return self._journal.test_id(self.file(test), f"{type(test).__qualname__}::{method}")


def _module(file: Path) -> Any:
    """A file, imported as the member of the packages it is in."""
    folder, name = file.parent, file.stem
    while (folder / "__init__.py").is_file():
        folder, name = folder.parent, f"{folder.name}.{name}"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    module = importlib.import_module(name)
    if Path(module.__file__ or "").resolve() == file.resolve():
        return module
    del sys.modules[name]  # two folders have a test file of this name
    sys.path.insert(0, str(folder))
    return importlib.import_module(name)


def _flat(suite: Any) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestCase):
        yield suite
        return
    for part in suite:
        yield from _flat(part)


class _Result(unittest.TestResult):
    # ruff: noqa: N802 - unittest names its hooks

    def __init__(self, journal: Journal, limit: TestLimit | NoLimit, known: _Known) -> None:
        super().__init__()
        self._known = known
        self._journal = journal
        self._limit = limit
        self._phase = contextlib.ExitStack()
        self._running = False

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._journal.begin(self._known.id(test), self._known.file(test))
        self._running = True
        self._limit.begin()
        self._phase.enter_context(self._limit.phase())

    def stopTest(self, test: Any) -> None:
        self._phase.close()
        self._journal.end()
        if (again := self._journal.second_time()) is not None:
            with again as second, self._limit.phase():
                result = unittest.TestResult()
                test.run(result)
                second.has_failed = not result.wasSuccessful()
        if self._journal.out_of_time():
            self.stop()
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
        self._journal.begin(self._known.id(test), "")
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

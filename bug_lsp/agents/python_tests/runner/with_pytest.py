"""Runs the tests with pytest, as a plugin of it.

Options of the project that would move tests to other processes, stop at the first failure or
measure coverage a second time are switched off; everything else stays as the project set it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .journal import Journal
from .limits import TestLimit

_USAGE_ERROR = 4
_INTERNAL_ERROR = 3
_OPTIONS: dict[str, object] = {
    "numprocesses": None,  # pytest-xdist: one process, or nothing could be measured
    "dist": "no",
    "tx": [],
    "distload": False,
    "maxfail": 0,
    "usepdb": False,
    "trace": False,
    "randomly_reorganize": False,  # pytest-randomly: the same order each time
    "randomly_seed": 0,
}


def run(config: dict[str, Any], journal: Journal, limit: TestLimit) -> None:
    """Collect and run. The project's `addopts` are dropped only where pytest refuses them."""
    journal.runner = f"pytest {pytest.__version__}"
    own = ["-o", f"cache_dir={config['cache_dir']}", "-o", "faulthandler_timeout=0"]
    own += ["--continue-on-collection-errors", "--color=no"]
    own += ["--collect-only"] if config["collect_only"] else []
    args = [*own, *config["args"]]
    code = pytest.main(list(args), plugins=[_Plugin(config, journal, limit)])
    if code == _USAGE_ERROR and not journal.result()["collection_errors"]:
        code = pytest.main(["-o", "addopts=", *args], plugins=[_Plugin(config, journal, limit)])
    failed_to_run = code in {_USAGE_ERROR, _INTERNAL_ERROR}
    if failed_to_run and not journal.tests and not journal.result()["collection_errors"]:
        journal.problem = f"pytest ended with exit code {int(code)}"


def _cause(error: BaseException) -> BaseException:
    """What pytest wrapped in an error of its own about collecting a file."""
    while type(error).__module__.startswith("_pytest."):
        inner = error.__cause__ or getattr(error, "cause", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def _file(item: Any) -> str:
    return str(getattr(item, "path", None) or item.fspath)


class _Plugin:
    def __init__(self, config: dict[str, Any], journal: Journal, limit: TestLimit) -> None:
        self._journal = journal
        self._limit = limit
        self._only = set(config["only"]) if config["only"] is not None else None
        self._leave_out = set(config["leave_out"])
        self._first = set(config["first"])

    @pytest.hookimpl(hookwrapper=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        if hasattr(early_config.known_args_namespace, "cov_source"):
            early_config.known_args_namespace.cov_source = []  # pytest-cov stays off
        outcome: Any = yield
        if outcome.excinfo is not None:
            self._journal.add_collection_error("conftest.py", _cause(outcome.excinfo[1]))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_main(self, config: Any) -> Iterator[None]:
        for name, value in _OPTIONS.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> Iterator[None]:
        yield
        ids = {id(item): self._id(item) for item in items}
        items[:] = [item for item in items if self._is_wanted(ids[id(item)])]
        items.sort(key=lambda item: ids[id(item)] not in self._first)
        self._journal.set_collected([ids[id(item)] for item in items])

    def _id(self, item: Any) -> str:
        return self._journal.test_id(_file(item), item.nodeid.split("::", 1)[-1])

    def _is_wanted(self, test_id: str) -> bool:
        return test_id not in self._leave_out and (self._only is None or test_id in self._only)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Iterator[None]:
        outcome: Any = yield
        call = None if outcome.excinfo is not None else getattr(outcome.get_result(), "call", None)
        if call is not None and call.excinfo is not None and outcome.get_result().failed:
            where = self._journal.place(_file(collector))
            self._journal.add_collection_error(where, _cause(call.excinfo.value))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        if self._journal.out_of_time():
            item.session.shouldstop = self._journal.stopped
        self._journal.begin(self._id(item), _file(item))
        self._limit.begin()
        yield
        self._journal.end()

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        with self._limit.phase():
            yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: Any) -> Iterator[None]:
        outcome: Any = yield
        report = outcome.get_result()
        if report.failed:
            error = call.excinfo.value if call.excinfo else str(report.longrepr)
            self._journal.fail("failed" if report.when == "call" else "error", error)
        elif report.skipped:
            self._journal.skip()
        elif report.passed:
            self._journal.succeed()

"""Runs the tests with pytest, as a plugin of it.

Options of the project that would move tests to other processes, stop at the first failure or
measure coverage a second time are switched off; everything else stays as the project set it.
"""

from __future__ import annotations

import traceback
import unittest
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from . import explanations
from .hooks import wrapper
from .journal import Journal
from .limits import NoLimit, TestLimit
from .lines import LineCoverage
from .order import Order
from .second_time import SecondTime

if TYPE_CHECKING:
    from typing import TypeAlias

    _Wrapping: TypeAlias = Generator[None, Any, Any]

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


def run(config: dict[str, Any], journal: Journal, limit: TestLimit | NoLimit) -> None:
    """Collect and run. The project's `addopts` are dropped only where pytest refuses them."""
    own = ["--collect-only"] if config["collect_only"] else []
    _main(config, journal, own, lambda: [_Plugin(config, journal, limit)])


def collect(
    config: dict[str, Any], journal: Journal, serve: Callable[[Callable[..., None]], None]
) -> None:
    """Collect, then give `serve` a function that runs some of the collected tests by their ids.

    That function is for forked children: it leaves pytest in no state to go on.
    """
    # Several children at a time must not share the one file that pytest captures into.
    _main(config, journal, ["--capture=no"], lambda: [_Server(config, journal, serve), _Brief()])


def _main(
    config: dict[str, Any], journal: Journal, own: list[str], plugins: Callable[[], list[Any]]
) -> None:
    journal.runner = f"pytest {pytest.__version__}"
    explanations.install()
    args = ["-o", f"cache_dir={config['cache_dir']}", "-o", "faulthandler_timeout=0"]
    args += ["--continue-on-collection-errors", "--color=no", *own, *config["args"]]
    code = pytest.main(list(args), plugins=plugins())
    if code == _USAGE_ERROR and not journal.result()["collection_errors"]:
        code = pytest.main(["-o", "addopts=", *args], plugins=plugins())
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
    def __init__(
        self, config: dict[str, Any], journal: Journal, limit: TestLimit | NoLimit
    ) -> None:
        self._journal = journal
        self._limit = limit
        self._order = Order(config)
        self._again: SecondTime | None = None

    @wrapper()
    def pytest_load_initial_conftests(self, early_config: Any) -> _Wrapping:
        if hasattr(early_config.known_args_namespace, "cov_source"):
            early_config.known_args_namespace.cov_source = []  # pytest-cov stays off
        try:
            return (yield)
        except BaseException as error:
            self._journal.add_collection_error("conftest.py", _cause(error))
            raise

    @wrapper()
    def pytest_cmdline_main(self, config: Any) -> _Wrapping:
        for name, value in _OPTIONS.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        return (yield)

    @wrapper(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> _Wrapping:
        result = yield
        items[:] = self._order.arranged(items, self._id)
        self._journal.set_collected([self._id(item) for item in items])
        return result

    def _id(self, item: Any) -> str:
        return self._journal.test_id(_file(item), item.nodeid.split("::", 1)[-1])

    @wrapper()
    def pytest_make_collect_report(self, collector: Any) -> _Wrapping:
        if isinstance(collector, pytest.Module):
            self._journal.collecting(_file(collector))
        report: Any = yield
        call = getattr(report, "call", None)
        if call is not None and call.excinfo is not None and report.failed:
            where = self._journal.place(_file(collector))
            self._journal.add_collection_error(where, _cause(call.excinfo.value))
        return report

    @wrapper(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> _Wrapping:
        self._journal.begin(self._id(item), _file(item))
        self._limit.begin()
        result = yield
        self._journal.end()
        if (again := self._journal.second_time()) is not None:
            with again as self._again:
                self._limit.begin()
                runtestprotocol(item, log=False, nextitem=nextitem)
            self._again = None
        if self._journal.out_of_time():
            item.session.shouldstop = self._journal.stopped
        return result

    @wrapper(trylast=True)
    def pytest_runtest_setup(self) -> _Wrapping:
        return (yield from self._phase())

    @wrapper(trylast=True)
    def pytest_runtest_call(self) -> _Wrapping:
        return (yield from self._phase())

    @wrapper(trylast=True)
    def pytest_runtest_teardown(self) -> _Wrapping:
        return (yield from self._phase())

    def _phase(self) -> _Wrapping:
        with self._limit.phase():
            try:
                return (yield)
            except BaseException as error:
                _has_failed(error)
                raise

    @wrapper(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> _Wrapping:
        lines = LineCoverage.current
        if lines is None or request.scope == "function":
            return (yield)
        with lines.shared(id(fixturedef)):
            return (yield)

    @wrapper(tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> _Wrapping:
        if LineCoverage.current is not None:
            LineCoverage.current.use(map(id, _fixtures(item)))
        if call.excinfo is not None:
            _has_failed(call.excinfo.value)  # the report shows values
        report: Any = yield
        if self._again is not None:
            self._again.has_failed |= report.failed
        elif report.failed:
            error = call.excinfo.value if call.excinfo else str(report.longrepr)
            self._journal.fail("failed" if report.when == "call" else "error", error)
        elif report.skipped:
            self._journal.skip()
        elif report.passed:
            self._journal.succeed()
        return report


def _has_failed(error: BaseException) -> None:
    if LineCoverage.current is not None:
        LineCoverage.current.fail(error)


def _fixtures(item: Any) -> Iterator[Any]:
    """The fixtures that a test uses: those that it names, and those that it has asked for."""
    named = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    yield from (definitions[-1] for definitions in named.values() if definitions)
    yield from getattr(getattr(item, "_request", None), "_fixture_defs", {}).values()


class _Server(_Plugin):
    """Runs nothing itself: it hands over what is collected."""

    def __init__(
        self,
        config: dict[str, Any],
        journal: Journal,
        serve: Callable[[Callable[..., None]], None],
    ) -> None:
        super().__init__(config, journal, NoLimit())
        self._serve = serve
        self._items: dict[str, Any] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Comes when the collection is over; there is no other way to wait with it in memory."""
        self._items = {self._id(item): item for item in session.items}
        self._serve(self._run_some)
        return True

    def _run_some(self, ids: list[str], journal: Journal, limit: TestLimit | NoLimit) -> None:
        self._journal, self._limit = journal, limit
        items = [self._items[test] for test in ids if test in self._items]
        for item, following in zip(items, [*items[1:], None]):  # noqa: B905 - not in Python 3.8
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if journal.stopped is not None:
                self._tear_down(item)
                return

    @staticmethod
    def _tear_down(item: Any) -> None:
        """What is kept for the next test: in this process there may come a run from the start."""
        try:
            item.session._setupstate.teardown_exact(None)  # noqa: SLF001 - pytest has no other way
        except BaseException:  # noqa: BLE001 - fixtures of the project, or another pytest
            traceback.print_exc()


class _Brief:
    """Reports the outcome alone: to show each traceback would take longer than most tests."""

    # Not `tryfirst`: first pytest has to bring in what a unittest.TestCase has noted.
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """In place of pytest's own."""
        outcome: Any = "passed"
        shown: Any = None
        if call.excinfo is not None:
            is_skip = isinstance(call.excinfo.value, (pytest.skip.Exception, unittest.SkipTest))
            outcome, shown = ("skipped", ("", 0, "")) if is_skip else ("failed", "failed")
        return pytest.TestReport(
            item.nodeid, item.location, {}, outcome, shown, call.when, [], call.duration
        )

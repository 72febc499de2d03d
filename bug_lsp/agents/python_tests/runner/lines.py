"""Which lines each test executes before it fails, by coverage.py's dynamic contexts.

It measures while a test runs and not between: imports done by the collection belong to no test.
What runs once a test has failed, or to explain its failure, belongs to none either; the set-up of
a fixture that several tests share belongs to each of them. A failing test may be measured a second
time: what it executes only the first time (a cache that is filled, a module-wide object that is
made) would be said of whichever test comes first. It never reads the project's coverage
settings and writes only its own data file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, ClassVar

from .failure import Places
from .until_raised import UntilRaised

_WARNINGS = [
    "already-imported",
    "couldnt-parse",
    "dynamic-conflict",
    "include-ignored",
    "module-not-imported",
    "module-not-measured",
    "module-not-python",
    "no-ctracer",
    "no-data-collected",
    "no-sysmon",
    "trace-changed",
]
_NOBODY = "-"
"""The context of lines that belong to no test."""
_AGAIN = "again"
"""What the context of a second time begins with."""


class LineCoverage:
    """Measures the lines under one folder, test by test."""

    current: ClassVar[LineCoverage | UntilRaised | None] = None
    """What measures a test now."""

    def __init__(self, root: str, data_file: str, also: dict[str, list[int]] | None = None) -> None:
        import coverage

        self.also = also or {}
        """Lines that are told of even if no wanted test executes them."""

        self._coverage: Any = coverage.Coverage(
            data_file=data_file, config_file=False, source=[root]
        )
        # A warning would be an error in a project that turns warnings into errors.
        self._set("run:disable_warnings", _WARNINGS)
        # sys.monitoring, the default of newer Pythons, cannot tell one test from another.
        self._set("run:core", "ctrace")
        self._context = _NOBODY
        self._has_failed = False
        self._before_explanation: str | None = None
        self._test = -1
        self._set_ups: dict[Hashable, str] = {}
        self._users: dict[str, set[int]] = {}
        self._twice: set[int] = set()
        self._traced: dict[int, set[tuple[str, int]]] = {}

    def _set(self, option: str, value: object) -> None:
        with contextlib.suppress(Exception):  # an older coverage does not know the option
            self._coverage.set_option(option, value)

    def start(self, test: int) -> None:
        """The lines executed from here on belong to this test."""
        self._start(test, str(test))

    def start_again(self, test: int) -> None:
        """The same test runs a second time."""
        self._start(test, f"{_AGAIN}{test}")

    def keep_again(self, test: int) -> None:
        """The second time was as the first: only lines executed both times are the test's."""
        self._twice.add(test)

    def trace_again(self, tracer: UntilRaised) -> None:
        """The same, looked at more closely."""
        LineCoverage.current = tracer
        tracer.start()

    def keep_traced(self, test: int, lines: set[tuple[str, int]]) -> None:
        """Only these lines has the test executed before it failed."""
        self._traced[test] = lines

    def _start(self, test: int, context: str) -> None:
        LineCoverage.current = self
        self._test, self._has_failed, self._before_explanation = test, False, None
        self._coverage.start()
        self._context = context
        self._coverage.switch_context(context)

    def stop(self) -> None:
        """The test has ended."""
        LineCoverage.current = None
        self._coverage.stop()

    def fail(self, error: BaseException | None = None) -> None:
        """The test has failed: what it executes from here on led to nothing."""
        del error
        self._has_failed = True
        self._switch(_NOBODY)

    def explain(self) -> None:
        """An assertion has failed and is explained: that shows values, and leads to nothing."""
        if self._before_explanation is None:
            self._before_explanation = self._context
            self._switch(_NOBODY)

    def explained(self) -> None:
        """The assertion is raised now; the test may catch it and go on."""
        before, self._before_explanation = self._before_explanation, None
        if before is not None:
            self._resume(before)

    @contextlib.contextmanager
    def shared(self, key: Hashable) -> Iterator[None]:
        """Measure a set-up that several tests may use: it belongs to each that does."""
        if self._context.startswith(_AGAIN):
            yield
            return
        name = f"s{len(self._users)}"
        self._set_ups[key], self._users[name] = name, {self._test}
        before = self._context
        self._switch(name)
        try:
            yield
        finally:
            self._resume(before)

    def use(self, keys: Iterable[Hashable]) -> None:
        """The test uses what was set up under these keys."""
        for key in keys:
            if key in self._set_ups:
                self._users[self._set_ups[key]].add(self._test)

    def _resume(self, context: str) -> None:
        if not self._has_failed:
            self._switch(context)

    def _switch(self, context: str) -> None:
        if context != self._context:
            self._context = context
            self._coverage.switch_context(context)

    def executed(self, wanted: Iterable[int], places: Places) -> dict[str, dict[int, list[int]]]:
        """By file and line the tests that executed it, for lines that a wanted test executed."""
        asked = set(wanted)
        data = self._coverage.get_data()
        found: dict[str, dict[int, list[int]]] = {}
        for file in sorted(data.measured_files()):
            path = places.relative(file)
            if path is None:
                continue
            lines: dict[int, list[int]] = {}
            also = set(self.also.get(path, ()))
            for line, contexts in sorted(data.contexts_by_lineno(file).items()):
                tests = self._tests_of(contexts, (path, line))
                if line > 0 and (line in also or not asked.isdisjoint(tests)):
                    lines[line] = sorted(tests)
            if lines:
                found[path] = lines
        return found

    def _tests_of(self, contexts: Iterable[str], line: tuple[str, int]) -> set[int]:
        tests: set[int] = set()
        again: set[int] = set()
        users: set[int] = set()
        for context in contexts:
            if context in self._users:
                users |= self._users[context]
            elif context.startswith(_AGAIN):
                again.add(int(context[len(_AGAIN) :]))
            elif context not in {"", _NOBODY}:
                tests.add(int(context))
        again |= {test for test, lines in self._traced.items() if line in lines}
        twice = self._twice | self._traced.keys()
        return users | {test for test in tests if test not in twice or test in again}

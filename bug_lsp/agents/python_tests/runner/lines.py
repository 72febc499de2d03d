"""Which lines each test executes, by coverage.py's dynamic contexts.

It measures while a test runs and not between: imports done by the collection belong to no test.
It never reads the project's coverage settings and writes only its own data file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from .failure import Places

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


class LineCoverage:
    """Measures the lines under one folder, test by test."""

    def __init__(self, root: str, data_file: str) -> None:
        import coverage

        self._coverage: Any = coverage.Coverage(
            data_file=data_file, config_file=False, source=[root]
        )
        # A warning would be an error in a project that turns warnings into errors.
        self._set("run:disable_warnings", _WARNINGS)
        # sys.monitoring, the default of newer Pythons, cannot tell one test from another.
        self._set("run:core", "ctrace")

    def _set(self, option: str, value: object) -> None:
        with contextlib.suppress(Exception):  # an older coverage does not know the option
            self._coverage.set_option(option, value)

    def start(self, test: int) -> None:
        """The lines executed from here on belong to this test."""
        self._coverage.start()
        self._coverage.switch_context(str(test))

    def stop(self) -> None:
        """The test has ended."""
        self._coverage.stop()

    def executed(self, wanted: Iterable[int], places: Places) -> dict[str, dict[int, list[int]]]:
        """By file and line the tests that executed it, for lines that a wanted test executed."""
        asked = {str(test) for test in wanted}
        data = self._coverage.get_data()
        found: dict[str, dict[int, list[int]]] = {}
        for file in sorted(data.measured_files()):
            path = places.relative(file)
            if path is None:
                continue
            lines = {
                line: sorted(int(context) for context in contexts if context)
                for line, contexts in sorted(data.contexts_by_lineno(file).items())
                if line > 0 and not asked.isdisjoint(contexts)
            }
            if lines:
                found[path] = lines
        return found

"""How often each fault is tried: a little in every test run, much with `--faults=full`. With
`--faults-page` alone what tries faults is run, and the counts are written into docs/reliability.md.

A test belongs to a row of the table by its mark, `@pytest.mark.fault(ROW)`, wherever it stands. One
that tries its fault many times asks the fixture `times` how often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from . import table
from .table import Tried

_PROPERTY = "fault"
_TIMES = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults",
        choices=["short", "full"],
        default="short",
        help="how often each fault is tried",
    )
    parser.addoption(
        "--faults-page",
        action="store_true",
        help="run what tries faults, and write the counts into docs/reliability.md",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In full, tests of faults have all the time they need."""
    if config.getoption("--faults-page"):
        items[:] = [item for item in items if item.get_closest_marker("fault")]
    if config.getoption("--faults") == "full":
        for item in items:
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often to try: (in every run, in full). Said once by a test."""

    def often(short: int, full: int) -> int:
        count = full if request.config.getoption("--faults") == "full" else short
        request.node.stash[_TIMES] = count
        return count

    return often


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call" and report.passed:
        count = item.stash.get(_TIMES, 1)
        for mark in item.iter_markers("fault"):
            for row in mark.args:
                name = getattr(item, "originalname", None) or item.name
                report.user_properties.append((_PROPERTY, [row, name, count]))
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.getoption("--faults-page"):
        return
    reports = terminalreporter.getreports("passed")
    tried = [
        Tried(*value)
        for report in reports
        for name, value in report.user_properties
        if name == _PROPERTY
    ]
    missing = table.ROWS.keys() - {one.row for one in tried}
    bad = terminalreporter.getreports("failed") + terminalreporter.getreports("error")
    if bad or missing:
        terminalreporter.write_line(
            f"docs/reliability.md is left as it is: {len(bad)} tests failed, rows without a test: "
            f"{sorted(missing) or 'none'}"
        )
        return
    table.write(tried)
    terminalreporter.write_line(f"{sum(one.times for one in tried)} faults; docs/reliability.md")

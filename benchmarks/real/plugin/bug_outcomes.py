"""A pytest plugin that writes each test's outcome into the file that BUG_OUTCOMES names.

It runs in the projects' own environments, so it imports nothing of ours.
"""

import json
import os
import pathlib
from typing import Any

_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    """Keep the worst outcome of a test's set-up, call and teardown."""
    if report.when == "call" or report.outcome != "passed":
        name = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        if _outcomes.get(report.nodeid) in {None, "passed"}:
            _outcomes[report.nodeid] = name


def pytest_sessionfinish() -> None:
    """Write the outcomes."""
    pathlib.Path(os.environ["BUG_OUTCOMES"]).write_text(json.dumps(_outcomes), encoding="utf-8")

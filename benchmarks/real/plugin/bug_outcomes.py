"""A pytest plugin that writes each test's outcome into the file that BUG_OUTCOMES names.

It runs in the projects' own environments, so it imports nothing of ours.
"""

import json
import os

_outcomes = {}


def pytest_runtest_logreport(report):
    """Keep the worst outcome of a test's set-up, call and teardown."""
    if report.when == "call" or report.outcome != "passed":
        name = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        if _outcomes.get(report.nodeid) in {None, "passed"}:
            _outcomes[report.nodeid] = name


def pytest_sessionfinish():
    """Write the outcomes."""
    with open(os.environ["BUG_OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(_outcomes, file)

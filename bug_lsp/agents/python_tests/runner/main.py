"""One run of the tests, from the config file to the result file.

The result appears whole or not at all; no result means that a test ended the process.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from . import imports
from .failure import Places
from .journal import Journal
from .limits import NoLimit, TestLimit, guard_exit, really_exit
from .lines import LineCoverage


def main(config_file: str) -> None:
    """Run the tests as the config says, write the result, end the process."""
    config: dict[str, Any] = json.loads(Path(config_file).read_text(encoding="utf-8"))
    imports.lend(config["lend"])
    if "requests" in config:
        from . import serve

        serve.serve(config)
    os.set_inheritable(config["progress_fd"], False)  # noqa: FBT003 - takes no keyword
    result = _run(config)
    partial = Path(config["result"] + ".part")
    partial.write_text(json.dumps(result), encoding="utf-8")
    partial.replace(config["result"])
    sys.stdout.flush()
    # Not a plain return: threads that a test left behind must not keep the process alive.
    really_exit(0)


def _run(config: dict[str, Any]) -> dict[str, Any]:
    places = Places(config["root"])
    problem = coverage_problem() if config["coverage"] else None
    if problem is not None:
        return {"problem": problem}
    lines = None
    if config["coverage"]:
        lines = LineCoverage(config["root"], config["data_file"], config["also"])
    journal = Journal(
        cwd=str(Path.cwd()),
        places=places,
        progress_fd=config["progress_fd"],
        ends=time.monotonic() + config["whole_seconds"],
        lines=lines,
    )
    guard_exit()
    with Path(config["crash_file"]).open("w", encoding="utf-8") as crash_file:
        try:
            run_framework(config, journal, TestLimit(config["test_seconds"], crash_file))
        except BaseException as error:  # noqa: BLE001 - whatever the project raises is the result
            traceback.print_exc()
            journal.problem = f"{type(error).__name__}: {error}"
    return journal.result()


def run_framework(config: dict[str, Any], journal: Journal, limit: TestLimit | NoLimit) -> None:
    """Use pytest if it can be imported, unless unittest is asked for or pytest finds no test."""
    framework = config["framework"]
    if framework != "unittest" and has_pytest():
        from . import with_pytest

        with_pytest.run(config, journal, limit)
        if framework == "pytest" or not is_empty(journal):
            return
    elif framework == "pytest":
        journal.problem = f"pytest is not installed for {sys.executable}"
        return
    from . import with_unittest

    with_unittest.run(config, journal, limit)


def coverage_problem() -> str | None:
    """Why the lines that tests execute cannot be had; None if they can."""
    try:
        import coverage  # noqa: F401
    except Exception as error:  # noqa: BLE001 - a lent coverage may not suit this interpreter
        why = f"{type(error).__name__}: {error}"
        return f"install coverage for this interpreter, ours does not suit it: {why}"
    return None


def has_pytest() -> bool:
    """Whether pytest can be imported, the project's or a lent one."""
    try:
        import pytest  # noqa: F401
    except (ImportError, SyntaxError):  # a lent pytest may be too new for this interpreter
        return False
    return True


def is_empty(journal: Journal) -> bool:
    """Whether nothing was found that could be run, nor a reason why."""
    result = journal.result()
    return not (result["collected"] or result["collection_errors"] or result["problem"])

"""Several changes in one child, one after the other: each until the first of the tests fails.

It is several times as fast as a child for each. What one change does to the state of the process
the next ones see, so whatever passes here has to be tried again in a child of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from .journal import Journal
from .limits import NoLimit, Timeout, really_exit
from .swap import CannotSwapError, Functions


def run(
    request: dict[str, Any], pipe: int, like: Journal, functions: Functions, run_tests: Any
) -> None:
    """Tell `["verdict", [number, how, passed, type of failure, line]]` for each change.

    It ends early where the child does.
    """
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    for number, change in enumerate(request["batch"]):
        functions.restore()
        journal = like.another(stop_at_failure=True)
        how = "done"
        try:
            for path, text in change["texts"].items():
                functions.swap(path, change["originals"][path], text)
            with _limit(request["each_cpu_seconds"], request["each_wall_seconds"]):
                run_tests(request["tests"], journal, NoLimit())
        except CannotSwapError:
            how = "cold"
        except SyntaxError:
            how = "invalid"
        except BaseException:  # noqa: BLE001 - it came out of the tests: who knows what else is lost
            _tell(pipe, "verdict", [number, "hung", 0])
            really_exit(0)
        passed = sum(test["outcome"] == "passed" for test in journal.tests)
        last = journal.tests[-1] if journal.tests else None
        told = ["", 0]
        if last is not None and last["failure"] is not None:
            how = "hung" if last["failure"]["type"] == "Timeout" else "failed"
            told = [last["failure"]["type"], _line(last)]
        _tell(pipe, "verdict", [number, how, passed, *told])
    shutil.rmtree(folder, ignore_errors=True)


def _line(test: dict[str, Any]) -> int:
    """The line of the test itself at which it failed."""
    frames = (frame for frame in test["failure"]["frames"] if frame["path"] == test["path"])
    return int(next((frame["line"] for frame in frames), 0))


def _tell(pipe: int, what: str, value: object) -> None:
    os.write(pipe, json.dumps([what, value]).encode() + b"\n")


@contextlib.contextmanager
def _limit(cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
    """Raise in the main thread after so much computing or waiting; again, if that is caught."""
    signal.signal(signal.SIGPROF, _stop)
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds, 0.1)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _stop(*_: object) -> NoReturn:
    raise Timeout

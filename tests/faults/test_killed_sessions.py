"""Session processes are killed: at every step that they make, and at any moment."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from bug_lsp.store import runs
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, start

from .control import At, Control
from .ends import check, look_until_finished

pytestmark = pytest.mark.fault(1)

Times = Callable[[int, int], int]


def started(project: Project) -> Started:
    """A run of two agents that end at once, with a proof and an orchestrator after them."""
    return start(project.root, FINDS, FINDS, orchestrator=CONCLUDES, test_command="false")


def test_killed_at_each_of_its_steps(project: Project, control: Control, times: Times) -> None:
    look_until_finished(started(project))
    steps = len(control.steps)
    count = times(8, steps)
    names: set[str] = set()
    for number in range(count):
        dies = At(1 + number * steps // count, "kill")
        control.rule = dies
        run = started(project)
        look_until_finished(run)
        control.release()
        names.add(dies.name)
        check(run)
    assert len(names) >= min(10, count) // 2


def test_killed_at_any_moment(project: Project, times: Times) -> None:
    chance = random.Random(9)
    for _ in range(times(4, 110)):
        run = started(project)
        timer = threading.Timer(chance.uniform(0, 2.5), _kill_one, [run, chance])
        timer.start()
        look_until_finished(run)
        timer.cancel()
        timer.join()
        check(run)


def _kill_one(run: Started, chance: random.Random) -> None:
    sessions = [*run.sessions, *runs.proofs(run.folder), *run.orchestrators]
    known = [runs.process(session) for session in sessions if not session.result.exists()]
    if pids := [process.pid for process in known if process is not None]:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(pids), signal.SIGKILL)

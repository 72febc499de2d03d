"""No space, or a disk that fails, at each step that is made; and after a while it is well again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, start

from .control import Control, Step
from .ends import check, look_until_finished

pytestmark = pytest.mark.fault(12)


def started(project: Project) -> Started:
    """A run of two agents that end at once, and an orchestrator."""
    return start(project.root, FINDS, FINDS, orchestrator=CONCLUDES)


@pytest.mark.parametrize(("error", "in_a_row"), [("ENOSPC", 1), ("EIO", 4)])
def test_a_run_comes_through_errors_of_the_disk_at_each_of_its_steps(
    project: Project, control: Control, times: Callable[[int, int], int], error: str, in_a_row: int
) -> None:
    look_until_finished(started(project))
    steps = len(control.steps)
    count = times(5, steps)
    for number in range(count):
        first = len(control.steps) + 1 + number * steps // count

        def failing(step: Step, first: int = first) -> str:
            return error if first <= step.number < first + in_a_row else ""

        control.rule = failing
        run = started(project)
        look_until_finished(run)
        control.release()
        check(run)

"""The slots at work: runs one check after the other in each, within the time for the whole, and
tells the session of each.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio

from bug_lsp.agents.base import Emit
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, ToolCall, ToolResult

from .bench import Bench
from .checks import Check, Outcome
from .patches import Prepared
from .slot import SetUpFailed, Slot, Snapshot

_T = TypeVar("_T")
_LEAST_SECONDS = 0.5
ON_SNAPSHOT = 30
"""Per cent of the progress when the reproductions are known."""


@dataclass(frozen=True, slots=True)
class Task:
    """One check to be run once."""

    check: Check
    patch: Prepared | None = None
    """None: the snapshot as it is."""
    again: int = 0
    """How often it was run before, in the same way."""

    @property
    def title(self) -> str:
        """It, on the screen."""
        who = self.patch.candidate.label if self.patch is not None else "the snapshot"
        again = f", run {self.again + 1}" if self.again else ""
        return f"{who} x {self.check.id}{again}"

    @property
    def log_name(self) -> str:
        """The name of its log, without a suffix."""
        who = self.patch.candidate.session_id if self.patch is not None else "snapshot"
        return f"{who}-{self.check.id}" + (f"-{self.again + 1}" if self.again else "")


class Pool:
    """Slots that take the next task when they have ended one."""

    def __init__(self, bench: Bench, snapshot: Snapshot, emit: Emit) -> None:
        self._bench = bench
        self._emit = emit
        self._slots = [Slot(snapshot, number) for number in range(1, max(bench.slots, 1) + 1)]
        self._ends = time.monotonic() + bench.whole_seconds
        self._calls = 0
        self._done = 0
        self._from, self._to, self._planned = 0, ON_SNAPSHOT, 1
        self.set_up_problem: str | None = None

    def phase(self, first: int, last: int, planned: int) -> None:
        """The next so many runs bring the progress from one percentage to another."""
        self._from, self._to, self._planned, self._done = first, last, max(planned, 1), 0

    async def each(self, jobs: Sequence[Callable[[Slot], Awaitable[_T]]]) -> list[_T]:
        """Do all jobs, begun in their order; results in the same."""
        results: dict[int, _T] = {}
        queue = iter(enumerate(jobs))

        async def work(slot: Slot) -> None:
            for index, job in queue:
                results[index] = await job(slot)

        async with anyio.create_task_group() as group:
            for slot in self._slots:
                group.start_soon(work, slot)
        return [results[index] for index in range(len(jobs))]

    async def run_all(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Run them all; outcomes in the same order."""

        def job(task: Task) -> Callable[[Slot], Awaitable[Outcome]]:
            return lambda slot: self.run(slot, task)

        return await self.each([job(task) for task in tasks])

    async def run(self, slot: Slot, task: Task) -> Outcome:
        """Run one in a slot, told as a tool call of the session."""
        self._calls += 1
        call_id = f"cell-{self._calls}"
        share = min(self._done / self._planned, 1.0)
        percentage = round(self._from + (self._to - self._from) * share)
        self._emit(Activity(text=f"running {task.title}", percentage=percentage))
        detail = f"{task.title}: {task.check.title}" if task.patch is None else task.title
        self._emit(ToolCall(call_id=call_id, name="test", detail=detail))
        outcome = await self._run(slot, task)
        self._done += 1
        said = f"{outcome.result} after {outcome.seconds:.1f} s"
        text = f"{said}: {outcome.detail}" if outcome.detail else said
        ran = outcome.result in {"passed", "failed"}
        self._emit(ToolResult(call_id=call_id, ok=ran, output=text))
        return outcome

    async def _run(self, slot: Slot, task: Task) -> Outcome:
        try:
            await slot.open()
            left = self._ends - time.monotonic()
            over = f"the time for all of it, {self._bench.whole_seconds:g} s, was over"
            if left < _LEAST_SECONDS:
                return Outcome("notRun", over)
            seconds = min(self._bench.cell_seconds, left)
            outcome = await slot.run(task.check, task.patch, task.log_name, seconds)
        except SetUpFailed as failure:
            self.set_up_problem = f"the set-up command did not succeed: {failure}"
            return Outcome("notRun", self.set_up_problem)
        except AgentFailure as failure:
            return Outcome("notRun", failure.message)
        if outcome.result == "timeout" and seconds < self._bench.cell_seconds:
            return replace(outcome, result="notRun", detail=over)
        return outcome

"""The slots at work: runs one check after the other in each, within the time for the whole, and
tells the session of each.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from bug_lsp.agents.base import Emit
from bug_lsp.agents.network import has_own_network
from bug_lsp.agents.python_tests.child_process import tail
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, ToolCall, ToolResult

from .bench import Bench
from .checks import Check, Outcome
from .collisions import (
    Memory,
    confirmed,
    differ,
    has_failed,
    merged,
    narrowed,
    note,
    unsure,
)
from .network_need import (
    NETWORK_NOTE,
    changes_with_network,
    lacks_network,
    runs_something,
    skipped_only,
)
from .patches import Prepared
from .shared_lock import SharedLock
from .slot import Slot, Snapshot

_T = TypeVar("_T")
_LEAST_SECONDS = 0.5
_NOT_RUN = frozenset({"notRun", "notApplied"})
_MOST_TRIES = 3
_CHEAP_SECONDS = 5.0
"""How often two runs of a check may be given the chance to collide, and of which checks."""
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

    how: str = ""
    """What is special about this run: `alone`."""

    @property
    def who(self) -> str | None:
        """The session of the patch; None for the snapshot."""
        return self.patch.candidate.session_id if self.patch is not None else None

    @property
    def title(self) -> str:
        """It, on the screen."""
        who = self.patch.candidate.label if self.patch is not None else "the snapshot"
        again = f", run {self.again + 1}" if self.again else ""
        return f"{who} x {self.check.id}{again}" + (f", {self.how}" if self.how else "")

    @property
    def log_name(self) -> str:
        """The name of its log, without a suffix."""
        again = f"-{self.again + 1}" if self.again else ""
        how = f"-{self.how.replace(',', '').replace(' ', '-')}" if self.how else ""
        return f"{self.who or 'snapshot'}-{self.check.id}{again}{how}"


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
        self._lock = SharedLock()
        self._memory = Memory()
        self._begun = 0
        self._running = 0
        self._needs_network = False
        self.notes: dict[str, None] = {}
        """What a reader must know of how the cells were run."""

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
        """Run one in a slot. What fails for lack of the network, or only while other cells run, is
        run again without the hindrance.
        """
        if self._memory.collides(task.check):
            async with self._lock.alone():
                return (await self._run_networked(slot, task))[0]
        async with self._lock.together():
            outcome, had_company = await self._run_networked(slot, task)
        who, check = task.who, task.check
        if not has_failed(outcome):
            return outcome
        if not had_company:
            self._memory.add_failures(who, check, outcome)
            return outcome
        if self._memory.is_sure(who, check, outcome):
            return outcome
        async with self._lock.alone():
            return await self._run_alone(slot, task, outcome)

    async def _run_networked(self, slot: Slot, task: Task) -> tuple[Outcome, bool]:
        """Run it, and once more with the network where it seems to lack it; say whether other cells
        ran at the same time.
        """
        is_cut_off = has_own_network(self._bench.confine) and not slot.with_network
        first = await self._run_beside(slot, task)
        if not is_cut_off or not await self._may_need_network(slot, task, first[0]):
            return first
        slot.with_network = True
        again = await self._run_beside(slot, replace(task, how="with the network"))
        failed = has_failed(first[0])
        helps = not failed or await run_sync(changes_with_network, first[0], again[0])
        if again[0].result in _NOT_RUN or not (helps or self._needs_network):
            slot.with_network = self._needs_network
            return first
        self._needs_network = True
        self.notes[NETWORK_NOTE] = None
        for one in self._slots:
            one.with_network = True
        return again

    async def _may_need_network(self, slot: Slot, task: Task, outcome: Outcome) -> bool:
        """Whether it failed as it would for lack of the network, or skipped tests that are run with
        it.
        """
        if await run_sync(lacks_network, outcome):
            is_known = self._memory.is_sure(task.who, task.check, outcome)
            return self._needs_network or not is_known
        skipped = skipped_only(task.check, outcome)
        if skipped is None or task.patch is not None or task.again:
            return False
        slot.with_network = True
        how = "what was skipped, with the network"
        probe = await self._run_and_tell(slot, replace(task, check=skipped, how=how))
        slot.with_network = self._needs_network
        return runs_something(probe)

    async def _run_beside(self, slot: Slot, task: Task) -> tuple[Outcome, bool]:
        """Run it; say whether other cells ran at the same time."""
        self._begun += 1
        self._running += 1
        begun, had_company = self._begun, self._running > 1
        try:
            outcome = await self._run_and_tell(slot, task)
        finally:
            self._running -= 1
        return outcome, had_company or self._begun != begun

    async def _run_alone(self, slot: Slot, task: Task, first: Outcome) -> Outcome:
        """What a check that failed beside others is without them. The caller holds the lock."""
        check = narrowed(task.check, first)
        alone = await self._run_and_tell(slot, replace(task, check=check, how="alone"))
        if alone.result in _NOT_RUN:
            return first
        counts = merged(task.check, first, alone)
        self._memory.add_failures(task.who, task.check, counts)
        if not differ(first, counts):
            return confirmed(task.check, counts)
        if first.result == "timeout" or await self._collides(slot, task, check, alone):
            self._memory.add_collision(task.check, first)
            self.notes[note(task.check, first, counts)] = None
            return confirmed(task.check, counts)
        self._memory.add_failures(task.who, task.check, first)
        return unsure(task.check, first, counts)

    async def _collides(self, slot: Slot, task: Task, check: Check, alone: Outcome) -> bool:
        """Whether it has another result beside itself: else it is only not the same each time."""
        other = next(one for one in self._slots if one is not slot)
        outcomes: list[Outcome] = []

        async def run(one: Slot, number: int) -> None:
            how = f"together {number}"
            outcomes.append(await self._run_and_tell(one, replace(task, check=check, how=how)))

        for _ in range(_MOST_TRIES if alone.seconds < _CHEAP_SECONDS else 1):
            async with anyio.create_task_group() as group:
                group.start_soon(run, slot, 1)
                group.start_soon(run, other, 2)
            if any(has_failed(one) and differ(one, alone) for one in outcomes):
                return True
        return False

    async def _run_and_tell(self, slot: Slot, task: Task) -> Outcome:
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
        if outcome.run is None and outcome.log is not None and (printed := tail(outcome.log)):
            text = f"{text}\n\n{printed}"  # of a command that is all there is to judge it by
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
        except AgentFailure as failure:
            return Outcome("notRun", failure.message)
        if outcome.result == "timeout" and seconds < self._bench.cell_seconds:
            return replace(outcome, result="notRun", detail=over)
        return outcome

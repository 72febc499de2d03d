"""What the tests do before anything is changed: which fail, which lines each executes.

The tests run in several processes at a time, and not longer than it takes to begin: in a slow suite
the search starts with the failing tests that are known, and the rest is left for the end.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import anyio

from bug_lsp.agents.base import Emit
from bug_lsp.agents.python_tests import ForkServer, RanTest, Reply, Request, SuiteRun
from bug_lsp.domain.events import Activity

FIRST_SECONDS = 2.0
"""How long a test may take before it is looked at again with more patience."""
_AFTER_HANGS = 1.0
_MANY_HANGS = 2
_MOST_WARMED = 5
PATIENT_SECONDS = 6.0
NAMED_SECONDS = 25.0
"""How long a test may take that the task or the command names."""
_BLOCK = 8
"""Tests that stand next to each other and are run together."""
_MOST_BLOCKS = 8
_CHUNK_SECONDS = 1.0
_SOFT_SECONDS = 4.0
_LOOK_SECONDS = 0.5
_WAITING = 0.4
"""A suite that computes for less than this share of its time is run by more processes."""
_START_ANYWAY = 4.0
_NEARLY_DONE = 8.0
"""Seconds that the others are waited for: a patch must not break them."""
_LAST_SECONDS = 8.0
"""How long those that run then may go on."""


@dataclass
class Baseline:
    """The outcome. `run` has the tests in the order of the collection."""

    run: SuiteRun
    unknown: tuple[str, ...]
    """Tests that have not been run yet, or that take longer than a test is given."""
    lanes: int
    """How many processes at a time suit this suite."""
    apart: dict[str, str] = field(default_factory=dict)
    """Tests that fail for want of something that the checkout has and the copy has not: what."""

    def failing(
        self, names: frozenset[str] | None, known: Collection[int] | None = None
    ) -> tuple[int, ...]:
        """Which tests show the bug, by their indexes: of those that count, all that fail.

        `names`: the tests that count; `known`: the indexes, where it is known which they are.
        """
        return tuple(
            index
            for index, test in enumerate(self.run.tests)
            if test.has_failed
            and test.id not in self.apart
            and (names is None or test.id in names)
            and (known is None or index in known)
        )


def of_known(run: SuiteRun, collected: Sequence[str], lanes: int) -> Baseline:
    """Return the baseline of a run with coverage that somebody else has made."""
    ended = {test.id for test in run.tests}
    return Baseline(run, tuple(name for name in collected if name not in ended), lanes)


async def warmed(server: ForkServer, baseline: Baseline, failing: Sequence[int]) -> None:
    """Count lines that a failing test only executes if it is the first as executed by all tests.

    What a project makes at its first use would belong to whichever test comes first. So failing
    tests are run twice in one process, and what is not executed again is for all.
    """
    run = baseline.run
    once: dict[str, set[int]] = defaultdict(set)
    for index in failing[:_MOST_WARMED]:
        test = run.tests[index]
        if _hung(test) or test.seconds > FIRST_SECONDS:
            continue
        wanted = Request((test.id, test.id), coverage=True, wall_seconds=10, cpu_seconds=10)
        reply = await server.ask(wanted)
        again = reply.tests[-1] if len(reply.tests) == 2 else None  # noqa: PLR2004 - both
        if again is not None and again.failure == test.failure and again.measured:
            for path, lines in reply.coverage.items():
                once[path] |= {line for line, times in lines.items() if 1 not in times}
    everyone = tuple(range(len(run.tests)))
    coverage = {
        path: {line: everyone if line in once[path] else tests for line, tests in lines.items()}
        for path, lines in run.coverage.items()
    }
    baseline.run = run.model_copy(update={"coverage": coverage})


@dataclass
class BaselineRun:
    """Runs the tests of a server that has collected them."""

    server: ForkServer
    emit: Emit
    cores: int
    seconds: float
    """When it ends at the latest."""
    first: frozenset[str] = frozenset()
    """Tests that are likely to fail."""
    _blocks: list[list[str]] = field(default_factory=list)
    _ended: dict[str, RanTest] = field(default_factory=dict)
    _lines: dict[str, dict[int, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    _patience: float = FIRST_SECONDS
    _stuck: bool = False
    _cpu: float = 0.0
    _wall: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _news: anyio.Event = field(default_factory=anyio.Event)

    async def run(self) -> Baseline:
        """Until all tests have run, or enough is known to begin."""
        collected = self.server.collected.tests
        self._blocks = blocks(collected, self.first)
        with anyio.move_on_after(self.seconds + _LAST_SECONDS):
            async with anyio.create_task_group() as group:
                for number in range(4 * self.cores):
                    group.start_soon(self._lane, number)
        with anyio.move_on_after(self.seconds):
            await self._look_again()
        return self._result(collected)

    def empty(self) -> Baseline:
        """What there is to say where no test was collected."""
        return self._result(())

    @property
    def _lanes(self) -> int:
        waits = self._wall > 1 and self._cpu < _WAITING * self._wall
        return 4 * self.cores if waits else self.cores

    async def _lane(self, number: int) -> None:
        while self._blocks and not self._enough():
            if number >= self._lanes:
                # Looked at again when one of the others has come back with its times.
                with anyio.move_on_after(_LOOK_SECONDS):
                    await self._news.wait()
                continue
            count = self._at_once()
            taken, self._blocks = self._blocks[:count], self._blocks[count:]
            await self._run_chunk([test for block in taken for test in block])

    def _at_once(self) -> int:
        """How many blocks take about a second, by what tests have taken so far."""
        if not self._ended:
            return 1
        usual = statistics.median(test.seconds for test in self._ended.values())
        return min(max(int(_CHUNK_SECONDS / (_BLOCK * usual + 0.001)), 1), _MOST_BLOCKS)

    def _enough(self) -> bool:
        spent = time.monotonic() - self._began
        failed = any(test.has_failed and not _hung(test) for test in self._ended.values())
        asked = self.first <= self._ended.keys() or spent > self.seconds / 2
        soon = self._left() < min(_NEARLY_DONE, self.seconds - spent)
        return spent > self.seconds or (spent > _START_ANYWAY and failed and asked and not soon)

    def _left(self) -> float:
        """How many seconds the other tests may take, by those that have ended."""
        took = sum(test.seconds for test in self._ended.values()) / max(len(self._ended), 1)
        left = len(self.server.collected.tests) - len(self._ended)
        return took * left / self.cores

    async def _run_chunk(self, chunk: list[str]) -> None:
        self._take(await self.server.ask(self._request(chunk, self._patience, _SOFT_SECONDS)))
        left = [test for test in chunk if test not in self._ended]
        if left and not self._stuck:
            self._blocks.append(left)
        hangs = sum(_hung(test) for test in self._ended.values())
        if hangs >= _MANY_HANGS:
            self._patience = _AFTER_HANGS
        self._news.set()
        self._news = anyio.Event()
        done, total = len(self._ended), len(self.server.collected.tests)
        self.emit(Activity(text=f"running tests {done}/{total}", percentage=100 * done // total))

    @staticmethod
    def _request(tests: list[str], test_seconds: float, soft_seconds: float) -> Request:
        whole = soft_seconds + 3 * test_seconds + 10
        return Request(
            tuple(tests),
            coverage=True,
            test_seconds=test_seconds,
            soft_seconds=soft_seconds,
            cpu_seconds=whole,
            wall_seconds=2 * whole,
        )

    def _take(self, reply: Reply) -> None:
        self._cpu += reply.cpu_seconds
        self._wall += reply.seconds
        if reply.how == "done":
            self._ended.update({test.id: test for test in reply.tests})
            for path, lines in reply.coverage.items():
                for line, tests in lines.items():
                    self._lines[path][line] |= {reply.tests[index].id for index in tests}
        elif reply.dead is not None:
            self._ended[reply.dead.id] = reply.dead
        elif not reply.tests and (reply.how != "lost" or self.server.is_lost):
            # Nothing began: it must not be asked for ever.
            self._stuck = True
            self._blocks.clear()

    async def _look_again(self) -> None:
        """Find out which of the tests that ran long hang, and which are only slow.

        A slow test that nobody names is unknown where others fail: it says nothing of the bug.
        """
        hung = [test.id for test in self._ended.values() if _hung(test)]
        named = [name for name in hung if name in self.first]
        for name in named:
            await self._ask_patiently(name, NAMED_SECONDS)
        rest = [name for name in hung if name not in self.first]
        if any(test.has_failed and test.id not in rest for test in self._ended.values()):
            for name in rest:
                del self._ended[name]
        elif rest and not await self._ask_patiently(rest[0], PATIENT_SECONDS):
            # Slow, not hanging: then so may be the others.
            for name in rest[1:]:
                await self._ask_patiently(name, PATIENT_SECONDS)

    async def _ask_patiently(self, name: str, seconds: float) -> bool:
        """Run a test again with more time; returns whether it hangs all the same."""
        before = self._ended.pop(name)
        try:
            self._take(await self.server.ask(self._request([name], seconds, seconds)))
        finally:
            after = self._ended.setdefault(name, before)
        return _hung(after)

    def _result(self, collected: tuple[str, ...]) -> Baseline:
        tests = [self._ended[name] for name in collected if name in self._ended]
        index = {test.id: number for number, test in enumerate(tests)}
        coverage = {
            path: {
                line: tuple(sorted(index[name] for name in names if name in index))
                for line, names in sorted(lines.items())
            }
            for path, lines in sorted(self._lines.items())
        }
        run = SuiteRun(
            runner=self.server.collected.runner,
            collected=collected,
            tests=tuple(tests),
            collection_errors=self.server.collected.errors,
            coverage=coverage,
        )
        unknown = tuple(name for name in collected if name not in self._ended)
        return Baseline(run, unknown, self._lanes)


def _hung(test: RanTest) -> bool:
    return test.failure is not None and test.failure.type == "Timeout"


def blocks(tests: Sequence[str], first: AbstractSet[str]) -> list[list[str]]:
    """Tests in blocks of one file each, in an order that soon has been everywhere.

    Tests that fail for one reason mostly stand together: their neighbourhood is to be met early.
    """
    found: list[list[str]] = []
    for test in tests:
        file = test.partition("::")[0]
        same = found and found[-1][0].partition("::")[0] == file
        if same and len(found[-1]) < _BLOCK:
            found[-1].append(test)
        else:
            found.append([test])
    bits = max(len(found) - 1, 1).bit_length()
    order = sorted(range(len(found)), key=lambda n: int(f"{n:0{bits}b}"[::-1], 2))
    order.sort(key=lambda n: first.isdisjoint(found[n]))
    return [found[n] for n in order]

"""Every patch against every reproduction and the project's own tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from anyio.to_thread import run_sync

from bug_lsp.agents.base import Emit
from bug_lsp.agents.python_tests import has_python
from bug_lsp.domain.events import Activity
from bug_lsp.domain.proof import SUITE, Cell
from bug_lsp.store.copy_environment import remove_temporary_root
from bug_lsp.store.files import make_private

from . import reproduction, suite
from .agent_tests import AgentTests, has_tests, written
from .bench import Bench, Candidate, Trial
from .checks import Check, Outcome
from .patches import Prepared, Workshop
from .pool import ON_SNAPSHOT, Pool, Task
from .reproduction import Tried
from .slot import Slot, Snapshot

_MOST_REGRESSIONS = 20


async def try_patches(bench: Bench, candidates: Sequence[Candidate], emit: Emit) -> Trial:
    """Find the reproductions, and run every patch against each. Whatever is wrong with a patch, a
    command or the project's tests is in the answer; raises `AgentFailure` where the snapshot itself
    cannot be checked out.
    """
    emit(Activity(text="making a copy of the code", percentage=0))
    make_private(bench.scratch)
    try:
        return await _try_patches(bench, candidates, emit)
    finally:
        remove_temporary_root(bench.scratch)


async def _try_patches(bench: Bench, candidates: Sequence[Candidate], emit: Emit) -> Trial:
    snapshot = Snapshot.of(bench)
    await run_sync(snapshot.make)
    workshop = await run_sync(Workshop, bench.base, bench.scratch / "patches")
    patches = [await run_sync(workshop.prepare, candidate) for candidate in candidates]
    pool = Pool(bench, snapshot, emit)
    known = await _Explorer(bench, pool, workshop, patches).explore(snapshot)
    cells = await _Matrix(pool, known, patches).cells()
    notes = [*known.notes, *pool.notes, *_passed_by_none(known.tried, cells)]
    return Trial(
        reproductions=tuple(one.value for one in known.tried),
        suite=suite.value(*known.suite) if known.suite is not None else None,
        patches=tuple(patch.row() for patch in patches),
        cells=tuple(cells),
        notes=tuple(notes),
        copies_lack=tuple(known.lacking),
    )


def _passed_by_none(tried: Sequence[Tried], cells: Sequence[Cell]) -> Iterator[str]:
    """An agent's test that nothing makes pass may be wrong itself."""
    for one in tried:
        name = one.value.id
        ran = {cell.outcome for cell in cells if cell.check == name} - {"notApplied", "notRun"}
        if one.value.source == "session" and ran and "passed" not in ran:
            yield f"no patch passes {name}, not even that of the session which wrote it"


@dataclass(slots=True)
class _Known:
    """What is known of the snapshot."""

    tried: list[Tried] = field(default_factory=list)
    suite: tuple[Check, Outcome] | None = None
    notes: list[str] = field(default_factory=list)
    lacking: dict[str, None] = field(default_factory=dict)
    """What some check needs and copies do not have, as sentences."""


class _Explorer:
    """Runs on the snapshot all that might show the bug."""

    def __init__(
        self, bench: Bench, pool: Pool, workshop: Workshop, patches: Sequence[Prepared]
    ) -> None:
        self._bench = bench
        self._pool = pool
        self._workshop = workshop
        self._patches = [patch for patch in patches if not patch.problem]
        self._suite: tuple[Check, Outcome] | None = None
        self._command: Tried | None = None
        self._of_agents: dict[int, Tried] = {}
        self._lacking: dict[str, None] = {}

    async def explore(self, snapshot: Snapshot) -> _Known:
        """Find and try the reproductions."""
        cwd = snapshot.root / self._bench.base.prefix
        ways = await run_sync(suite.ways, cwd, self._bench.suite_command)
        tests = written(self._patches, self._bench.base.prefix, reproduction.suite_check(ways))
        jobs: list[Callable[[Slot], Awaitable[None]]] = [lambda slot: self._try_suite(slot, ways)]
        if self._bench.test_command is not None:
            check = suite.of_command(self._bench.test_command, python=has_python(cwd))
            command = replace(check, id="testCommand")
            jobs.insert(0, lambda slot: self._try_command(slot, command))
        jobs += [self._agent_job(number, one) for number, one in enumerate(tests)]
        self._pool.phase(0, ON_SNAPSHOT // 2, len(jobs))
        await self._pool.each(jobs)
        return await self._made_sure()

    async def _try_suite(self, slot: Slot, ways: Sequence[Check]) -> None:
        for way in ways:
            outcome = await self._run(slot, way)
            if suite.has_tests(outcome):
                self._suite = way, outcome
                return

    async def _try_command(self, slot: Slot, check: Check) -> None:
        outcome = await self._run(slot, check)
        self._command = await run_sync(reproduction.of_command, check, outcome, self._workshop)

    def _agent_job(self, number: int, tests: AgentTests) -> Callable[[Slot], Awaitable[None]]:
        async def job(slot: Slot) -> None:
            outcome = await self._run(slot, tests.check)
            if has_tests(tests, outcome):
                self._of_agents[number] = reproduction.of_agent(tests, outcome)

        return job

    async def _run(self, slot: Slot, check: Check) -> Outcome:
        outcome = await self._pool.run(slot, Task(check))
        self._lacking |= dict.fromkeys(outcome.lacking.values())
        return outcome

    async def _made_sure(self) -> _Known:
        known = _Known(suite=self._suite, lacking=self._lacking)
        agents = [self._of_agents[number] for number in sorted(self._of_agents)]
        project = self._of_project(known, len(agents))
        chosen, left_out = reproduction.choose(self._command, project, agents)
        if left_out:
            known.notes.append(f"{left_out} more possible reproductions were left out")
        self._pool.phase(ON_SNAPSHOT // 2, ON_SNAPSHOT, 2 * len(chosen))
        known.tried = await reproduction.make_sure(self._pool, chosen)
        if self._suite is None and not known.tried:
            known.notes.append(
                "there is nothing to run: the project has no tests that are found, there is no"
                " testCommand, and no agent wrote a test"
            )
        elif not any(one.value.status == "reproduced" for one in known.tried):
            known.notes.append("nothing shows the bug: no patch can be proven")
        return known

    def _of_project(self, known: _Known, agents: int) -> list[Tried]:
        """The project's failing tests, where the user has not said what shows the bug."""
        if self._suite is None:
            return []
        check, outcome = self._suite
        if self._command is not None and self._command.value.status == "reproduced":
            return []
        room = reproduction.project_room(self._command is not None, agents)
        found, left_out, told = reproduction.of_project(
            check, outcome, self._workshop, room, self._bench
        )
        known.notes += told
        if left_out:
            known.notes.append(
                f"{left_out} more tests of the project fail on the snapshot; they are in the suite"
            )
        return found


class _Matrix:
    """The cells."""

    def __init__(self, pool: Pool, known: _Known, patches: Sequence[Prepared]) -> None:
        self._pool = pool
        self._patches = patches
        self._expected = reproduction.expected_tests(known.tried)
        self._checks = [one.check for one in known.tried if one.value.status == "reproduced"]
        self._suite = known.suite
        if self._suite is not None and suite.problem(self._suite[1]):
            self._suite = None

    async def cells(self) -> list[Cell]:
        """Run them: one reproduction for all patches, then the suite for all, then the others."""
        checks = self._checks[:1]
        if self._suite is not None and not self._is_reproduction(self._suite[0]):
            checks.append(self._suite[0])
        checks += self._checks[1:]
        pairs = [(patch, check) for check in checks for patch in self._patches if not patch.problem]
        self._pool.phase(ON_SNAPSHOT, 100, len(pairs))
        cells = await self._pool.each([self._job(patch, check) for patch, check in pairs])
        found = {(cell.session_id, cell.check): cell for cell in cells}
        ids = [*(check.id for check in self._checks), *([SUITE] if self._suite else [])]
        return [self._cell(found, patch, check) for patch in self._patches for check in ids]

    def _is_reproduction(self, check: Check) -> bool:
        """Whether the suite, of which only an exit status is known, is a reproduction itself."""
        return check.command is not None and any(
            one.command == check.command and not one.lay for one in self._checks
        )

    def _cell(self, found: dict[tuple[str, str], Cell], patch: Prepared, check: str) -> Cell:
        session_id = patch.candidate.session_id
        if patch.problem:
            return Cell(
                session_id=session_id, check=check, outcome="notApplied", detail=patch.problem
            )
        if (session_id, check) in found:
            return found[session_id, check]
        # The suite is a reproduction, too: run once, it says the same in both columns.
        command = self._suite[0].command if self._suite is not None else None
        same = next(one.id for one in self._checks if one.command == command and not one.lay)
        return found[session_id, same].model_copy(update={"check": check})

    def _job(self, patch: Prepared, check: Check) -> Callable[[Slot], Awaitable[Cell]]:
        async def job(slot: Slot) -> Cell:
            outcome = await self._pool.run(slot, Task(check, patch))
            if check.id == SUITE and outcome.result in {"passed", "failed"}:
                return await self._of_suite(slot, patch, check, outcome)
            return _cell(patch, check, outcome)

        return job

    async def _of_suite(self, slot: Slot, patch: Prepared, check: Check, outcome: Outcome) -> Cell:
        """What the patch breaks; what fails is run once more."""
        base = self._suite[1].run if self._suite is not None else None
        cell = _cell(patch, check, outcome)
        if base is None or outcome.run is None:
            if outcome.result == "passed" or outcome.again_failed or outcome.again_passed:
                return cell
            again = await self._pool.run(slot, Task(check, patch, again=1))
            return cell.model_copy(update={"outcome": "flaky"}) if _ok(again) else cell
        found = suite.compare(base, outcome.run, self._expected)
        flaky = outcome.again_passed
        left = set(found.again) - outcome.again_failed - flaky
        if left:
            again = await self._pool.run(slot, Task(suite.only(check, left), patch, again=1))
            tests = again.run.tests if again.run is not None else ()
            flaky |= {test.id for test in tests if test.outcome == "passed"}
        flaky &= {*found.regressions, *(test.id for test in found.failing)}
        failing = tuple(test for test in found.failing if test.id not in flaky)
        found = replace(found, failing=failing)
        broken = tuple(test for test in found.regressions if test not in flaky)
        return cell.model_copy(update=_judged(found, broken, flaky))


def _judged(
    found: suite.Comparison, broken: tuple[str, ...], flaky: frozenset[str]
) -> dict[str, object]:
    outcome: Literal["passed", "failed", "flaky"] = "passed"
    detail = found.detail()
    if broken or found.failing:
        outcome = "failed"
        detail = found.failed() if found.failing and not broken else found.broken(broken)
    elif flaky:
        outcome, detail = "flaky", f"{min(flaky)} failed, and passed when it was run again"
    return {
        "outcome": outcome,
        "detail": detail,
        "regressions": broken[:_MOST_REGRESSIONS],
        "regression_count": len(broken),
    }


def _ok(outcome: Outcome) -> bool:
    return outcome.result == "passed"


def _cell(patch: Prepared, check: Check, outcome: Outcome) -> Cell:
    result = "failed" if outcome.result == "broken" else outcome.result
    again = "it failed, and passed when it was run again"
    return Cell(
        session_id=patch.candidate.session_id,
        check=check.id,
        outcome="flaky" if outcome.is_flaky else result,
        detail=f"{again}: {outcome.detail}" if outcome.is_flaky else outcome.detail,
        exit_code=outcome.exit_code,
        seconds=outcome.seconds,
        log=str(outcome.log) if outcome.log is not None else "",
    )

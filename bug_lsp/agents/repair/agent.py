"""The built-in agent that repairs: it tries small edits until the failing tests pass.

It needs no model and no network. The tests run in a private copy of its copy of the code; only the
edit that it hands in is written where the session looks for a patch.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.markdown import counted, listed
from bug_lsp.agents.network import has_own_network
from bug_lsp.agents.python_tests import (
    NEEDS_NETWORK,
    Chosen,
    ForkServer,
    Measurement,
    Plan,
    PythonProject,
    RanTest,
    Triage,
    check_runner,
    chosen_by_command,
    failures_of_the_copy,
    has_python,
    is_test_code,
    measured,
    missing_module,
    named_tests,
    nothing_fails,
    own_modules,
    triage,
)
from bug_lsp.agents.spectrum.suspects import rank
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Error, FileEdit, Text, ToolCall, ToolResult

from .answer import Outcome, answer
from .baseline import Baseline, BaselineRun, of_known, warmed
from .candidates import sites
from .check import Check
from .files import Files, encoding_of
from .judge import Judge
from .pairs import Pairs
from .private_copy import private
from .search import Found, Search
from .search import cores as _cores
from .supply import Growing
from .wider import wider

BUDGET_SECONDS = 60.0
_OVERTIME = 3.0
"""Seconds after the budget in which what was found is still told."""
_MOST_ALIKE = 3
"""Tests that fail like the named one and that an edit must help, too."""
_FOR_THE_END = 0.12
"""The share of the time that is kept to check what was found in a fresh process."""
_BASELINE_SHARE = 0.4
_MOST_WAITED = 45.0
"""Seconds that the tests which the agents of a run share do not count."""
_COLLECTING_SHARE = 0.6
_COLLECTING_SHARE_OF_ALL = 0.3
"""The same, where only the files of the named tests are collected if all take too long."""


class Repair:
    """Search for an edit with which the failing tests pass, and no other fails."""

    def __init__(self, *, budget_seconds: float = BUDGET_SECONDS, cores: int | None = None) -> None:
        self._budget = budget_seconds
        self._cores = cores or _cores()

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Run the tests, search, check, write the patch, answer in Markdown."""
        if not has_python(job.cwd):
            raise AgentFailure(
                FailureKind.NOT_APPLICABLE,
                "there is no Python here: repair runs the tests of Python projects"
                " (pytest or unittest)",
            )
        most = (job.budget_seconds or float("inf")) - _OVERTIME - 1
        budget = min(self._budget, most)
        with anyio.move_on_after(budget + _OVERTIME) as scope:
            work = Work(job, emit, self._cores, time.monotonic(), budget, most, scope)
            await work.run()
        outcome = work.end()
        if outcome.patch is not None:
            path = job.copy / outcome.patch.path
            path.write_bytes(_encoded(path, outcome.text))
            emit(FileEdit(path=outcome.patch.path))
        text = answer(outcome)
        emit(Text(text=text))
        return Answer(text=text)


class _NotCollectedError(Exception):
    """The tests were not collected in time."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _NeedsNetworkError(Exception):
    """The tests fail as they do without the network, and were run without it."""


@dataclass
class Work:
    """One search for one job."""

    job: Job
    emit: Emit
    cores: int
    began: float
    budget: float
    most: float
    """What the budget may become, if it has to wait for tests that another agent runs."""
    scope: anyio.CancelScope
    project: PythonProject = field(init=False)
    server: ForkServer = field(init=False)
    files: Files = field(init=False)
    _stage: str = "the code was being copied"
    _outcome: Outcome | None = None
    _search: Search | None = None
    _check: Check | None = None

    @property
    def ends(self) -> float:
        """When it should be over, by the monotonic clock."""
        return self.began + self.budget

    @property
    def _left(self) -> float:
        return max(self.ends - time.monotonic(), 0.0)

    def end(self) -> Outcome:
        """What it came to, also if it was not allowed to end. Raises `AgentFailure`."""
        if self._outcome is None:
            raise AgentFailure(
                FailureKind.TIMEOUT,
                f"the time of {self.budget:g} s was over while {self._stage}:"
                " give a testCommand that names the failing test",
            )
        if self._search is not None:
            self._outcome.found = self._search.found()
        if self._check is not None:
            self._check.stop()
        return self._outcome

    async def run(self) -> None:
        """From the copy to the edit."""
        self.emit(Activity(text="looking for tests"))
        self.project = await private(PythonProject.of(self.job), "repair")
        try:
            await self._with_tests()
        except _NeedsNetworkError:
            self.emit(Error(message=NEEDS_NETWORK))
            self.project = self.project.with_network()
            await self._with_tests()

    async def _with_tests(self) -> None:
        self._stage = "the tests were being collected"
        chosen = await chosen_by_command(self.job, self.project, self.emit)
        near = self._files_that_are_named(chosen)
        share = _COLLECTING_SHARE_OF_ALL if near else _COLLECTING_SHARE
        try:
            await self._with_server(chosen, (), share * self._left)
        except _NotCollectedError as slow:
            if not near:
                raise AgentFailure(FailureKind.TIMEOUT, slow.message) from slow
            told = f"only the tests of {listed(list(near), 3)} are used: {slow.message}"
            self.emit(Error(message=told))
            await self._with_server(chosen, near, _COLLECTING_SHARE * self._left)

    def _files_that_are_named(self, chosen: Chosen) -> tuple[str, ...]:
        """Files of tests that the command or the task names."""
        names = [test.partition("::")[0] for test in chosen.names or ()]
        paths = names or [path for path in self.job.tests_near if is_test_code(path)]
        return tuple(path for path in dict.fromkeys(paths) if (self.project.cwd / path).is_file())

    async def _with_server(self, chosen: Chosen, args: tuple[str, ...], seconds: float) -> None:
        self.files = Files(self.project.copy)
        self.server = ForkServer(
            self.project,
            framework=chosen.framework,
            args=args,
            env=chosen.env,
            start_seconds=seconds,
        )
        is_up = False
        try:
            async with self.server.serving():
                is_up = True
                await self._repair(chosen.names)
        except AgentFailure as failure:
            if failure.kind is FailureKind.TIMEOUT and not is_up:
                raise _NotCollectedError(failure.message) from failure
            raise

    async def _repair(self, names: frozenset[str] | None) -> None:
        self._stage = "the tests were run for the first time"
        baseline = await self._baseline(names)
        indexes, others = self._shown(baseline, names)
        failing = [baseline.run.tests[index] for index in indexes]
        await warmed(self.server, baseline, indexes)
        suspects = rank(baseline.run, indexes, self.files.statements)
        if not suspects:
            raise _nowhere(failing)
        judge = Judge(self.server, baseline.run, failing, self.files.source, self.project.copy)
        alone = await judge.control()
        if not alone:
            raise AgentFailure(
                FailureKind.NOT_APPLICABLE,
                f"{failing[0].id} fails only together with other tests, not alone: no edit of one"
                " place can be judged by it",
            )
        found = Found(ended="the time was over")
        self._outcome = Outcome(
            baseline,
            alone,
            suspects,
            found,
            self.files.source,
            related=[test for test in baseline.run.tests if test.id in others.others],
            others=others.told,
        )
        self._check = Check(self._outcome, judge, self.server, self.ends, self.emit)
        more = wider(baseline.run, indexes, suspects, self.files.statements, self.files.source)
        where = await anyio.to_thread.run_sync(sites, suspects, self.files.source, more)
        pairs = Pairs()
        supply = Growing(where, self.server.collected.ran_at_import, pairs.new)
        ends = self.ends - _FOR_THE_END * self.budget
        self._search = Search(
            judge, supply, baseline.lanes, self.began, ends, self.emit, pairs=pairs
        )
        for number in itertools.count(1):
            self._outcome.found = await self._searched(self._search, len(where), number)
            await self._check.run()
            goes_on = self._search.reject(self._outcome.rejected)
            if self._outcome.patch is not None or not goes_on:
                break

    def _shown(
        self, baseline: Baseline, names: frozenset[str] | None
    ) -> tuple[tuple[int, ...], Triage]:
        """The tests that show the bug, by their indexes, and what is known of the others."""
        told = triage(
            baseline.run,
            self.job.told,
            command=self.job.test_command or "",
            of_command=names,
            apart=baseline.apart,
            own_modules=own_modules(self.project.cwd, self.project.copy),
        )
        # An edit that helps the named test alone, of several that fail alike, fits that one test.
        alike = told.related if len(told.related) <= _MOST_ALIKE else ()
        wanted = {*told.shown, *alike}
        known = {n for n, test in enumerate(baseline.run.tests) if test.id in wanted}
        return baseline.failing(names, known) or baseline.failing(names), told

    async def _known(self) -> Measurement | None:
        """The run of the tests that the agents of the debug run share, if there is one in time."""
        if self.job.shared is None:
            return None
        began, found = time.monotonic(), None
        room = min(max(self.most - self.budget, 0.0), _MOST_WAITED)
        self.scope.deadline += room
        with anyio.move_on_after(max(room, self._left * _BASELINE_SHARE)):
            project, plan = PythonProject.of(self.job), Plan(coverage=True)
            found = await measured(self.job, project, self.emit, agent="repair", plan=plan)
        waited = min(time.monotonic() - began, room)
        self.scope.deadline -= room - waited
        self.budget += waited
        if found is None:
            return None
        if found.needs_network and has_own_network(self.project.confine):
            raise _NeedsNetworkError
        return found

    async def _baseline(self, names: frozenset[str] | None) -> Baseline:
        collected = self.server.collected
        known = await self._known()
        if known is None:
            baseline = await self._run_tests(names)
        else:
            baseline = of_known(known.run, collected.tests, self.cores)
        if has_own_network(self.project.confine) and baseline.run.shows_no_network:
            raise _NeedsNetworkError
        baseline.apart = failures_of_the_copy(self.project, baseline.run)
        if known is not None:  # it ran in another copy, whose place its failures name
            baseline.apart |= known.apart
        check_runner(baseline.run, self.project)
        if not baseline.failing(names):
            if baseline.apart:
                raise AgentFailure(FailureKind.COPY_DIFFERS, next(iter(baseline.apart.values())))
            raise self._nothing_fails(baseline, names)
        return baseline

    async def _run_tests(self, names: frozenset[str] | None) -> Baseline:
        collected = self.server.collected
        first = names or named_tests(collected.tests, self.job.told).ids
        detail = (
            f"the tests by {self.project.interpreter.described}, with the lines each test executes"
        )
        self.emit(ToolCall(call_id="tests", name="test", detail=detail))
        seconds = self._left * _BASELINE_SHARE
        run = BaselineRun(self.server, self.emit, self.cores, seconds, first)
        baseline = await run.run() if collected.tests else run.empty()
        lines = [f"{baseline.run.runner}: {baseline.run.counted()}"]
        lines += [f"{t.id}: {t.failure.summary}" for t in baseline.run.failing[:20] if t.failure]
        self.emit(ToolResult(call_id="tests", ok=True, output="\n".join(lines)))
        return baseline

    def _nothing_fails(self, baseline: Baseline, names: frozenset[str] | None) -> AgentFailure:
        errors = baseline.run.collection_errors
        ours = [error for error in errors if missing_module(error, self.project) is None]
        if ours:
            return AgentFailure(
                FailureKind.NOT_APPLICABLE,
                f"{ours[0].where} cannot be collected ({ours[0].failure.summary}): repair needs a"
                " test that runs and fails; spectrum says where it breaks",
            )
        return nothing_fails(
            baseline.run, errors, self.project, "repair", limited=names is not None
        )

    async def _searched(self, search: Search, places: int, number: int) -> Found:
        self.emit(Activity(text="looking for edits"))
        call = "search" if number == 1 else f"search-{number}"
        detail = f"the likeliest edits at {counted(places, 'place')}"
        detail = detail if number == 1 else "the search goes on, as none of these held"
        self.emit(ToolCall(call_id=call, name="search", detail=detail))
        found = await search.run()
        output = f"{found.tried} tried, {len(found.passing)} pass; {found.ended}"
        if found.first_after is not None:
            output += f"; the first judged after {found.first_after:.1f} s"
        self.emit(ToolResult(call_id=call, ok=True, output=output))
        return found


def _nowhere(failing: list[RanTest]) -> AgentFailure:
    return AgentFailure(
        FailureKind.NOT_APPLICABLE,
        f"{counted(len(failing), 'failing test')}, but no line of the project outside of the tests"
        f" is known to be executed by {failing[0].id}",
    )


def _encoded(path: Path, text: str) -> bytes:
    return text.encode(encoding_of(path.read_bytes()))

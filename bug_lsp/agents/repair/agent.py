"""The built-in agent that repairs: it tries small edits until the failing tests pass.

It needs no model and no network. The tests run in a private copy of its copy of the code; only the
edit that it hands in is written where the session looks for a patch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.markdown import counted
from bug_lsp.agents.network import has_own_network
from bug_lsp.agents.python_tests import (
    NEEDS_NETWORK,
    ForkServer,
    PythonProject,
    RanTest,
    Request,
    check_runner,
    chosen_by_command,
    failures_of_the_copy,
    has_python,
    missing_module,
    nothing_fails,
)
from bug_lsp.agents.spectrum.suspects import Suspect, rank
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Error, FileEdit, Text, ToolCall, ToolResult

from .answer import Outcome, answer
from .baseline import Baseline, BaselineRun, mentioned
from .candidates import MOST_LATE, Candidate, candidates, sites
from .files import Files, encoding_of
from .judge import Judge
from .private_copy import private
from .search import Found, Search
from .search import cores as _cores

BUDGET_SECONDS = 60.0
_FOR_THE_END = 0.12
"""The share of the time that is kept to check what was found in a fresh process."""
_BASELINE_SHARE = 0.4


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
        began = time.monotonic()
        emit(Activity(text="looking for tests"))
        project = await private(PythonProject.of(job), "repair")
        try:
            outcome = await self._repair(job, project, emit, began)
        except _NeedsNetworkError:
            emit(Error(message=NEEDS_NETWORK))
            outcome = await self._repair(job, project.with_network(), emit, time.monotonic())
        if outcome.patch is not None:
            path = job.copy / outcome.patch.path
            path.write_bytes(_encoded(path, outcome.text))
            emit(FileEdit(path=outcome.patch.path))
        text = answer(outcome)
        emit(Text(text=text))
        return Answer(text=text)

    async def _repair(self, job: Job, project: PythonProject, emit: Emit, began: float) -> Outcome:
        chosen = await chosen_by_command(job, project, emit)
        server = ForkServer(project, framework=chosen.framework, env=chosen.env)
        async with server.serving():
            work = _Work(job, project, server, emit, self._cores, began, began + self._budget)
            return await work.run(chosen.names)


class _NeedsNetworkError(Exception):
    """The tests fail as they do without the network, and were run without it."""


@dataclass
class _Work:
    """One search for one job."""

    job: Job
    project: PythonProject
    server: ForkServer
    emit: Emit
    cores: int
    began: float
    ends: float
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(self.project.copy)

    async def run(self, names: frozenset[str] | None) -> Outcome:
        """From the tests to the edit."""
        baseline = await self._baseline(names)
        failing = [baseline.run.tests[index] for index in baseline.failing(names)]
        suspects = rank(baseline.run, baseline.failing(names), self.files.statements)
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
        found = await self._search(judge, suspects, baseline)
        return await self._checked(
            Outcome(baseline, alone, suspects, found, self.files.source), judge
        )

    async def _baseline(self, names: frozenset[str] | None) -> Baseline:
        collected = self.server.collected
        first = names or mentioned(collected.tests, self.job.prompt)
        detail = (
            f"the tests by {self.project.interpreter.described}, with the lines each test executes"
        )
        self.emit(ToolCall(call_id="tests", name="test", detail=detail))
        seconds = (self.ends - self.began) * _BASELINE_SHARE
        run = BaselineRun(self.server, self.emit, self.cores, seconds, first)
        baseline = await run.run() if collected.tests else run.empty()
        lines = [f"{baseline.run.runner}: {baseline.run.counted()}"]
        lines += [f"{t.id}: {t.failure.summary}" for t in baseline.run.failing[:20] if t.failure]
        self.emit(ToolResult(call_id="tests", ok=True, output="\n".join(lines)))
        if has_own_network(self.project.confine) and baseline.run.shows_no_network:
            raise _NeedsNetworkError
        copys = failures_of_the_copy(self.project, baseline.run)
        baseline.of_the_copy = frozenset(copys)
        check_runner(baseline.run, self.project)
        if not baseline.failing(names):
            if copys:
                raise AgentFailure(FailureKind.COPY_DIFFERS, next(iter(copys.values())))
            raise self._nothing_fails(baseline, names)
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

    async def _search(self, judge: Judge, suspects: list[Suspect], baseline: Baseline) -> Found:
        self.emit(Activity(text="looking for edits"))
        where = await anyio.to_thread.run_sync(sites, suspects, self.files.source)
        ran = self.server.collected.ran_at_import
        early = await anyio.to_thread.run_sync(
            partial(candidates, where, late=False, ran_at_import=ran)
        )
        known = {(one.path, one.splices) for one in early}
        detail = f"the {len(early)} likeliest edits at {counted(len(where), 'place')}"
        self.emit(ToolCall(call_id="search", name="search", detail=detail))
        whole = self.ends - self.began
        ends = self.ends - _FOR_THE_END * whole

        def late() -> list[Candidate]:
            found = candidates(where[:MOST_LATE], late=True, ran_at_import=ran)
            return [one for one in found if (one.path, one.splices) not in known]

        search = Search(judge, early, late, baseline.lanes, self.began, ends, self.emit)
        found = await search.run()
        output = f"{found.tried} tried, {len(found.passing)} pass; {found.ended}"
        if found.first_after is not None:
            output += f"; the first judged after {found.first_after:.1f} s"
        self.emit(ToolResult(call_id="search", ok=True, output=output))
        return found

    async def _checked(self, outcome: Outcome, judge: Judge) -> Outcome:
        """The best candidate that holds in a fresh process, with the tests there is time for."""
        run = outcome.baseline.run
        known = {test.id for test in run.tests if test.has_failed}
        shown = [test.id for test in outcome.failing]
        others = [t.id for t in run.tests if t.outcome == "passed"]
        for candidate in outcome.found.passing:
            self.emit(Activity(text=f"checking {candidate.path}:{candidate.line} {candidate.what}"))
            reaching = [test.id for test in judge.reaching(candidate)]
            order = dict.fromkeys([*shown, *reaching, *outcome.baseline.unknown, *others])
            left = max(self.ends - time.monotonic(), 3.0)
            lanes = outcome.baseline.lanes
            replies = await judge.whole(candidate, list(order), left, lanes)
            tests = [test for reply in replies for test in reply.tests]
            bad = [t.id for t in tests if t.has_failed and t.id not in known - set(shown)]
            ran = {test.id for test in tests}
            if bad and set(bad) <= set(outcome.baseline.unknown):
                bad = await self._new(bad)
            died = any(reply.how != "done" for reply in replies)
            if died or bad or not set(judge.first) <= ran:
                outcome.rejected.append(candidate)
                continue
            outcome.patch = candidate
            outcome.text = judge.text_of(candidate)
            outcome.checked = len(ran)
            outcome.whole_suite = ran >= set(run.collected)
            break
        return outcome

    async def _new(self, names: list[str]) -> list[str]:
        """Which of the tests pass without any change."""
        left = max(self.ends - time.monotonic(), 1.0)
        reply = await self.server.ask(Request(tuple(names), soft_seconds=left, wall_seconds=left))
        return [test.id for test in reply.tests if test.outcome == "passed"]


def _nowhere(failing: list[RanTest]) -> AgentFailure:
    return AgentFailure(
        FailureKind.NOT_APPLICABLE,
        f"{counted(len(failing), 'failing test')}, but no line of the project outside of the tests"
        f" is known to be executed by {failing[0].id}",
    )


def _encoded(path: Path, text: str) -> bytes:
    return text.encode(encoding_of(path.read_bytes()))

"""Finds the tests that show the bug: runs the project's tests and says which of them fail.

The run is told to the session as it goes. A project in which nothing fails, or whose tests cannot
be found, is refused with a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from bug_lsp.agents.base import Emit, Job
from bug_lsp.agents.network import has_own_network
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Error, Text, ToolCall, ToolResult

from .command import Selection, is_django, understand
from .last_results import difference
from .project import PythonProject
from .results import CollectionError, SuiteRun
from .suite import OnProgress, Plan, chosen_tests, run_tests

_MISSING_MODULE = re.compile(r"No module named '(?P<name>[^'.]+)")
_MOST_NAMED = 20
NEEDS_NETWORK = (
    "tests failed as they do without the network: they are run again with it; with the setting"
    " testsNeedNetwork they have it from the start"
)
_WITHOUT_DJANGO = {"ImproperlyConfigured", "AppRegistryNotReady"}
_OF_DJANGO = (
    "the tests run through Django's own runner, which cannot be looked into: the command is run as"
    " it is by bisect and where patches are tried; a testCommand with pytest (pytest-django) can be"
    " looked into"
)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A run of the tests that shows the bug."""

    run: SuiteRun
    failing: tuple[int, ...]
    """Which tests show it. Others may fail too, where the user's command leaves them out."""
    errors: tuple[CollectionError, ...]
    """Files of tests that the bug keeps from being collected."""
    env: dict[str, str]
    project: PythonProject
    """Where the tests ran: with the network, if they need it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the user's command says about the tests."""

    framework: Literal["pytest", "unittest"] | None = None
    env: dict[str, str] = field(default_factory=dict)
    run: SuiteRun | None = None
    """The tests that it names, collected only; None where it names none in particular."""

    @property
    def names(self) -> frozenset[str] | None:
        """The names of those tests; None: all tests count."""
        return frozenset(self.run.collected) or None if self.run is not None else None


async def chosen_by_command(job: Job, project: PythonProject, emit: Emit) -> Chosen:
    """What the job's command says, as far as it is understood, and a word about the interpreter
    where it may be the wrong one. Raises `AgentFailure` for a runner that is not ours to drive.
    """
    if job.test_command and is_django(job.test_command):
        raise AgentFailure(FailureKind.NOT_APPLICABLE, _OF_DJANGO)
    if project.interpreter.doubt:
        emit(Text(text=f"{project.interpreter.doubt}\n\n"))
    selection = understand(job.test_command) if job.test_command else None
    if selection is None:
        return Chosen()
    run = await _choose(project, selection, emit)
    return Chosen(selection.framework, selection.env, run)


async def reproduce(
    job: Job, project: PythonProject, emit: Emit, *, agent: str, plan: Plan
) -> Reproduction:
    """Run the tests: with coverage all of them, as the passing ones are needed to compare with;
    without it only those the user's command names, if it names any.
    """
    chosen, plan, run = await _run_chosen(job, project, emit, plan, call_id="tests")
    if has_own_network(project.confine) and (
        run.shows_no_network or (chosen.run is not None and chosen.run.shows_no_network)
    ):
        emit(Error(message=NEEDS_NETWORK))
        project = project.with_network()
        chosen, plan, run = await _run_chosen(job, project, emit, plan, call_id="with-network")
    names = chosen.names
    check_runner(run, project)
    failing = tuple(
        index
        for index, test in enumerate(run.tests)
        if test.has_failed and (not names or test.id in names)
    )
    errors = chosen.run.collection_errors if chosen.run is not None else run.collection_errors
    if not (names and failing) and (told := difference(run, project.workspace)):
        raise AgentFailure(FailureKind.COPY_DIFFERS, told)
    copys = failures_of_the_copy(project, run.model_copy(update={"collection_errors": errors}))
    failing = tuple(index for index in failing if run.tests[index].id not in copys)
    ours = tuple(
        error
        for error in errors
        if error.where not in copys and missing_module(error, project) is None
    )
    for sentence in dict.fromkeys(copys.values()):
        if not failing and not ours:
            raise AgentFailure(FailureKind.COPY_DIFFERS, sentence)
        emit(Error(message=f"some tests fail for the copy's own sake: {sentence}"))
    if not failing and not ours:
        raise nothing_fails(run, errors, project, agent, limited=bool(names))
    return Reproduction(run, failing, ours, plan.env, project)


async def _run_chosen(
    job: Job, project: PythonProject, emit: Emit, plan: Plan, *, call_id: str
) -> tuple[Chosen, Plan, SuiteRun]:
    """Run the tests that the job's command names, or all; returns the plan that was carried out."""
    chosen = await chosen_by_command(job, project, emit)
    if chosen.framework is not None:
        plan = replace(plan, framework=chosen.framework, env=chosen.env)
    names = chosen.names or frozenset()
    plan = replace(plan, first=names) if plan.coverage else replace(plan, only=names or None)
    return chosen, plan, await run_and_tell(project, plan, emit, call_id=call_id)


def failures_of_the_copy(project: PythonProject, run: SuiteRun) -> dict[str, str]:
    """Failures that the copy has and the checkout has not, by the names of tests and of files that
    cannot be collected: what is missing in the copy, as a sentence.
    """
    worlds = project.worlds()
    reasons = {name: worlds.lacking(failure.told) for name, failure in run.failures().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def check_runner(run: SuiteRun, project: PythonProject) -> None:
    """Refuse a run that only shows that Django was not set up for it. Raises `AgentFailure`."""
    failures = [error.failure for error in run.collection_errors]
    failures += [test.failure for test in run.failing if test.failure is not None]
    is_djangos = (project.cwd / "manage.py").is_file()
    if is_djangos and any(failure.type in _WITHOUT_DJANGO for failure in failures):
        raise AgentFailure(
            FailureKind.NOT_APPLICABLE,
            f"{_OF_DJANGO}; without it, give the testCommand `python manage.py test`",
        )


async def _choose(project: PythonProject, selection: Selection, emit: Emit) -> SuiteRun | None:
    """What the command names, or None where that cannot be found out."""
    try:
        chosen = await chosen_tests(project, selection)
    except AgentFailure as failure:
        emit(Error(message=f"all tests are run, the command's cannot be told: {failure.message}"))
        return None
    return chosen if chosen.collected or chosen.collection_errors else None


async def run_and_tell(project: PythonProject, plan: Plan, emit: Emit, *, call_id: str) -> SuiteRun:
    """Run tests as a tool call of the session, with progress."""
    how = "with the lines each test executes" if plan.coverage else "without coverage"
    emit(
        ToolCall(
            call_id=call_id,
            name="test",
            detail=f"the tests by {project.interpreter.described}, {how}",
        )
    )
    try:
        run = await run_tests(project, plan, _progress(emit))
    except AgentFailure as failure:
        emit(ToolResult(call_id=call_id, ok=False, output=failure.message))
        raise
    lines = [f"{run.runner}: {run.counted()}"]
    lines += [
        f"{test.id}: {test.failure.summary}"
        for test in run.failing[:_MOST_NAMED]
        if test.failure is not None
    ]
    lines += [f"{error.where}: {error.failure.summary}" for error in run.collection_errors]
    emit(ToolResult(call_id=call_id, ok=True, output="\n".join(lines)))
    return run


def _progress(emit: Emit) -> OnProgress:
    """One activity for each percent: there may be thousands of tests."""
    shown = -1

    def report(done: int, total: int) -> None:
        nonlocal shown
        percentage = 100 * done // total if total else 0
        if percentage != shown:
            shown = percentage
            emit(Activity(text=f"running tests {done}/{total}", percentage=percentage))

    return report


def missing_module(error: CollectionError, project: PythonProject) -> str | None:
    """The module that is not installed, where that is all that is wrong; None if it is not."""
    match = _MISSING_MODULE.search(error.failure.message)
    if error.failure.type != "ModuleNotFoundError" or match is None:
        return None
    name = match["name"]
    places = [project.cwd, project.cwd / "src", project.copy, project.copy / "src"]
    is_own = any((p / name).exists() or (p / f"{name}.py").exists() for p in places)
    return None if is_own else name


def nothing_fails(
    run: SuiteRun,
    errors: tuple[CollectionError, ...],
    project: PythonProject,
    agent: str,
    *,
    limited: bool,
) -> AgentFailure:
    """Why there is nothing to look into, as the refusal of an agent."""
    missing = sorted({name for error in errors if (name := missing_module(error, project))})
    passed = sum(test.outcome == "passed" for test in run.tests)
    if missing:
        sentence = (
            f"{len(errors)} test files cannot be imported by {project.interpreter.described},"
            f" which lacks {', '.join(missing)}: {project.interpreter.advice}"
        )
    elif not run.tests:
        sentence = (
            f"no tests were found by {run.runner} in {project.cwd.name}:"
            f" {agent} needs a test that fails while the bug is there"
        )
    else:
        which = " of the test command" if limited else ""
        passing = f"all {passed} tests{which} pass" if passed > 1 else f"the one test{which} passes"
        passing = passing if passed else f"nothing passes or fails ({run.counted()})"
        sentence = (
            f"{passing}: {agent} needs a test that fails while the bug is there;"
            " add one or give testCommand"
        )
        if run.stopped is not None and len(run.tests) < len(run.collected):
            sentence = (
                f"no test failed among the {len(run.tests)} of {len(run.collected)} that were run"
                f" before {run.stopped}; give a testCommand that names the failing one"
            )
    return AgentFailure(FailureKind.NOT_APPLICABLE, sentence)

"""Finds the tests that show the bug: runs the project's tests and says which of them fail for it.

The run is told to the session as it goes. A project in which nothing fails, or whose tests cannot
be found, is refused with a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error

from .chosen import OF_DJANGO
from .last_results import difference
from .measurement import Measurement
from .named_in_files import test_files
from .project import PythonProject
from .results import CollectionError, SuiteRun
from .shared import measured
from .suite import Plan
from .triage import Triage, triage

_MISSING_MODULE = re.compile(r"No module named '(?P<name>[^'.]+)")
_WITHOUT_DJANGO = {"ImproperlyConfigured", "AppRegistryNotReady"}
_OF_PYTEST = re.compile(rb"^(?:async )?def test_\w+\(|^(?:import|from) pytest\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A run of the tests that shows the bug."""

    run: SuiteRun
    failing: tuple[int, ...]
    """Which tests show it. Others may fail too."""
    errors: tuple[CollectionError, ...]
    """Files of tests that the bug keeps from being collected."""
    env: dict[str, str]
    project: PythonProject
    """Where the tests ran: with the network, if they need it."""
    triage: Triage
    """Why these tests, and what of the others that fail."""
    notes: tuple[str, ...] = ()
    """What else is to be known about the run."""


async def reproduce(
    job: Job, project: PythonProject, emit: Emit, *, agent: str, plan: Plan
) -> Reproduction:
    """Run the tests: with coverage all of them, as the passing ones are needed to compare with;
    without it only those that the task or the user's command names, if one of them fails.
    """
    found = await measured(job, project, emit, agent=agent, plan=plan)
    if found.needs_network:
        project = project.with_network()
    run = found.run
    check_runner(run, project)
    chosen = triaged(found, job, project)
    is_limited = found.of_command is not None or chosen.is_named
    if not (is_limited and chosen.shown) and (told := difference(run, project.workspace)):
        raise AgentFailure(FailureKind.COPY_DIFFERS, told)
    if not chosen.shown:
        raise _nothing_shown(found, chosen, project, agent)
    for sentence in dict.fromkeys(found.apart.values()):
        emit(Error(message=f"some tests fail for the copy's own sake: {sentence}"))
    failing = tuple(i for i, test in enumerate(run.tests) if test.id in chosen.shown)
    errors = tuple(error for error in run.collection_errors if error.where in chosen.shown)
    return Reproduction(run, failing, errors, found.env, project, chosen, found.notes)


def _nothing_shown(
    found: Measurement, chosen: Triage, project: PythonProject, agent: str
) -> AgentFailure:
    """Why no test shows the bug, as the refusal of an agent."""
    if found.apart:
        return AgentFailure(FailureKind.COPY_DIFFERS, next(iter(found.apart.values())))
    errors = tuple(
        error
        for error in found.run.collection_errors
        if found.of_command is None or error.where in found.of_command
    )
    if chosen.environment and not any(missing_module(error, project) for error in errors):
        why = "; ".join(chosen.told)
        return AgentFailure(
            FailureKind.NOT_APPLICABLE,
            f"no test shows the bug: {why}; {project.interpreter.advice}",
        )
    refusal = nothing_fails(found.run, errors, project, agent, limited=found.of_command is not None)
    if chosen.passing:
        return AgentFailure(refusal.kind, f"{chosen.told[-1]}; {refusal.message}")
    return refusal


def triaged(found: Measurement, job: Job, project: PythonProject) -> Triage:
    """Which of the failing tests of a measurement show the job's bug."""
    return triage(
        found.run,
        job.told,
        command=job.test_command or "",
        of_command=found.of_command,
        apart=found.apart,
        own_modules=own_modules(project.cwd, project.copy),
    )


def own_modules(*roots: Path) -> frozenset[str]:
    """The names of modules that are the project's own, from the folders that it is imported from
    and their `src`.
    """
    places = {place for root in roots for place in (root, root / "src")}
    return frozenset(
        path.name.partition(".")[0]
        for place in places
        if place.is_dir()
        for path in place.iterdir()
    )


def check_runner(run: SuiteRun, project: PythonProject) -> None:
    """Refuse a run that only shows that Django was not set up for it. Raises `AgentFailure`."""
    failures = [error.failure for error in run.collection_errors]
    failures += [test.failure for test in run.failing if test.failure is not None]
    is_djangos = (project.cwd / "manage.py").is_file()
    if is_djangos and any(failure.type in _WITHOUT_DJANGO for failure in failures):
        raise AgentFailure(
            FailureKind.NOT_APPLICABLE,
            f"{OF_DJANGO}; without it, give the testCommand `python manage.py test`",
        )


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
    elif not run.tests and run.runner == "unittest" and _is_for_pytest(project.cwd):
        sentence = (
            "the tests are written for pytest, which can be imported neither by"
            f" {project.interpreter.described} nor lent to it: install pytest there"
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


def _is_for_pytest(folder: Path) -> bool:
    """Whether the tests are of the kind that only pytest runs."""
    for path in test_files(folder):
        try:
            data = (folder / path).read_bytes()
        except OSError:
            continue
        if _OF_PYTEST.search(data):
            return True
    return False

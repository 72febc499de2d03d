"""Asks which tests the user's command runs, as far as its words can be understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, Text

from .command import Selection, is_django, understand
from .project import PythonProject
from .results import SuiteRun
from .suite import chosen_tests

OF_DJANGO = (
    "the tests run through Django's own runner, which cannot be looked into: the command is run as"
    " it is by bisect and where patches are tried; a testCommand with pytest (pytest-django) can be"
    " looked into"
)


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
        raise AgentFailure(FailureKind.NOT_APPLICABLE, OF_DJANGO)
    if project.interpreter.doubt:
        emit(Text(text=f"{project.interpreter.doubt}\n\n"))
    selection = understand(job.test_command) if job.test_command else None
    if selection is None:
        return Chosen()
    run = await _choose(project, selection, emit)
    return Chosen(selection.framework, selection.env, run)


async def _choose(project: PythonProject, selection: Selection, emit: Emit) -> SuiteRun | None:
    """What the command names, or None where that cannot be found out."""
    try:
        chosen = await chosen_tests(project, selection)
    except AgentFailure as failure:
        emit(Error(message=f"all tests are run, the command's cannot be told: {failure.message}"))
        return None
    return chosen if chosen.collected or chosen.collection_errors else None

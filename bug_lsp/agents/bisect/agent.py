"""The built-in agent that says which commit broke the failing test, and which of its lines are
still there.

It checks out older commits in its own copy, brings today's failing tests into them, and gives the
copy back as it was. It needs no model and no network, and claims since when, never why.
"""

from __future__ import annotations

import time

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.python_tests import (
    Plan,
    PythonProject,
    Reproduction,
    has_python,
    project_frames,
    reproduce,
    understand,
)
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, Text
from bug_lsp.domain.line_roles import Role, role_of_file

from .answer import Symptoms, answer
from .clues import good_commits
from .commit_tests import CommandTest, CommitTest, ProjectTests
from .culprit_search import Clues, CulpritSearch
from .git_copy import GitCopy

MOST_COMMITS = 1000
_FOR_THE_END = 5.0
"""Seconds of the budget in which no further commit is tested."""


class Bisect:
    """Bisection of the history by the failing test."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Reproduce, search, answer in Markdown."""
        began = time.monotonic()
        git = GitCopy(job.copy, kept=[job.scratch], confine=job.confine)
        base = await git.head()
        if base is None:
            raise _not_applicable("there is no git history to search: there is no commit yet")
        async with git.as_it_was(base):
            history = await _history(git, base)
            test, symptoms = await _what_to_ask(job, git, base, emit)
            clues = Clues(
                good=await good_commits(git, job.prompt, history[-1], history[0]),
                files=frozenset(path for path, _ in symptoms.executed),
                ends=began + (job.budget_seconds or float("inf")) - _FOR_THE_END,
            )
            found = await CulpritSearch(git, base, test, emit, clues).run(history)
        text = answer(found, symptoms)
        emit(Text(text=text))
        return Answer(text=text)


def _not_applicable(sentence: str) -> AgentFailure:
    return AgentFailure(FailureKind.NOT_APPLICABLE, sentence)


async def _history(git: GitCopy, base: str) -> list[str]:
    """The user's working state, where it differs from their last commit, and the commits before."""
    parents = (await git.commit(base)).parents
    if not parents:
        raise _not_applicable("there is no git history to search: there is no commit yet")
    commits = await git.first_parents(parents[0], most=MOST_COMMITS)
    history = commits if await git.same_tree(base, commits[0]) else [base, *commits]
    if len(history) == 1 and await git.is_shallow():
        raise _not_applicable(
            "there is no git history to search: this is a shallow clone with one commit; run "
            "`git fetch --unshallow`, and start again"
        )
    if len(history) == 1:
        raise _not_applicable("there is no git history to search: there is only one commit")
    return history


async def _what_to_ask(
    job: Job, git: GitCopy, base: str, emit: Emit
) -> tuple[CommitTest, Symptoms]:
    """What tells good from bad, and where its failure shows."""
    project = PythonProject.of(job)
    python = has_python(job.cwd)
    command = job.test_command
    if command is None and not python:
        raise _not_applicable(
            "there is no Python here and no testCommand: bisect needs a command that fails while"
            " the bug is there"
        )
    if python and (command is None or understand(command) is not None):
        try:
            shown = await reproduce(job, project, emit, agent="bisect", plan=Plan())
        except AgentFailure as failure:
            if command is None or failure.kind is FailureKind.COPY_DIFFERS:
                raise
            emit(Error(message=f"the test command is run as it is: {failure.message}"))
        else:
            failing = [shown.run.tests[index] for index in shown.failing]
            frames = [frame for test in failing for frame in project_frames(test)]
            symptoms = Symptoms(
                traced=frozenset((frame.path, frame.line) for frame in frames),
                executed=_executed(shown),
                told=shown.triage.told,
            )
            return ProjectTests(shown.project, git, base, shown), symptoms
    return CommandTest(command or "", project, git, base, emit), Symptoms()


def _executed(shown: Reproduction) -> frozenset[tuple[str, int]]:
    """The lines of code that the failing tests execute; none where that was not recorded."""
    failing = set(shown.failing)
    return frozenset(
        (path, line)
        for path, lines in shown.run.coverage.items()
        if role_of_file(path) is Role.CODE
        for line, tests in lines.items()
        if not failing.isdisjoint(tests)
    )

"""The built-in agent that says which commit broke the failing test, and which of its lines are
still there.

It checks out older commits in its own copy, brings today's failing tests into them, and gives the
copy back as it was. It needs no model and no network, and claims since when, never why.
"""

from __future__ import annotations

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.python_tests import (
    Frame,
    Plan,
    PythonProject,
    has_python,
    project_frames,
    reproduce,
    understand,
)
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error, Text

from .answer import answer
from .commit_tests import CommandTest, CommitTest, ProjectTests
from .culprit_search import CulpritSearch
from .git_copy import GitCopy

MOST_COMMITS = 1000


class Bisect:
    """Bisection of the history by the failing test."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Reproduce, search, answer in Markdown."""
        git = GitCopy(job.copy, kept=[job.scratch], confine=job.confine)
        base = await git.head()
        if base is None:
            raise _not_applicable("there is no git history to search: there is no commit yet")
        async with git.as_it_was(base):
            history = await _history(git, base)
            test, frames = await _what_to_ask(job, git, base, emit)
            found = await CulpritSearch(git, base, test, emit).run(history)
        text = answer(found, frames)
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
) -> tuple[CommitTest, tuple[Frame, ...]]:
    """What tells good from bad, and the places in the project its failure came through."""
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
            frames = tuple(frame for test in failing for frame in project_frames(test))
            return ProjectTests(shown.project, git, base, shown), frames
    return CommandTest(command or "", project, git, base, emit), ()

"""Bisect in copies of clones that lack something, and of sparse checkouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.agents.base import Job
from bug_lsp.agents.bisect.agent import Bisect
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.ids import new_run_id, new_session_id
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import capture, copies
from tests.support.projects import Project, content, empty_project
from tests.support.projects import git as users_git

from .small_projects import run_agent

pytestmark = pytest.mark.anyio

GOOD = "def total(prices):\n    return sum(prices)\n"
BROKEN = "def total(prices):\n    return sum(prices[1:])\n"
TEST = "from shop import total\n\ndef test_total():\n    assert total([1, 2]) == 3\n"


def job_in_a_copy_of(workspace: Path) -> Job:
    """A job as a session has it."""
    folder = WorkspaceFolder.of(workspace).create()
    run_id = new_run_id(0)
    base = capture.capture(folder, workspace, run_id)
    session = folder.run(run_id).session(new_session_id())
    make_private(session.path)
    copy = copies.make(session, base)
    return Job("", cwd=copy, copy=copy, workspace=workspace, scratch=session.scratch)


@pytest.fixture
def source(tmp_path: Path) -> Project:
    """A history of six commits, of which the third has the bug."""
    made = empty_project(tmp_path / "source")
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(6):
        made.write("shop.py", GOOD if number < 2 else BROKEN)
        made.write("test_shop.py", TEST)
        made.write("docs/notes.md", f"{number}\n")
        made.commit(f"Number {number}")
    return made


def cloned(source: Project, *options: str) -> Project:
    """A clone of it."""
    place = source.root.parent / "clone"
    users_git("clone", "-q", *options, source.root.as_uri(), str(place), cwd=place.parent)
    return Project(place)


async def refusal(job: Job) -> AgentFailure:
    with pytest.raises(AgentFailure) as caught:
        await Bisect().run(job, lambda _event: None)
    return caught.value


async def test_in_a_partial_clone_it_says_what_is_missing_and_how_to_get_it(
    source: Project,
) -> None:
    user = cloned(source, "--filter=blob:none")
    job = job_in_a_copy_of(user.root)
    before = content(job.copy)
    failure = await refusal(job)
    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "this is a partial clone" in failure.message
    assert content(job.copy) == before
    command = failure.message.partition("`git ")[2].partition("`")[0]
    user.git(*command.split())
    done = await run_agent(Bisect(), job_in_a_copy_of(user.root))
    assert "(Number 2, " in done.report.root_cause


async def test_in_a_partial_clone_that_has_the_commits_it_finds_the_culprit(
    source: Project,
) -> None:
    user = cloned(source, "--filter=blob:none")
    for number in range(6):
        user.git("checkout", "-q", f"HEAD~{number}")
        user.git("checkout", "-q", "main")
    done = await run_agent(Bisect(), job_in_a_copy_of(user.root))
    assert done.places == ["shop.py:2"]


async def test_in_a_shallow_clone_it_says_where_the_history_ends(source: Project) -> None:
    done = await run_agent(Bisect(), job_in_a_copy_of(cloned(source, "--depth=3").root))
    assert "its history ends there" in done.report.root_cause
    assert "`git fetch --unshallow`" in done.report.root_cause


async def test_a_shallow_clone_with_one_commit_is_refused(source: Project) -> None:
    failure = await refusal(job_in_a_copy_of(cloned(source, "--depth=1").root))
    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "a shallow clone with one commit" in failure.message
    assert "`git fetch --unshallow`" in failure.message


async def test_a_copy_of_a_sparse_checkout_is_given_back_as_it_was(source: Project) -> None:
    source.write("lib/deep/inside.py", "LIMIT = 1\n")
    source.write("lib/other.py", "OTHER = 1\n")
    source.commit("A library")
    source.write("docs/notes.md", "the last\n")
    source.commit("Notes")
    user = cloned(source, "--filter=blob:none", "--sparse")
    user.git("checkout", "-q", "HEAD~7")
    user.git("checkout", "-q", "main")
    for number in range(8):
        user.git("checkout", "-q", f"main~{number}")
    user.git("checkout", "-q", "main")
    user.write("lib/deep/inside.py", "LIMIT = 2\n")
    user.write("docs/new.md", "new\n")
    job = job_in_a_copy_of(user.root)
    before = content(job.copy)
    assert before == content(user.root)
    done = await run_agent(Bisect(), job)
    assert done.places == ["shop.py:2"]
    assert content(job.copy) == before
    assert users_git("status", "--porcelain", cwd=job.copy) == ""

"""Looking at runs afterwards."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from bug_lsp.session.forget import delete_run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder

from .conftest import User


@pytest.fixture
def folder(user: User) -> RunFolder:
    """A run that has ended."""
    run = user.json("debug", user.task, "--agents", "finder,failing", "--orchestrator", "digest")
    return _workspace(user).run(run["debugRunId"])


def _workspace(user: User) -> WorkspaceFolder:
    (path,) = (user.state / "workspaces").iterdir()
    return WorkspaceFolder(path)


def test_the_runs_of_a_workspace_are_listed_newest_first(user: User, folder: RunFolder):
    second = user.json("debug", user.task, "--agents", "finder", "--title", "Second")
    listed = user.run("status").stdout.splitlines()
    assert listed[0].split() == ["run", "started", "sessions", "synthesis", "title"]
    assert listed[1].startswith(second["debugRunId"])
    assert "1 of 1 completed" in listed[1]
    assert listed[2].startswith(folder.run_id)
    assert len(listed) == 3
    only = user.json("status", "--limit", "1")["runs"]
    assert [run["debugRunId"] for run in only] == [second["debugRunId"]]


def test_one_run_is_shown_with_its_failures_and_documents(user: User, folder: RunFolder):
    shown = user.run("status", folder.run_id[:13]).stdout
    assert shown.startswith("Totals are wrong  (")
    assert "synthesis delivered" in shown
    assert "no money left" in shown
    assert shown.count("document: ") == 4
    for line in shown.splitlines():
        if "document: " in line:
            assert os.path.exists(line.partition("document: ")[2])  # noqa: PTH110


def test_json_of_one_run_is_that_of_the_wire(user: User, folder: RunFolder):
    assert user.json("status", folder.run_id)["debugRunId"] == folder.run_id


def test_an_empty_workspace_says_so(user: User):
    done = user.run("status")
    assert done.returncode == 0
    assert done.stdout == f"there are no debug runs of {user.project}\n"
    assert user.json("status") == {"runs": []}


@pytest.mark.parametrize("typed", ["0123456789abcdef", "x", "../x", ""])
def test_an_unknown_run_is_one_sentence(user: User, typed):
    done = user.run("status", typed)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"bug-lsp: there is no debug run {typed!r}")
    assert done.stderr.count("\n") == 1


def test_a_deleted_run_is_gone(user: User, folder: RunFolder):
    assert delete_run(folder)
    assert user.run("status", folder.run_id).returncode == 1


def test_what_a_kill_has_left_behind_is_finished_by_looking(user: User):
    process = user.start("debug", user.task, "--agents", "blocked")
    user.ready.read_text()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (folder,) = runs.active(_workspace(user))
    (session,) = (folder.session(path.name) for path in folder.sessions.iterdir())
    owner = runs.process(session)
    assert owner is not None
    killed = psutil.Process(owner.pid)
    killed.kill()
    killed.wait(timeout=20)
    shown = user.run("status", folder.run_id).stdout
    assert "its session process was killed" in shown
    assert user.json("status", folder.run_id)["sessions"][0]["failure"]["kind"] == "lost"
    assert runs.active(_workspace(user)) == []


def test_an_orchestrator_is_started_for_a_run_that_has_ended(user: User):
    none = ("--agents", "finder,finder", "--no-orchestrate", "--orchestrator", "digest")
    assert user.run("debug", user.task, *none).returncode == 1
    run_id = user.json("status")["runs"][0]["debugRunId"]
    done = user.run("orchestrate", run_id[:8])
    assert done.returncode == 0, done.stderr
    assert "Orchestrator digest: completed" in done.stderr
    assert "By digest, " in user.task.read_text()
    again = user.run("orchestrate", run_id, "--force")
    assert again.returncode == 0
    assert len(list(user.state.glob("workspaces/*/runs/*/orchestrator*.claim"))) == 2
    assert "there is no debug run" in user.run("orchestrate", "zzz").stderr

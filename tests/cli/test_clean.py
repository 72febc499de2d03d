"""Making room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.store.layout import WorkspaceFolder

from .conftest import User


@pytest.fixture
def workspace(user: User) -> WorkspaceFolder:
    """One with two runs of one task file."""
    for _ in range(2):
        user.json("debug", user.task, "--agents", "finder")
    (path,) = (user.state / "workspaces").iterdir()
    return WorkspaceFolder(path)


def count(workspace: WorkspaceFolder) -> int:
    return len(list(workspace.runs.iterdir()))


def test_it_says_first_what_it_would_remove(user: User, workspace: WorkspaceFolder):
    done = user.run("clean", "--keep", "0", "--dry-run")
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first.startswith("would remove 1 run, 1 copy of a finished session: 0.")
    assert second == "kept 1 run: the latest of a task file (--all-finished removes these too)"
    assert count(workspace) == 2
    done = user.run("clean", "--keep", "0")
    assert done.stdout.startswith("removed 1 run, 1 copy of a finished session: 0.")
    assert count(workspace) == 1
    assert user.run("clean").stdout == "removed nothing: 0.0 MB\n"
    assert user.run("clean", "--all-finished").stdout.startswith("removed 1 run: 0.")
    assert count(workspace) == 0
    assert "there are no debug runs" in user.run("status").stdout


def test_how_many_stay_is_a_setting(user: User, workspace: WorkspaceFolder):
    user.config.write_text(f"keepRuns = 1\n{user.config.read_text()}")
    freed = user.json("clean", "--workspace", user.project, "--dry-run")
    assert (freed["runs"], freed["copies"]) == (1, 1)
    assert freed["sizeBytes"] > 1_000
    assert count(workspace) == 2


def test_all_workspaces_are_cleaned_from_anywhere(
    user: User, workspace: WorkspaceFolder, tmp_path: Path
):
    done = user.run("clean", "--all-workspaces", "--keep", "1", cwd=tmp_path)
    assert done.stdout.startswith("removed 1 run, 1 copy")
    assert count(workspace) == 1


def test_a_place_that_was_never_debugged_has_nothing_to_remove(user: User):
    for where in ([], ["--all-workspaces"]):
        done = user.run("clean", *where)
        assert (done.returncode, done.stdout) == (0, "removed nothing: 0.0 MB\n")
    assert not user.state.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--keep", "-1"],
        ["--keep", "few"],
        ["--keep", "1", "--all-finished"],
        ["--workspace", ".", "--all-workspaces"],
    ],
)
def test_bad_usage_is_one_line(user: User, wrong: list[str]):
    done = user.run("clean", *wrong)
    assert done.returncode == 2
    assert done.stderr.startswith("bug-lsp: argument --")
    assert len(done.stderr.splitlines()) == 1

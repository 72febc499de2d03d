"""A checkout of a part of the files: copies hold the same part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.workspace import copies, git
from tests.support.projects import Project, content, fingerprint, small_project
from tests.support.projects import git as users_git

from .test_capture import capture_it, copy_of
from .test_copies import more_sessions


def _in_cone_mode(project: Project) -> Project:
    project.git("sparse-checkout", "set", "shop", "tests")
    return project


def _with_a_sparse_index(project: Project) -> Project:
    project.git("sparse-checkout", "set", "--sparse-index", "shop", "tests")
    return project


def _by_patterns(project: Project) -> Project:
    project.git("sparse-checkout", "set", "--no-cone", "/*", "!/assets/", "!/docs/")
    return project


def _in_a_linked_worktree(project: Project) -> Project:
    project.git("worktree", "add", "-q", str(project.root.parent / "linked"), "-b", "side")
    linked = _in_cone_mode(Project(project.root.parent / "linked"))
    project.remember()
    return linked


def _in_a_partial_clone(project: Project) -> Project:
    project.git("config", "uploadpack.allowFilter", "true")
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    place, cloned = project.root.parent / "partial", project.root.as_uri()
    users_git("clone", "-q", "--filter=blob:none", "--sparse", cloned, str(place), cwd=place.parent)
    return _in_cone_mode(Project(place))


Make = Callable[[Project], Project]
ways = pytest.mark.parametrize(
    "make",
    [
        _in_cone_mode,
        _with_a_sparse_index,
        _by_patterns,
        _in_a_linked_worktree,
        _in_a_partial_clone,
    ],
)


@pytest.fixture
def whole(project: Project) -> Project:
    """A project with two folders that a sparse checkout leaves out."""
    project.write("assets/big.bin", b"\0" * 10_000)
    project.write("assets/inner/small.bin", b"\1")
    project.write("docs/guide.md", "# Guide\n")
    project.commit("With assets")
    return project


@ways
def test_a_copy_holds_what_is_checked_out_and_no_more(whole: Project, make: Make) -> None:
    sparse = make(whole)
    before = fingerprint(sparse.root)
    copy = copy_of(sparse.root)
    assert "assets/big.bin" not in content(copy)
    assert content(copy) == content(sparse.root)
    assert users_git("status", "--porcelain", cwd=copy) == ""
    assert fingerprint(sparse.root) == before


@ways
def test_files_outside_of_the_part_are_in_the_copies_if_they_are_there(
    whole: Project, make: Make
) -> None:
    sparse = make(whole)
    sparse.write("assets/new.py", "new = 1\n")
    sparse.write("docs/guide.md", "# Another guide\n")
    sparse.write("shop/tax.py", "changed = 1\n")
    session, base = capture_it(sparse.root)
    copy = copies.make(session, base)
    assert content(copy) == content(sparse.root)
    assert users_git("status", "--porcelain", cwd=copy) == ""
    assert copies.diff(copy, base, session.index) == b""


@ways
@pytest.mark.parametrize("with_index", [True, False], ids=["its index", "no index"])
def test_what_an_agent_makes_outside_of_the_part_is_in_its_patch(
    whole: Project, make: Make, with_index: bool
) -> None:
    session, base = capture_it(make(whole).root)
    copy = copies.make(session, base)
    (copy / "assets/inner").mkdir(parents=True)
    (copy / "assets/made.py").write_text("made = 1\n")
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    patch = copies.diff(copy, base, session.index if with_index else None)
    assert b"+made = 1" in patch
    assert b"+fixed = 1" in patch
    assert patch.count(b"diff --git") == 2


@ways
def test_an_agent_that_writes_where_a_file_was_not_checked_out_has_a_patch(
    whole: Project, make: Make
) -> None:
    session, base = capture_it(make(whole).root)
    copy = copies.make(session, base)
    (copy / "docs").mkdir()
    (copy / "docs/guide.md").write_text("# Mine\n")
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    patch = copies.diff(copy, base, session.index)
    assert b"+fixed = 1" in patch
    # Without the content that was there nobody can say what was changed of it.
    assert (b"+# Mine" in patch) is (make is not _in_a_partial_clone)


@ways
def test_another_commit_in_a_copy_is_checked_out_in_the_same_part(
    whole: Project, make: Make
) -> None:
    sparse = make(whole)
    sparse.write("shop/tax.py", "changed = 1\n")
    copy = copy_of(sparse.root)
    users_git("checkout", "-q", "HEAD~1", cwd=copy)
    assert not (copy / "assets/big.bin").exists()
    assert (copy / "shop/tax.py").read_text() != "changed = 1\n"


def test_a_sparse_submodule_is_captured_as_what_is_on_disk(whole: Project, tmp_path: Path) -> None:
    user = small_project(tmp_path / "user")
    user.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(whole.root), "sub")
    user.git("-C", "sub", "sparse-checkout", "set", "shop")
    user.write("sub/assets/new.py", "new = 1\n")
    assert content(copy_of(user.root)) == content(user.root)


def test_what_is_kept_of_a_sparse_checkout_goes_with_its_run(whole: Project) -> None:
    from bug_lsp.store.layout import WorkspaceFolder
    from bug_lsp.workspace import capture

    _in_cone_mode(whole)
    _, first = capture_it(whole.root)
    session, second = capture_it(whole.root)
    repository = Path(first.repository)
    folder = WorkspaceFolder.of(whole.root)
    git.run("update-ref", "-d", f"refs/bug-lsp/{first.run_id}", cwd=repository)
    _, third = capture_it(whole.root)
    kept = {path.name for path in (repository / "sparse-checkouts").iterdir()}
    assert kept == {second.run_id, third.run_id}
    capture.release(folder, third.run_id)
    kept = {path.name for path in (repository / "sparse-checkouts").iterdir()}
    assert kept == {second.run_id}
    copies.make(more_sessions(session, 1)[0], second)

"""The user's exact working state, captured without touching anything of theirs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.ids import new_run_id, new_session_id
from bug_lsp.domain.run import Base
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import SessionFolder, WorkspaceFolder
from bug_lsp.workspace import capture, copies, git, limits
from tests.support.projects import (
    Project,
    content,
    empty_project,
    fingerprint,
    in_every_state,
    small_project,
)
from tests.support.projects import git as users_git

IGNORED = {"secret.log", "build/out.bin"}


def capture_it(workspace: Path) -> tuple[SessionFolder, Base]:
    """The state of the workspace, and a session to copy it to."""
    folder = WorkspaceFolder.of(workspace).create()
    run_id = new_run_id(0)
    base = capture.capture(folder, workspace, run_id)
    session = folder.run(run_id).session(new_session_id())
    make_private(session.path)
    return session, base


def copy_of(workspace: Path) -> Path:
    """A copy of what was captured."""
    return copies.make(*capture_it(workspace))


def test_the_copy_is_what_the_user_has_without_what_is_ignored(project: Project) -> None:
    in_every_state(project)
    expected = {name: seen for name, seen in content(project.root).items() if name not in IGNORED}
    copy = copy_of(project.root)
    assert content(copy) == expected
    assert "README.md" not in expected
    assert expected["both.py"] == ("file", b"both = 2\n")
    assert expected["tool.sh"][0] == "program"
    assert expected["link"] == ("link", b"shop/tax.py")


def test_nothing_of_the_users_changes_by_a_byte(project: Project) -> None:
    in_every_state(project)
    project.git("stash", "push", "-q", "-m", "kept", "--", "staged.py")
    project.write("racy.py", "x = 1\n")
    before = fingerprint(project.root)
    copies.make(*capture_it(project.root))
    assert fingerprint(project.root) == before


def test_the_snapshot_is_one_commit_on_top_of_the_users_head(project: Project) -> None:
    head = project.git("rev-parse", "HEAD")
    in_every_state(project)
    _, base = capture_it(project.root)
    assert base.head == head
    repository = Path(base.repository)
    assert git.text("rev-parse", f"{base.commit}^", cwd=repository) == head
    assert git.text("log", "--format=%s", base.commit, cwd=repository).splitlines()[1] == "The shop"


def test_the_copy_is_clean_and_has_the_history(project: Project) -> None:
    in_every_state(project)
    copy = copy_of(project.root)
    assert users_git("status", "--porcelain", cwd=copy) == ""
    assert users_git("log", "--format=%s", cwd=copy).splitlines()[-1] == "The shop"
    assert users_git("branch", "--show-current", cwd=copy) == "main"
    assert users_git("rev-list", "--count", "main..HEAD", cwd=copy) == "0"


def test_the_copy_has_the_tags_and_branches_of_the_checkout(project: Project) -> None:
    project.git("tag", "v1.0")
    project.git("branch", "feature/one")
    project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    copy = copy_of(project.root)
    assert users_git("tag", cwd=copy) == "v1.0"
    assert users_git("rev-parse", "feature/one", "origin/main", "v1.0", cwd=copy) == "\n".join(
        [project.git("rev-parse", "HEAD")] * 3
    )
    project.git("checkout", "-q", "--detach")
    assert users_git("branch", "--show-current", cwd=copy_of(project.root)) == ""


def test_a_merge_in_conflict_is_captured_as_the_files_are(project: Project) -> None:
    project.git("checkout", "-q", "-b", "other")
    project.write("shop/tax.py", "theirs\n")
    project.commit()
    project.git("checkout", "-q", "main")
    project.write("shop/tax.py", "ours\n")
    project.commit()
    with pytest.raises(Exception, match="merge"):
        project.git("merge", "other")
    assert b"<<<<<<<" in content(copy_of(project.root))["shop/tax.py"][1]


def test_a_file_only_announced_to_git_is_captured(project: Project) -> None:
    project.write("later.py", "later = 1\n")
    project.git("add", "-N", "later.py")
    assert content(copy_of(project.root))["later.py"] == ("file", b"later = 1\n")


LINE_ENDS = {"unix.txt": b"a\nb\n", "windows.txt": b"a\r\nb\r\n", "mixed.txt": b"a\r\nb\n"}


@pytest.mark.parametrize(
    "settings",
    [{}, {"core.autocrlf": "false"}, {"core.safecrlf": "true"}],
    ids=["by default", "without conversion", "with safecrlf"],
)
def test_line_ends_stay_as_they_are(project: Project, settings: dict[str, str]) -> None:
    for key, value in settings.items():
        project.git("config", key, value)
    for name, data in LINE_ENDS.items():
        project.write(name, data)
    copy = content(copy_of(project.root))
    assert {name: copy[name][1] for name in LINE_ENDS} == LINE_ENDS


def test_with_autocrlf_a_checkout_gives_the_line_ends_that_the_user_has(project: Project) -> None:
    project.git("config", "core.autocrlf", "true")
    project.git("config", "core.safecrlf", "true")
    project.write("windows.txt", LINE_ENDS["windows.txt"])
    project.write("binary.bin", b"a\r\n\0\n")
    copy = content(copy_of(project.root))
    assert copy["windows.txt"][1] == LINE_ENDS["windows.txt"]
    assert copy["binary.bin"][1] == b"a\r\n\0\n"
    project.git("config", "--unset", "core.autocrlf")
    project.write("unix.txt", b"a\n")
    assert content(copy_of(project.root))["unix.txt"][1] == b"a\n"


def test_names_of_any_bytes_are_captured(project: Project) -> None:
    names = [b"caf\xe9.py", "né 🐞.py".encode(), b'quo"te', b"tab\there", b"-dash", b" space "]
    for name in names:
        (project.root / os.fsdecode(name)).write_bytes(name)
    project.remember()
    copy = content(copy_of(project.root))
    for name in names:
        assert copy[os.fsdecode(name)] == ("file", name)


@pytest.mark.parametrize("name", ["a:b", "with space ", "quo'te", "naïve", "[x]", "-rf"])
def test_a_workspace_of_any_name_is_captured(tmp_path: Path, name: str) -> None:
    project = small_project(tmp_path / name)
    inner = empty_project(project.root / "inner")
    inner.write("in.py", "x\n")
    inner.commit()
    copy = copy_of(project.root)
    assert copy.name == name
    assert content(copy) == content(project.root)


def with_submodule(project: Project) -> Project:
    """Adds a submodule at `libs/sub`; returns it."""
    library = empty_project(project.root.parent / "library")
    library.write("lib.py", "lib = 1\n")
    library.commit()
    project.git(
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(library.root),
        "libs/sub",
    )
    project.commit("With a library")
    return Project(project.root / "libs/sub")


def test_a_dirty_submodule_is_captured_as_it_is(project: Project) -> None:
    submodule = with_submodule(project)
    submodule.write("lib.py", "lib = 2\n")
    submodule.write("new.py", "new\n")
    project.remember()
    assert content(copy_of(project.root)) == content(project.root)


def test_a_submodule_that_is_not_checked_out_is_no_problem(project: Project) -> None:
    with_submodule(project)
    project.git("submodule", "--quiet", "deinit", "-f", "libs/sub")
    copy = copy_of(project.root)
    assert "libs/sub/lib.py" not in content(copy)
    assert content(copy) == content(project.root)


def _committed(project: Project) -> None:
    project.commit()


@pytest.mark.parametrize("finish", [_committed, lambda _: None], ids=["with", "without a commit"])
def test_a_repository_inside_is_captured_as_files(
    project: Project, finish: Callable[[Project], None]
) -> None:
    inner = empty_project(project.root / "vendor/inner")
    inner.write("in.py", "x = 1\n")
    finish(inner)
    project.remember()
    assert content(copy_of(project.root)) == content(project.root)


def test_a_linked_worktree_is_captured_with_its_own_state(project: Project, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    project.git("worktree", "add", "-q", str(linked), "-b", "side")
    (linked / "side.py").write_text("side = 1\n")
    users_git("add", "side.py", cwd=linked)
    (linked / "side.py").write_text("side = 2\n")
    before = fingerprint(linked)
    session, base = capture_it(linked)
    assert content(copies.make(session, base)) == content(linked)
    assert fingerprint(linked) == before
    assert base.head == project.git("rev-parse", "side")


def test_a_folder_of_a_repository_is_copied_with_the_whole_repository(project: Project) -> None:
    session, base = capture_it(project.root / "shop")
    assert (base.name, base.prefix) == ("shop", "shop")
    copy = copies.make(session, base)
    assert (copy / base.prefix / "tax.py").exists()
    assert (copy / "tests/test_tax.py").exists()


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    project = empty_project(tmp_path / "new")
    project.write("a.py", "x = 1\n")
    project.git("add", "a.py")
    project.write("b.py", "y = 1\n")
    session, base = capture_it(project.root)
    assert base.head is None
    assert content(copies.make(session, base)) == content(project.root)


def test_a_folder_without_git_is_copied(tmp_path: Path) -> None:
    plain = Project(tmp_path / "plain")
    plain.write("a/b.py", "x = 1\n")
    plain.write("run.sh", "#!/bin/sh\n", mode=0o755)
    session, base = capture_it(plain.root)
    assert base.head is None
    assert content(copies.make(session, base)) == content(plain.root)
    assert plain.changed_behind_the_test() == {}


def test_a_repository_in_a_folder_without_git_is_copied_as_files(tmp_path: Path) -> None:
    plain = Project(tmp_path / "plain")
    plain.write("a.py", "x = 1\n")
    inner = empty_project(plain.root / "lib/inner")
    inner.write("in.py", "x = 1\n")
    inner.commit()
    inner.write("in.py", "x = 2\n")
    assert content(copy_of(plain.root)) == content(plain.root)


@pytest.mark.parametrize(
    ("limit", "value"), [("COPY_LIMIT_FILES", 3), ("COPY_LIMIT_BYTES", 30)], ids=["files", "bytes"]
)
def test_a_folder_without_git_that_is_too_large_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    plain = Project(tmp_path / "plain")
    for number in range(5):
        plain.write(f"{number}.txt", "ten bytes\n")
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(Refused, match=r"too large to copy .* run `git init` in it") as refused:
        capture_it(plain.root)
    assert "\n" not in refused.value.message


def test_a_shallow_clone_is_captured_and_later_its_whole_history(
    project: Project, tmp_path: Path
) -> None:
    project.commit("Second")
    shallow = Project(tmp_path / "shallow")
    source = project.root.as_uri()
    users_git("clone", "-q", "--depth=1", source, str(shallow.root), cwd=tmp_path)
    shallow.write("new.py", "x = 1\n")
    copy = copy_of(shallow.root)
    assert content(copy) == content(shallow.root)
    assert users_git("log", "--format=%s", cwd=copy).splitlines()[1:] == ["Second"]
    shallow.git("fetch", "-q", "--unshallow")
    copy = copy_of(shallow.root)
    assert users_git("log", "--format=%s", cwd=copy).splitlines()[1:] == ["Second", "The shop"]


def test_a_split_index_of_the_users_stays_as_it_is(project: Project) -> None:
    project.git("config", "core.splitIndex", "true")
    project.git("update-index", "--split-index")
    in_every_state(project)
    assert content(copy_of(project.root)) == {
        name: seen for name, seen in content(project.root).items() if name not in IGNORED
    }


def test_hooks_and_monitors_of_the_users_are_not_run(project: Project) -> None:
    trap = project.root.parent / "trap"
    hook = project.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {trap}\n", mode=0o755)
    project.write(".git/hooks/post-index-change", hook.read_text(), mode=0o755)
    project.git("config", "core.fsmonitor", str(hook))
    copy_of(project.root)
    assert not trap.exists()


def test_a_repository_that_git_does_not_trust_is_refused_not_copied_whole(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(".git/config", "[core\n")
    with pytest.raises(Refused, match="bad config") as refused:
        capture_it(project.root)
    assert "\n" not in refused.value.message


def test_captures_of_one_workspace_at_once_do_not_disturb_each_other(project: Project) -> None:
    from concurrent.futures import ThreadPoolExecutor

    in_every_state(project)
    with ThreadPoolExecutor(4) as pool:
        bases = [base for _, base in pool.map(capture_it, [project.root] * 8)]
    trees = {
        git.text("rev-parse", f"{base.commit}^{{tree}}", cwd=Path(base.repository))
        for base in bases
    }
    assert len(trees) == 1

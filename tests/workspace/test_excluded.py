"""What is not the project's code stays out of copies and patches."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import copies, git, limits
from tests.support.projects import Project, content
from tests.support.projects import git as users_git

from .test_capture import capture_it, copy_of


def _in_info_exclude(project: Project) -> None:
    project.write(".git/info/exclude", "out/\n")


def _in_a_file_that_the_repository_names(project: Project) -> None:
    project.write("../mine.ignore", "out/\n")
    project.git("config", "core.excludesFile", str(project.root.parent / "mine.ignore"))


@pytest.mark.parametrize("name_it", [_in_info_exclude, _in_a_file_that_the_repository_names])
def test_what_the_user_excludes_is_not_in_patches(project: Project, name_it, monkeypatch) -> None:
    name_it(project)
    project.write("out/mine.o", "mine\n")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert not (copy / "out").exists()
    (copy / "out").mkdir()
    (copy / "out/large.o").write_bytes(os.urandom(2000))
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    monkeypatch.setattr(copies, "MAX_PATCH_BYTES", 1000)
    monkeypatch.setattr(limits, "MAX_NEW_BYTES", 1000)
    patch = copies.diff(copy, base, session.index)
    assert patch.count(b"diff --git") == 1
    assert users_git("status", "--porcelain", cwd=copy) == "M shop/tax.py".rjust(14)


def test_what_the_user_no_longer_excludes_is_in_patches_again(project: Project) -> None:
    _in_info_exclude(project)
    capture_it(project.root)
    project.write(".git/info/exclude", "")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    (copy / "out").mkdir()
    (copy / "out/new.py").write_text("new = 1\n")
    assert b"+new = 1" in copies.diff(copy, base, session.index)


def test_what_was_brought_into_a_copy_is_not_in_its_patch(project: Project) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    for name in ("brought.py", "lent/inner/a.py", "lent/b.py", "beside/kept.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("brought = 1\n")
    (copy / "shop/tax.py").write_text("brought over what was there\n")
    (copy / ".gitignore").write_text("")
    several = [f"file-{number}" for number in range(5000)]
    exclude = ["brought.py", "lent", "shop/tax.py", *several]
    patch = copies.diff(copy, base, session.index, exclude=exclude)
    assert patch.count(b"diff --git") == 2
    assert b"b/beside/kept.py" in patch
    assert b"b/.gitignore" in patch


DEPENDENCIES = {
    ".venv": ("pyvenv.cfg", "lib/python3/site-packages/conf/__init__.py", "bin/python"),
    "web/node_modules": ("left-pad/index.js", "left-pad/node_modules/deep/index.js"),
    "envs/conda": ("conda-meta/history", "lib/libc.so"),
}


def with_dependencies(root: Path) -> None:
    """Install something of each kind."""
    for folder, names in DEPENDENCIES.items():
        for name in names:
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (root / folder / name).write_text("installed\n")


def test_folders_of_dependencies_are_named_and_not_captured(project: Project) -> None:
    expected = content(project.root)
    with_dependencies(project.root)
    project.write("web/app.js", "app\n")
    session, base = capture_it(project.root)
    assert base.dependencies == (".venv", "envs/conda", "web/node_modules")
    assert content(copies.make(session, base)) == {**expected, "web/app.js": ("file", b"app\n")}


def test_folders_of_dependencies_that_are_committed_or_ignored_are_not_named(
    project: Project,
) -> None:
    with_dependencies(project.root)
    project.write(".gitignore", "*.log\nbuild/\n/envs/\n")
    project.commit("With all that is installed")
    project.write(".venv/more.py", "more = 1\n")
    session, base = capture_it(project.root)
    assert base.dependencies == ()
    copy = content(copies.make(session, base))
    assert copy[".venv/more.py"] == ("file", b"more = 1\n")
    assert "web/node_modules/left-pad/index.js" in copy
    assert "envs/conda/lib/libc.so" not in copy


def test_dependencies_that_an_agent_installs_are_not_in_its_patch(project: Project) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    with_dependencies(copy)
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    assert copies.diff(copy, base, session.index).count(b"diff --git") == 1


def test_dependencies_in_a_folder_without_git_are_not_copied(tmp_path: Path) -> None:
    plain = Project(tmp_path / "plain")
    plain.write("a.py", "x = 1\n")
    with_dependencies(plain.root)
    session, base = capture_it(plain.root)
    assert base.dependencies == (".venv", "envs/conda", "web/node_modules")
    assert content(copies.make(session, base)) == {"a.py": ("file", b"x = 1\n")}


@pytest.mark.parametrize(
    ("limit", "value"), [("NEW_LIMIT_FILES", 20), ("NEW_LIMIT_BYTES", 200)], ids=["files", "bytes"]
)
def test_too_much_that_git_does_not_know_is_refused_with_a_way_out(
    project: Project, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    for number in range(30):
        project.write(f"data/{number}.txt", "ten bytes\n")
    project.write("note.txt", "one more\n")
    monkeypatch.setattr(limits, limit, value)
    with pytest.raises(Refused, match=r"most of them in data\); name what is not code") as refused:
        capture_it(project.root)
    assert "\n" not in refused.value.message
    kept = WorkspaceFolder.of(project.root).repository
    assert git.text("count-objects", cwd=kept).startswith("0 objects")
    project.write(".gitignore", "data/\n")
    assert "note.txt" in content(copy_of(project.root))

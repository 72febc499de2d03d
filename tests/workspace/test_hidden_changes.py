"""What counts is what is on disk, whatever git was told to overlook."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bug_lsp.domain.run import Base
from bug_lsp.workspace import copies
from tests.support.projects import Project, content, fingerprint
from tests.support.projects import git as users_git

from .test_capture import capture_it, copy_of

FLAGS = ["--skip-worktree", "--assume-unchanged"]


@pytest.mark.parametrize("flag", FLAGS)
def test_an_edit_that_git_was_told_to_overlook_is_in_the_copies(
    project: Project, flag: str
) -> None:
    project.git("update-index", flag, "shop/tax.py", "README.md")
    project.write("shop/tax.py", "edited = 1\n")
    (project.root / "README.md").unlink()
    before = fingerprint(project.root)
    copy = copy_of(project.root)
    assert content(copy)["shop/tax.py"] == ("file", b"edited = 1\n")
    assert content(copy) == content(project.root)
    assert fingerprint(project.root) == before
    project.remember()


@pytest.mark.parametrize("flag", FLAGS)
def test_an_edit_that_an_agent_hides_from_git_is_in_its_patch(project: Project, flag: str) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    users_git("update-index", flag, "shop/tax.py", cwd=copy)
    (copy / "shop/tax.py").write_text("edited = 1\n")
    assert b"+edited = 1" in copies.diff(copy, base, copy / ".git/index")


def test_settings_that_make_git_overlook_edits_do_not_hide_them(project: Project) -> None:
    project.git("config", "core.ignoreStat", "true")
    project.git("checkout", "-q", "HEAD", "--", ".")
    project.git("rm", "-q", "--cached", "shop/tax.py")
    project.git("add", "shop/tax.py")
    project.write("shop/tax.py", "edited = 1\n")
    assert content(copy_of(project.root)) == content(project.root)


def test_a_submodule_whose_repository_is_gone_is_captured_as_files(project: Project) -> None:
    head = project.git("rev-parse", "HEAD")
    for name in ("once", "file", "gone"):
        project.git("update-index", "--add", "--cacheinfo", f"160000,{head},{name}")
    project.write("once/left.py", "left = 1\n")
    project.write("file", "a file\n")
    assert content(copy_of(project.root)) == content(project.root)


def test_what_took_the_place_of_something_else_is_captured(project: Project) -> None:
    project.write("a/b.py", "b\n")
    project.write("c", "c\n")
    project.write("d/e.py", "e\n")
    project.commit()
    (project.root / "a/b.py").unlink()
    (project.root / "a").rmdir()
    project.write("a", "a file\n")
    (project.root / "c").unlink()
    project.write("c/inner.py", "inner\n")
    (project.root / "d").rename(project.root / "moved")
    (project.root / "d").symlink_to("moved")
    project.remember()
    assert content(copy_of(project.root)) == content(project.root)


def test_names_with_line_breaks_and_tabs_are_captured_and_are_in_patches(
    project: Project,
) -> None:
    for name in ("new\nline.py", "tab\there.py", 'quo"te\n\t.py', "folder\n/inner\t.py"):
        project.write(name, "one = 1\n")
    project.commit()
    project.write("new\nline.py", "two = 2\n")
    project.write("another\n.py", "three = 3\n")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    (copy / "tab\there.py").write_text("four = 4\n")
    (copy / "made\n.py").write_text("five = 5\n")
    patch = copies.diff(copy, base, session.index)
    assert patch.count(b"diff --git") == 2
    assert b"+four = 4" in patch


_PR_CAPBSET_DROP = 24
_MAY_READ_ALL = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def _as_anybody() -> None:
    """Root, in a container: give up what lets it read files that nobody may."""
    if os.geteuid() == 0:
        for capability in _MAY_READ_ALL:
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


_CAPTURE = """
import sys
from pathlib import Path
from bug_lsp.domain.ids import new_run_id
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import capture
root = Path(sys.argv[1])
print(capture.capture(WorkspaceFolder.of(root).create(), root, new_run_id(0)).to_json().decode())
"""


def test_what_the_user_may_not_read_is_left_out_and_named(project: Project) -> None:
    project.write("closed.py", "1\n")
    project.write("folder/closed.py", "1\n")
    project.write("open.py", "open = 1\n")
    project.write("shop/tax.py", "edited, but closed\n")
    closed = [project.root / name for name in ("closed.py", "shop/tax.py", "folder")]
    modes = [path.stat().st_mode for path in closed]
    for path in closed:
        path.chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", _CAPTURE, str(project.root)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_as_anybody,
    )
    for path, mode in zip(closed, modes, strict=True):
        path.chmod(mode)
    assert done.returncode == 0, done.stderr
    base = Base.model_validate_json(done.stdout)
    assert base.lacking == ("closed.py", "folder", "shop/tax.py")
    (note,) = base.notes
    assert note == (
        "closed.py, folder and shop/tax.py are not in the copies as they are on disk: you may not "
        "read them"
    )
    listed = users_git("ls-tree", "-r", "--name-only", base.commit, cwd=Path(base.repository))
    assert "open.py" in listed
    assert "closed.py" not in listed


_WRITER = """
import os, sys
path = sys.argv[1]
block = os.urandom(1 << 20)
print("started", flush=True)
while True:
    with open(path, "wb") as file:
        for _ in range(24):
            file.write(block)
"""


def test_a_file_that_is_written_all_the_time_does_not_end_the_run(project: Project) -> None:
    log = project.root / "server.out"
    log.write_bytes(b"begin")
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, log], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        for _ in range(8):
            _, base = capture_it(project.root)
            assert base.lacking in {(), ("server.out",)}
            assert len(base.notes) == len(base.lacking)
    finally:
        writer.kill()
        writer.communicate()
    project.remember()

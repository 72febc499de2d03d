"""Files whose line ends are not what attributes of git say."""

from __future__ import annotations

import pytest

from bug_lsp.workspace import copies
from tests.support.projects import Project, content
from tests.support.projects import git as users_git

from .test_capture import capture_it, copy_of

WINDOWS = b"one\r\ntwo\r\nthree\r\n"


def with_crlf_in_git(project: Project, attributes: str) -> None:
    """Commit a file with CRLF, and after it attributes that would have it converted."""
    project.write("shop/windows.py", WINDOWS)
    project.commit("From Windows")
    project.write(".gitattributes", attributes)
    project.git("add", ".gitattributes")
    project.git("commit", "-q", "-m", "Attributes")


ATTRIBUTES = ["*.py text eol=lf\n", "*.py text\n", "*.py eol=lf\n", "* text=auto eol=lf\n"]


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_a_change_of_one_line_is_a_patch_of_one_line(project: Project, attributes: str) -> None:
    with_crlf_in_git(project, attributes)
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    (copy / "shop/windows.py").write_bytes(WINDOWS.replace(b"two", b"zwei"))
    (copy / "shop/new.py").write_bytes(b"new\n")
    for kept in (session.index, None):
        patch = copies.diff(copy, base, kept)
        assert b" one\r\n-two\r\n+zwei\r\n three\r\n" in patch
        assert patch.count(b"diff --git") == 2


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_a_file_that_the_user_has_edited_keeps_its_line_ends(
    project: Project, attributes: str
) -> None:
    with_crlf_in_git(project, attributes)
    project.write("shop/windows.py", WINDOWS + b"four\r\n")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    (copy / "shop/windows.py").write_bytes(WINDOWS + b"five\r\n")
    assert copies.diff(copy, base, session.index).count(b"\n-") == 2  # and the file's name


def test_attributes_of_the_repository_alone_hold_in_copies(project: Project) -> None:
    project.write(".git/info/attributes", "*.py text eol=crlf\n")
    project.write("shop/windows.py", WINDOWS)
    project.commit("From Windows")
    assert project.git("cat-file", "-s", "HEAD:shop/windows.py") == str(len(WINDOWS) - 3)
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy)["shop/windows.py"] == ("file", WINDOWS)
    (copy / "shop/windows.py").write_bytes(WINDOWS.replace(b"two", b"zwei"))
    assert b" one\n-two\n+zwei\n three\n" in copies.diff(copy, base, session.index)
    (copy / "shop/windows.py").write_bytes(WINDOWS)
    assert users_git("status", "--porcelain", cwd=copy) == ""


def test_a_file_of_attributes_that_the_repository_names_holds_in_copies(project: Project) -> None:
    project.write("../mine.attributes", "*.py text eol=crlf\n")
    project.git("config", "core.attributesFile", str(project.root.parent / "mine.attributes"))
    project.write("shop/windows.py", WINDOWS)
    project.commit("From Windows")
    assert content(copy_of(project.root))["shop/windows.py"] == ("file", WINDOWS)

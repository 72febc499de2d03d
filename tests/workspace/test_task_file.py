"""The task file on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.region import Edit
from bug_lsp.domain.task import MAX_TASK_BYTES
from bug_lsp.workspace import task_file

CHANGE = Edit(0, 1, "X")


@pytest.fixture
def task(tmp_path: Path) -> Path:
    path = tmp_path / "bug.md"
    path.write_bytes("# Bug\r\n\ufeff é".encode())
    return path


def test_every_byte_is_read_as_it_stands(task: Path) -> None:
    task.write_bytes(b"\xef\xbb\xbf# Bug\r\nx\n\rend\x0c\xc2\x85")
    assert task_file.read(task, "f").encode() == task.read_bytes()


def test_the_largest_file_that_is_allowed_is_read(task: Path) -> None:
    task.write_bytes(b"#" * MAX_TASK_BYTES)
    assert len(task_file.read(task, "f")) == MAX_TASK_BYTES
    task.write_bytes(b"#" * (MAX_TASK_BYTES + 1))
    with pytest.raises(BadInput, match="keep the report short"):
        task_file.read(task, "f")


def test_a_link_inside_the_workspace_is_followed(task: Path) -> None:
    link = task.with_name("link.md")
    link.symlink_to(task)
    assert task_file.resolve(link, task.parent, "f") == task


def test_an_edit_is_made_and_the_mode_is_kept(task: Path) -> None:
    task.chmod(0o604)
    assert task_file.edit(task, CHANGE, task.read_bytes().decode())
    assert task.read_bytes() == "X Bug\r\n\ufeff é".encode()
    assert task.stat().st_mode & 0o777 == 0o604
    assert [path.name for path in task.parent.glob("*bug*")] == ["bug.md"]


def test_an_edit_of_a_text_that_is_another_by_now_is_not_made(task: Path) -> None:
    before = task.read_bytes()
    assert not task_file.edit(task, CHANGE, "# Bug\n")
    assert task.read_bytes() == before
    assert task_file.edit(task, None, before.decode())
    assert task.read_bytes() == before


@pytest.mark.fault(16)
def test_an_edit_is_not_made_when_the_file_is_saved_while_it_is_written(
    task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = task.read_bytes().decode()

    def saved_meanwhile(_descriptor: int) -> None:
        task.write_text("saved by an editor")

    monkeypatch.setattr(os, "fsync", saved_meanwhile)
    assert not task_file.edit(task, CHANGE, expected)
    assert task.read_text() == "saved by an editor"
    assert len(list(task.parent.glob("*bug*"))) == 1


def test_what_a_killed_writer_left_is_not_in_the_way(task: Path) -> None:
    task.with_name(".bug.md.bug-lsp").write_text("half")
    assert task_file.edit(task, CHANGE, task.read_bytes().decode())


def test_an_edit_of_a_file_that_is_gone_is_an_error_of_the_system(task: Path) -> None:
    task.unlink()
    with pytest.raises(FileNotFoundError):
        task_file.edit(task, CHANGE, "# Bug\n")


def test_tasks_of_the_same_title_get_numbers(tmp_path: Path) -> None:
    names = [task_file.create(tmp_path, "a/b", "Größe: 5?", "") for _ in range(3)]
    assert [path.relative_to(tmp_path).as_posix() for path in names] == [
        "a/b/größe-5.md",
        "a/b/größe-5-2.md",
        "a/b/größe-5-3.md",
    ]
    assert names[0].read_text() == "# Größe: 5?\n"


def test_a_title_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    made = task_file.create(tmp_path, "tasks", "../../etc/passwd\0", "")
    assert made == tmp_path / "tasks/etc-passwd.md"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks").write_text("a file")
    with pytest.raises(Refused, match=r"could not be written in .*tasks: .*; nothing was started"):
        task_file.create(tmp_path, "tasks", "x", "")


def test_other_tasks_are_those_that_can_be_read(task: Path) -> None:
    folder = task.parent
    (folder / "good.md").write_text("# Good\n")
    (folder / "bad.md").write_bytes(b"\xff")
    (folder / "folder.md").mkdir()
    (folder / "other.txt").write_text("# No\n")
    os.mkfifo(folder / "pipe.md")
    assert task_file.others(folder, task) == [("good.md", "# Good\n")]

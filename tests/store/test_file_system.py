"""A state folder in which a run could not be kept is refused before anything is started."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.store.guard import check_file_system


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir()
    return made


def test_an_ordinary_file_system_will_do_and_nothing_is_left(folder: Path) -> None:
    check_file_system(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "number", "lacking"),
    [
        ("mkfifo", errno.EPERM, "named pipes"),
        ("mkfifo", errno.EOPNOTSUPP, "named pipes"),
        ("link", errno.EPERM, "links"),
    ],
)
def test_what_it_lacks_is_named_with_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, lacking: str
) -> None:
    """No such file system can be mounted where tests run, so its answer is put in."""

    def refuse(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(Refused) as caught:
        check_file_system(folder)
    assert f"is on a file system without {lacking}; set BUG_LSP_STATE_DIR" in str(caught.value)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_not_taken_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "mkfifo", refuse)
    with pytest.raises(OSError, match="No space"):
        check_file_system(folder)

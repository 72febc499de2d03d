"""What folders take of the disk."""

from __future__ import annotations

import resource
from pathlib import Path

from bug_lsp.store.usage import Usage, taken


def test_what_is_taken_is_counted_once_and_holes_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "copy" / "deep"
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"x" * 100_000)
    (folder / "twin").hardlink_to(folder / "data")
    (folder / "link").symlink_to(tmp_path)
    with (folder / "hole").open("wb") as hole:
        hole.truncate(1_000_000_000)
    used = taken([tmp_path / "copy", tmp_path / "none"])
    assert used.files == 3
    assert 100_000 <= used.size_bytes < 100_000 + 4 * resource.getpagesize()


def test_without_time_left_it_says_that_there_is_more(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"x")
    assert taken([tmp_path], until=0) == Usage(whole=False)
    assert taken([]) == Usage()

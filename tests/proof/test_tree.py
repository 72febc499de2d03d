"""A folder that is brought back, whatever was done to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bug_lsp.proof.tree import Kept, Spoilt, Tree, twin
from bug_lsp.store.files import remove
from tests.support.projects import fingerprint

FILES = ["a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.txt", ".git/config", "link", "empty"]
NAMES = st.sampled_from([*FILES, "b", "b/d", ".git", "new", "b/new", "b/d/new/deep"])


def make(folder: Path) -> Tree:
    root = folder / "root"
    for name in FILES[:-2]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link").symlink_to("a.txt")
    (root / "empty").mkdir()
    (root / "a.txt").chmod(0o755)
    twin(root, folder / "pristine")
    return Tree(root, folder / "pristine")


def write(path: Path) -> None:
    if path.parent.is_dir() and not path.is_dir():
        path.write_text("changed")


def same_size_and_time(path: Path) -> None:
    if path.is_file() and not path.is_symlink():
        info = path.stat()
        path.write_bytes(path.read_bytes()[::-1])
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def folder_instead(path: Path) -> None:
    remove(path)
    path.mkdir(parents=True, exist_ok=True)
    (path / "inside").write_text("x")


def link_instead(path: Path) -> None:
    if path.parent.is_dir():
        remove(path)
        path.symlink_to("/etc")


def no_entry(path: Path) -> None:
    if path.exists() and not path.is_symlink():
        path.chmod(0)


CHANGES = st.sampled_from(
    [write, remove, same_size_and_time, folder_instead, link_instead, no_entry]
)


@given(changes=st.lists(st.tuples(CHANGES, NAMES), max_size=8))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_done_to_it_the_folder_comes_back(tmp_path, changes) -> None:
    shutil.rmtree(tmp_path / "it", ignore_errors=True)
    (tmp_path / "it").mkdir()
    tree = make(tmp_path / "it")
    before = fingerprint(tree.root)
    for _ in range(2):
        for change, name in changes:
            path = tree.root / name
            if not any(parent.is_symlink() for parent in path.parents):
                try:
                    change(path)
                except OSError:
                    continue  # what it is about is gone already
        tree.restore()
        assert fingerprint(tree.root) == before


def test_what_we_put_there_and_took_away_comes_back_too(tmp_path) -> None:
    tree = make(tmp_path)
    before = fingerprint(tree.root)
    other = tmp_path / "other"
    other.write_text("A.TXT")
    tree.put("a.txt", Kept.of(other))
    tree.put("new/deep/file", Kept.of(other))
    tree.take_away("b/d/e.txt")
    tree.take_away("b/d/f.txt")
    assert not (tree.root / "b" / "d").exists()
    assert (tree.root / "new/deep/file").read_text() == "A.TXT"
    tree.restore()
    assert fingerprint(tree.root) == before


def test_nothing_is_put_through_a_link(tmp_path) -> None:
    tree = make(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree.root / "b" / "out").symlink_to(outside)
    source = tmp_path / "source"
    source.write_text("x")
    with pytest.raises(Spoilt, match="b/out is a link"):
        tree.put("b/out/file", Kept.of(source))
    tree.put("link", Kept.of(source))  # the link is replaced, not followed
    assert (tree.root / "a.txt").read_text() == "a.txt"
    assert list(outside.iterdir()) == []


def test_a_twin_that_was_written_is_not_taken_from(tmp_path) -> None:
    tree = make(tmp_path)
    for root in ("root", "pristine"):
        (tmp_path / root / "a.txt").write_text("evil")
    with pytest.raises(Spoilt, match=r"the twin of a\.txt was written"):
        tree.restore()


def test_another_folder_in_its_place_is_seen(tmp_path) -> None:
    tree = make(tmp_path)
    tree.root.rename(tmp_path / "away")
    tree.root.symlink_to(tmp_path / "away")
    with pytest.raises(Spoilt, match="another folder"):
        tree.restore()
    tree.root.unlink()
    with pytest.raises(Spoilt):
        tree.restore()


def test_a_file_of_ours_that_was_written_is_not_put(tmp_path) -> None:
    tree = make(tmp_path)
    source = tmp_path / "source"
    source.write_text("x")
    kept = Kept.of(source)
    source.write_text("y")
    with pytest.raises(Spoilt, match="what was kept of source was written"):
        tree.put("a.txt", kept)

"""Files that git does not keep as they are on disk: those of Git LFS, and those of programs that
the repository names, which are not run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from bug_lsp.store.files import make_private

from . import git
from .blobs import find_pointers, find_sizes
from .lfs_filter import find_content, hash_of
from .notes import Lack
from .repository import Repository
from .staging import put_again

_NONE = {"unspecified", "unset", "set", ""}


def capture_filtered(root: Path, env: git.Settled, ours: Repository) -> dict[str, Lack]:
    """Have what is on disk of such files in the index, or where it is found. Returns why some are
    lacking, by path.
    """
    entries = _entries(root, env)
    lfs: dict[str, str] = {}
    as_they_are: dict[str, str] = {}
    for path, name in _filters(root, env, entries).items():
        if name == "lfs":
            lfs[path] = entries[path]
        elif not env.runs_filter(name) and os.path.lexists(root / path):
            as_they_are[path] = entries[path]
    lacking = put_again(root, env, as_they_are) if as_they_are else {}
    return lacking | _lfs(root, env, lfs, ours)


def _entries(root: Path, env: git.Settled) -> dict[str, str]:
    """The files in the index that are checked out."""
    found: dict[str, str] = {}
    for entry in git.paths(git.run("ls-files", "-s", "-t", "-z", cwd=root, env=env)):
        facts, _, path = entry.partition("\t")
        tag, _, about = facts.partition(" ")
        if tag == "H" and about.startswith("100"):
            found[path] = about
    return found


def _filters(root: Path, env: git.Settled, names: Iterable[str]) -> dict[str, str]:
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    told = git.run("check-attr", "-z", "--stdin", "filter", cwd=root, env=env, stdin=asked)
    parts = git.paths(told)
    pairs = zip(parts[::3], parts[2::3], strict=True)
    return {path: name for path, name in pairs if name not in _NONE}


def _lfs(
    root: Path, env: git.Settled, entries: Mapping[str, str], ours: Repository
) -> dict[str, Lack]:
    """See to it that the contents are in a store."""
    if not entries:
        return {}
    stores = ours.lfs_stores()
    lacking: dict[str, Lack] = {}
    blobs = {path: entry.split(" ")[1] for path, entry in entries.items()}
    pointers = find_pointers(find_sizes(set(blobs.values()), root, env), root, env)
    for path, blob in blobs.items():
        if blob not in pointers:
            continue
        oid, size = pointers[blob]
        if find_content(oid, stores) is None and not _stored(root / path, oid, size, ours):
            lacking[path] = Lack.NO_CONTENT
    return lacking


def _stored(path: Path, oid: str, size: int, ours: Repository) -> bool:
    """Whether the checkout itself has the content; then it is kept."""
    try:
        if path.is_symlink() or path.stat().st_size != size:
            return False
        place = ours.lfs_store / oid[:2] / oid[2:4] / oid
        make_private(place.parent)
        half = place.with_suffix(".half")
        shutil.copyfile(path, half)
        with half.open("rb") as file:
            if hash_of(file)[0] != oid:
                half.unlink()
                return False
        half.rename(place)
    except OSError:
        return False
    return True

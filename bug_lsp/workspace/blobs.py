"""What is in a repository under the names of blobs: sizes, and pointers of Git LFS."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from bug_lsp.domain.run import Base

from . import git
from .lfs_filter import MOST_POINTER_BYTES, read_pointer
from .repository import sparse_folder

_LEAST_POINTER_BYTES = 100


def find_sizes(blobs: Iterable[str], cwd: Path, env: Mapping[str, str]) -> dict[str, int]:
    """Return the size of each blob that is there."""
    lines = _asked("--batch-check", blobs, cwd, env).decode().splitlines()
    facts = (line.split() for line in lines)
    return {name: int(size) for name, *_, size in facts if size.isdigit()}


def find_pointers(
    sizes: Mapping[str, int], cwd: Path, env: Mapping[str, str]
) -> dict[str, tuple[str, int]]:
    """Return the hash and the size that blobs name which are pointers."""
    could_be = range(_LEAST_POINTER_BYTES, MOST_POINTER_BYTES + 1)
    small = [blob for blob, size in sizes.items() if size in could_be]
    output = io.BytesIO(_asked("--batch", small, cwd, env))
    found: dict[str, tuple[str, int]] = {}
    for blob in small:
        data = output.read(int(output.readline().split()[-1]))
        output.read(1)
        pointer = read_pointer(data)
        if pointer is not None:
            found[blob] = pointer
    return found


def _asked(how: str, blobs: Iterable[str], cwd: Path, env: Mapping[str, str]) -> bytes:
    stdin = "".join(f"{blob}\n" for blob in blobs).encode()
    return git.run("cat-file", how, cwd=cwd, env=env, stdin=stdin)


def checked_out_sizes(base: Base) -> list[int]:
    """Return the size of each file of a copy as it is checked out. Raises `GitError`."""
    repository = Path(base.repository)
    if base.sparse:
        index = {"GIT_INDEX_FILE": str(sparse_folder(repository, base.run_id) / "index")}
        entries = git.paths(git.run("ls-files", "-s", "-t", "-z", cwd=repository, env=index))
        blobs = [entry.split(" ")[2] for entry in entries if entry.startswith("H ")]
    else:
        entries = git.paths(git.run("ls-tree", "-r", "-z", base.commit, cwd=repository))
        blobs = [entry.partition("\t")[0].split(" ")[2] for entry in entries]
    sizes = find_sizes(set(blobs), repository, {})
    sizes |= {blob: size for blob, (_, size) in find_pointers(sizes, repository, {}).items()}
    return [sizes.get(blob, 0) for blob in blobs]

"""What a patch makes of the snapshot, as files. git works on an index of ours and in a folder of
ours, never in a copy: a patch that leads out of the project writes nothing there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bug_lsp.domain.proof import Patch
from bug_lsp.domain.run import Base
from bug_lsp.store.files import make_private
from bug_lsp.workspace import git
from bug_lsp.workspace.copies import MAX_PATCH_BYTES

from .bench import Candidate
from .tree import Kept

MOST_UNPACKED = 200_000_000
"""Bytes that the binary files of a patch may have in all."""
_LITERAL = re.compile(rb"^literal (\d+)$", re.MULTILINE)
_MOST_FILES = 20
_LINK_TO_A_REPOSITORY = "160000"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A patch that is ready to be laid over a clean copy."""

    candidate: Candidate
    problem: str = ""
    """Why it cannot be."""
    files: Mapping[str, Kept | None] = field(default_factory=dict)
    """By path in the project: the file as the patch makes it; None where it is deleted."""
    named: tuple[str, ...] = ()
    """Files that it names, where it cannot be applied."""

    def row(self) -> Patch:
        """It, as a row of the matrix."""
        files = tuple(self.files) or self.named
        return Patch(
            session_id=self.candidate.session_id, files=files[:_MOST_FILES], problem=self.problem
        )


class Workshop:
    """Where patches are applied: an index, objects and files of its own."""

    def __init__(self, base: Base, folder: Path) -> None:
        self._base = base
        self._folder = make_private(folder)
        self._index = folder / "index"
        make_private(folder / "objects")
        git.run("read-tree", base.commit, cwd=folder, env=self._env(self._index, folder))

    def _env(self, index: Path, tree: Path) -> dict[str, str]:
        return {
            "GIT_DIR": self._base.repository,
            "GIT_WORK_TREE": str(tree),
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(self._folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(Path(self._base.repository, "objects")),
        }

    def prepare(self, candidate: Candidate) -> Prepared:
        """Apply a patch; what is wrong with it is in the answer."""
        try:
            size = candidate.patch.stat().st_size
            if size > MAX_PATCH_BYTES:
                return Prepared(candidate, f"the patch is too large: {size:,} bytes")
            patch = candidate.patch.read_bytes()
        except OSError:
            patch = b""
        if not patch.strip():
            return Prepared(candidate, "it changed nothing")
        unpacked = sum(map(int, _LITERAL.findall(patch)))
        if unpacked > MOST_UNPACKED:
            return Prepared(candidate, f"its binary files are too large: {unpacked:,} bytes")
        tree = make_private(self._folder / candidate.session_id)
        index = self._folder / f"{candidate.session_id}.index"
        shutil.copyfile(self._index, index)
        env = self._env(index, tree)
        try:
            git.run("apply", "--cached", "--whitespace=nowarn", cwd=tree, env=env, stdin=patch)
            return Prepared(candidate, files=self._written(tree, env))
        except (git.GitError, OSError, MemoryError) as error:
            problem = " ".join(str(error).split())[:300]
            return Prepared(candidate, f"it does not apply: {problem}", named=_named(patch, tree))

    def _written(self, tree: Path, env: Mapping[str, str]) -> dict[str, Kept | None]:
        raw = git.run(
            "diff-index", "--cached", "--raw", "-z", "--no-renames", self._base.commit,
            cwd=tree, env=env,
        )  # fmt: skip
        parts = git.paths(raw)
        there: dict[str, bool] = {}
        for about, path in zip(parts[::2], parts[1::2], strict=True):
            _, mode, _, _, status = about.split(" ")
            if mode != _LINK_TO_A_REPOSITORY:
                there[path] = status != "D"
        self._write([path for path, is_there in there.items() if is_there], tree, env)
        return {
            path: Kept.of(tree / path) if is_there else None for path, is_there in there.items()
        }

    def _write(self, paths: Sequence[str], tree: Path, env: Mapping[str, str]) -> None:
        names = b"".join(os.fsencode(path) + b"\0" for path in paths)
        git.run("checkout-index", "-f", "-z", "--stdin", cwd=tree, env=env, stdin=names)

    def originals(self, paths: Sequence[str]) -> dict[str, Kept]:
        """Files as they are in the snapshot; those that are not there are left out."""
        tree = make_private(self._folder / "snapshot")
        env = self._env(self._index, tree)
        with contextlib.suppress(git.GitError):  # it names what is not there, and writes the rest
            self._write(paths, tree, env)
        return {path: Kept.of(tree / path) for path in paths if os.path.lexists(tree / path)}


def _named(patch: bytes, folder: Path) -> tuple[str, ...]:
    """The files that a patch names, as far as it can be read."""
    try:
        counts = git.run("apply", "--numstat", "-z", cwd=folder, stdin=patch)
    except (git.GitError, OSError):
        return ()
    return tuple(part.split("\t")[-1] for part in git.paths(counts))

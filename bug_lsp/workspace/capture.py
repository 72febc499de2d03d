"""The user's exact working state as a commit: HEAD, staged, unstaged, untracked but not ignored.

The commit is written into a private bare repository of ours that borrows the user's objects, so
their index, refs, stash, object store and files stay as they are. What lies in a submodule, or in a
repository inside a folder that is none itself, is captured too, as plain files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.run import Base
from bug_lsp.store.files import locked
from bug_lsp.store.layout import WorkspaceFolder

from . import git, limits
from .checkout import Checkout
from .filtered import capture_filtered
from .limits import Limit, TooMuch
from .notes import Lack, sentences
from .repository import Repository
from .staging import Scope, stage
from .untracked import is_dependency_folder


def capture(folder: WorkspaceFolder, workspace: Path, run_id: str) -> Base:
    """Capture the workspace's state under `refs/bug-lsp/{run_id}` of our repository."""
    workspace = workspace.resolve()
    top = _top(workspace)
    root = Path(top).resolve() if top else workspace
    try:
        with locked(folder.git_lock):
            source = Checkout.of(root) if top else None
            ours = Repository.open(folder.repository, source)
            if source is None:
                _check_size(root)
            captured = _Capture(ours, run_id)
            tree = captured.tree(root, source)
            head = git.maybe("rev-parse", "--verify", "-q", "HEAD^{commit}", cwd=root)
            commit = ours.commit(tree, head if top else None, run_id)
    except TooMuch as error:
        raise Refused(_too_much(root, error)) from error
    except (git.GitError, OSError) as error:
        raise Refused(
            f"the state of {root} could not be captured: {error}; nothing was started"
        ) from error
    return Base(
        repository=str(folder.repository),
        commit=commit,
        head=head if top else None,
        name=root.name or "root",
        prefix=workspace.relative_to(root).as_posix() if workspace != root else "",
        sparse=source is not None and source.is_sparse,
        run_id=run_id,
        dependencies=tuple(sorted(captured.dependencies)),
        lacking=tuple(sorted(captured.lacking)),
        notes=sentences(captured.lacking),
    )


def _top(workspace: Path) -> str | None:
    try:
        return git.text("rev-parse", "--show-toplevel", cwd=workspace)
    except git.GitError as error:
        if str(error).startswith("not a git repository"):
            return None
        raise Refused(
            f"git does not read the repository of {workspace} ({error}); run `git status` in it "
            "and do what it says (nothing was started)"
        ) from error


def release(folder: WorkspaceFolder, run_id: str) -> None:
    """Let go of a run's snapshot."""
    if folder.repository.exists():
        with locked(folder.git_lock):
            Repository(folder.repository).release(run_id)


@dataclass(slots=True)
class _Capture:
    """The capture of one run: what it found on the way, by path from the root."""

    ours: Repository
    run_id: str
    dependencies: list[str] = field(default_factory=list)
    lacking: dict[str, Lack] = field(default_factory=dict)

    def tree(self, root: Path, source: Checkout | None, prefix: str = "") -> str:
        """Write the folder's present state as a tree into our repository."""
        with tempfile.TemporaryDirectory(dir=self.ours.path, prefix="index-") as temporary:
            index = Path(temporary, "index")
            told = self.ours.environment(index, source)
            if source is None:
                told |= {"GIT_DIR": str(self.ours.path), "GIT_WORK_TREE": str(root)}
            elif source.index.exists():
                # Starting from the user's index saves reading every unchanged file.
                shutil.copy2(source.index, index)  # with its time: by it git tells what to read
            env = git.Settled.of(root, told)
            # A submodule becomes plain files: what it does not have on disk is not in the tree.
            is_sparse = source is not None and source.is_sparse and not prefix
            self._stage(root, env, prefix, is_sparse=is_sparse)
            if is_sparse and source is not None:
                self.ours.keep_sparse(index, source, self.run_id)
            return git.text("write-tree", "--missing-ok", cwd=root, env=env)

    def _stage(self, root: Path, env: git.Settled, prefix: str, *, is_sparse: bool) -> None:
        limit = Limit(limits.NEW_LIMIT_FILES, limits.NEW_LIMIT_BYTES)
        staged = stage(root, env, self.ours.path, Scope(limit, is_sparse=is_sparse))
        lacking = staged.lacking
        if staged.has_filters:
            lacking |= capture_filtered(root, env, self.ours)
        self.dependencies += [prefix + path for path in staged.dependencies]
        self.lacking |= {prefix + path: why for path, why in lacking.items()}
        for path in staged.repositories:
            self._flatten(root, path, env, prefix)

    def _flatten(self, root: Path, path: str, env: git.Settled, prefix: str) -> None:
        """Put the files of a repository inside this one in the place of the link to it."""
        inner = Checkout.of(root / path)
        self.ours.borrow(inner)
        self.ours.set_lfs()
        tree = self.tree(inner.root, inner, f"{prefix}{path}/")
        git.run("update-index", "--force-remove", "--", path, cwd=root, env=env)
        objects = os.pathsep.join(map(str, self.ours.borrowed()))
        several = env.more({"GIT_ALTERNATE_OBJECT_DIRECTORIES": objects})
        git.run("read-tree", f"--prefix={path}/", tree, cwd=root, env=several)


def _check_size(root: Path) -> None:
    count = size = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_dependency_folder(Path(folder, name))]
        for name in names:
            try:
                size += Path(folder, name).lstat().st_size
            except OSError:
                continue
            count += 1
        if count > limits.COPY_LIMIT_FILES or size > limits.COPY_LIMIT_BYTES:
            raise Refused(
                f"{root} is not a git repository and is too large to copy for each session (limit "
                f"{limits.COPY_LIMIT_FILES:,} files, {limits.COPY_LIMIT_BYTES // 1_000_000} MB); "
                "run `git init` in it and list what to leave out in .gitignore"
            )


def _too_much(root: Path, error: TooMuch) -> str:
    where = f", most of them in {error.folder}" if error.folder else ""
    return (
        f"{root} has too many files that git neither tracks nor ignores: each session would get a "
        f"copy (limit {limits.NEW_LIMIT_FILES:,} files, {limits.NEW_LIMIT_BYTES // 1_000_000:,} MB"
        f"{where}); name what is not code in .gitignore or .git/info/exclude, or start in the "
        "project's own folder (nothing was started)"
    )

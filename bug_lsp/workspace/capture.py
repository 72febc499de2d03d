"""The user's exact working state as a commit: HEAD, staged, unstaged, untracked but not ignored.

The commit is written into a private bare repository of ours that borrows the user's objects, so
their index, refs, stash, object store and files stay as they are. What lies in a submodule, or in a
repository inside a folder that is none itself, is captured too, as plain files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.run import Base
from bug_lsp.store.files import locked, make_private, replace
from bug_lsp.store.layout import WorkspaceFolder

from . import git

COPY_LIMIT_BYTES = 500_000_000
COPY_LIMIT_FILES = 50_000
"""How much is copied of a folder that is no git repository (nothing tells what to leave out)."""

_KEPT_CONFIG = ("core.autocrlf", "core.eol", "core.filemode", "core.symlinks", "core.ignorecase")
"""Settings of the user's repository without which a checkout would not give the same bytes."""


def capture(folder: WorkspaceFolder, workspace: Path, run_id: str) -> Base:
    """Capture the workspace's state under `refs/bug-lsp/{run_id}` of our repository."""
    workspace = workspace.resolve()
    top = _top(workspace)
    root = Path(top).resolve() if top else workspace
    try:
        with locked(folder.git_lock):
            store = _Store.open(folder.repository, root if top else None)
            if top is None:
                _check_size(root)
            tree = _tree(store, root, is_repository=top is not None)
            head = git.maybe("rev-parse", "--verify", "-q", "HEAD^{commit}", cwd=root)
            commit = store.commit(tree, head if top else None, run_id)
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
            git.maybe("update-ref", "-d", f"refs/bug-lsp/{run_id}", cwd=folder.repository)


@dataclass(frozen=True, slots=True)
class _Store:
    """Our bare repository."""

    path: Path

    @classmethod
    def open(cls, path: Path, source: Path | None) -> _Store:
        """Create it where it is not there yet, and borrow the objects of `source`."""
        store = cls(path)
        if not (path / "HEAD").exists():
            cls._create(path, source)
        if source is not None:
            store.borrow(source)
            store._configure(source)
        return store

    @staticmethod
    def _create(path: Path, source: Path | None) -> None:
        # Under another name until it is whole: a half one would be in the way for ever.
        half = make_private(path.parent) / f".{path.name}"
        shutil.rmtree(half, ignore_errors=True)
        sha = source and git.maybe("rev-parse", "--show-object-format", cwd=source)
        git.run(
            "init", "-q", "--bare", "--template=", "--shared=0600",
            f"--object-format={sha or 'sha1'}", str(half),
            cwd=path.parent,
        )  # fmt: skip
        half.chmod(0o700)
        half.rename(path)

    def borrow(self, source: Path) -> None:
        """Make the objects of another repository visible in ours, without copying them."""
        objects = (source / git.text("rev-parse", "--git-path", "objects", cwd=source)).resolve()
        alternates = self.path / "objects" / "info" / "alternates"
        known = alternates.read_text().splitlines() if alternates.exists() else []
        if str(objects) not in known:
            make_private(alternates.parent)
            replace(alternates, "".join(f"{line}\n" for line in [*known, str(objects)]).encode())

    def _configure(self, source: Path) -> None:
        for key in _KEPT_CONFIG:
            value = git.maybe("config", "--get", key, cwd=source)
            if value is not None:
                git.run("config", key, value, cwd=self.path)
            else:
                git.maybe("config", "--unset", key, cwd=self.path)
        # Without it git would look for the parents that a shallow clone does not have.
        shallow = source / git.text("rev-parse", "--git-path", "shallow", cwd=source)
        if shallow.exists():
            replace(self.path / "shallow", shallow.read_bytes())
        else:
            (self.path / "shallow").unlink(missing_ok=True)

    def environment(self, index: Path, source: Path | None) -> dict[str, str]:
        """Git's environment to read `source` and write objects into our repository alone."""
        env = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(self.path / "objects"),
            # What is written is for the user alone, also where theirs says something else.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.sharedRepository",
            "GIT_CONFIG_VALUE_0": "0600",
        }
        if source is not None:
            objects = source / git.text("rev-parse", "--git-path", "objects", cwd=source)
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(objects.resolve())
        return env

    def commit(self, tree: str, head: str | None, run_id: str) -> str:
        """Commit the tree on top of the user's HEAD, kept by a ref of ours."""
        parent = ["-p", head] if head else []
        commit = git.text(
            "commit-tree", tree, *parent, "-m", "The working state when the debug run started",
            cwd=self.path,
        )  # fmt: skip
        git.run("update-ref", f"refs/bug-lsp/{run_id}", commit, cwd=self.path)
        return commit


def _tree(store: _Store, root: Path, *, is_repository: bool) -> str:
    """The folder's present state as a tree in our repository."""
    with tempfile.TemporaryDirectory(dir=store.path, prefix="index-") as temporary:
        index = Path(temporary, "index")
        if is_repository:
            # Starting from the user's index saves reading every unchanged file.
            theirs = root / git.text("rev-parse", "--git-path", "index", cwd=root)
            if theirs.exists():
                shutil.copy2(theirs, index)  # with its time: by it git tells what it must read
            env = store.environment(index, root)
        else:
            env = store.environment(index, None)
            env |= {"GIT_DIR": str(store.path), "GIT_WORK_TREE": str(root)}
        without_commit = git.add_all(root, env)
        for path in [*_embedded(root, env), *without_commit]:
            _flatten(store, root, path, env)
        return git.text("write-tree", cwd=root, env=env)


def _embedded(root: Path, env: dict[str, str]) -> Iterator[str]:
    """Repositories inside this one that are checked out: submodules and embedded clones."""
    return (path for path in git.links(root, env) if (root / path / ".git").exists())


def _flatten(store: _Store, root: Path, path: str, env: dict[str, str]) -> None:
    """Put the files of a repository inside this one in the place of the link to it."""
    inner = root / path
    store.borrow(inner)
    tree = _tree(store, inner, is_repository=True)
    git.run("update-index", "--force-remove", "--", path, cwd=root, env=env)
    borrowed = (store.path / "objects" / "info" / "alternates").read_text().split("\n")
    several = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(filter(None, borrowed))}
    git.run("read-tree", f"--prefix={path}/", tree, cwd=root, env=env | several)


def _check_size(root: Path) -> None:
    count = size = 0
    for folder, _names, names in os.walk(root):
        for name in names:
            try:
                size += Path(folder, name).lstat().st_size
            except OSError:
                continue
            count += 1
        if count > COPY_LIMIT_FILES or size > COPY_LIMIT_BYTES:
            raise Refused(
                f"{root} is not a git repository and is too large to copy for each session (limit "
                f"{COPY_LIMIT_FILES:,} files, {COPY_LIMIT_BYTES // 1_000_000} MB); run `git init` "
                "in it and list what to leave out in .gitignore"
            )

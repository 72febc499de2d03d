"""A session's own copy of the code: a worktree of our repository, outside the user's.

git worktree calls on one repository get in each other's way, so they are made one at a time.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Base
from bug_lsp.store.files import locked, make_private
from bug_lsp.store.layout import SessionFolder

from . import git

MAX_PATCH_BYTES = 20_000_000


def make(folder: SessionFolder, base: Base) -> Path:
    """Check the snapshot out into the session's folder; returns the root of the copy."""
    copy = folder.copy / base.name
    if (copy / ".git").exists():
        return copy
    make_private(folder.copy)
    try:
        with locked(folder.run.workspace.git_lock):
            git.run("worktree", "prune", cwd=Path(base.repository))
            git.run(
                "worktree", "add", "-q", "--force", "--detach", str(copy), base.commit,
                cwd=Path(base.repository),
            )  # fmt: skip
    except (git.GitError, OSError) as error:
        raise AgentFailure(
            FailureKind.INTERNAL, f"its copy of the code could not be made: {error}"
        ) from error
    return copy


def diff(copy: Path, base: Base) -> bytes:
    """What was changed in the copy since the snapshot, untracked files included, as a patch that
    `git apply` takes. The copy's own index is left alone.
    """
    index = copy.parent / "diff.index"
    env = {"GIT_INDEX_FILE": str(index)}
    try:
        git.run("read-tree", base.commit, cwd=copy, env=env)
        git.add_all(copy, env)
        patch = git.run(
            "diff", "--cached", "--binary", "--no-color", "--no-ext-diff", "--no-textconv",
            "--src-prefix=a/", "--dst-prefix=b/", base.commit,
            cwd=copy, env=env,
        )  # fmt: skip
    finally:
        index.unlink(missing_ok=True)
    if len(patch) > MAX_PATCH_BYTES:
        raise git.GitError(f"the patch has {len(patch):,} bytes, more than {MAX_PATCH_BYTES:,}")
    return patch


def remove(folder: SessionFolder) -> None:
    """Remove the copy and what git remembers of it. The caller has made sure that nothing runs."""
    shutil.rmtree(folder.copy, ignore_errors=True)
    shutil.rmtree(folder.scratch, ignore_errors=True)
    workspace = folder.run.workspace
    repository = workspace.repository
    if repository.exists():
        with locked(workspace.git_lock):
            git.maybe("worktree", "prune", "--expire=now", cwd=repository)

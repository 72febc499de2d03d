"""A session's own copy of the code: a small repository of its own, outside the user's.

It borrows the objects of ours and shares nothing that is written: agents may commit, stash and
bisect in it as they like, and copies are made side by side.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Base
from bug_lsp.store import files
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import SessionFolder

from . import git

MAX_PATCH_BYTES = 20_000_000
MAX_NEW_BYTES = 500_000_000
"""Of files that are new in a copy: git would write all of them once more to make the patch."""


def make(folder: SessionFolder, base: Base) -> Path:
    """Check the snapshot out into the session's folder; returns the root of the copy."""
    copy = folder.copy / base.name
    if (copy / ".git").exists():
        return copy
    make_private(folder.copy)
    try:
        check_out(base, copy)
        shutil.copy2(copy / ".git" / "index", folder.index)  # its time says what git must read
    except (git.GitError, OSError) as error:
        raise AgentFailure(
            FailureKind.INTERNAL, f"its copy of the code could not be made: {error}"
        ) from error
    return copy


def check_out(base: Base, copy: Path) -> None:
    """Make a repository in `copy`, which is not there yet, with the snapshot checked out.

    Raises `GitError` or `OSError`.
    """
    source = Path(base.repository)
    git.run("init", "-q", "--template=", str(copy), cwd=source)
    own = copy / ".git"
    # How our repository turns lines into bytes, and how it names objects.
    shutil.copyfile(source / "config", own / "config")
    git.run("config", "core.bare", "false", cwd=copy)
    make_private(own / "objects" / "info")
    (own / "objects" / "info" / "alternates").write_text(f"{source / 'objects'}\n")
    if (source / "shallow").exists():
        shutil.copyfile(source / "shallow", own / "shallow")
    git.run("checkout", "-q", "--force", "--detach", base.commit, cwd=copy)


def diff(copy: Path, base: Base, kept: Path | None = None) -> bytes:
    """What was changed in the copy since the snapshot, untracked files included, as a patch that
    `git apply` takes. `kept` is the copy's index of when it was made: with it no file is read that
    nobody has touched.

    Asked of our repository, not of the copy's own: an agent could have set there what git is to
    run. Nothing is written into either.
    """
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix="diff-") as temporary:
        index = Path(temporary, "index")
        objects = make_private(Path(temporary, "objects"))
        env = git.Settled.of(
            copy,
            {
                "GIT_DIR": base.repository,
                "GIT_WORK_TREE": str(copy),
                "GIT_INDEX_FILE": str(index),
                "GIT_OBJECT_DIRECTORY": str(objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(Path(base.repository, "objects")),
            },
        )
        if kept is not None and kept.exists():
            shutil.copy2(kept, index)
        else:
            git.run("read-tree", base.commit, cwd=copy, env=env)
        _check_new(copy, env)
        git.add_all(copy, env)
        patch = git.run(
            "diff", "--cached", "--binary", "--no-color", "--no-ext-diff", "--no-textconv",
            "--src-prefix=a/", "--dst-prefix=b/", base.commit,
            cwd=copy, env=env,
        )  # fmt: skip
    if len(patch) > MAX_PATCH_BYTES:
        raise git.GitError(f"the patch has {len(patch):,} bytes, more than {MAX_PATCH_BYTES:,}")
    return patch


def _check_new(copy: Path, env: Mapping[str, str]) -> None:
    new = git.paths(git.run("ls-files", "-o", "-z", "--exclude-standard", cwd=copy, env=env))
    size = 0
    for path in new:
        with contextlib.suppress(OSError):
            size += (copy / path).lstat().st_size
    if size > MAX_NEW_BYTES:
        raise git.GitError(f"its new files have {size:,} bytes, more than {MAX_NEW_BYTES:,}")


def remove(folder: SessionFolder) -> None:
    """Remove the copy. The caller has made sure that nothing runs."""
    for path in (folder.copy, folder.scratch):
        with contextlib.suppress(OSError):
            files.remove(path)

"""A session's own copy of the code: a small repository of its own, outside the user's.

It borrows the objects of ours and shares nothing that is written: agents may commit, stash and
bisect in it as they like, and copies are made side by side.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Base
from bug_lsp.store import files
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import SessionFolder

from . import git, limits
from .limits import Limit, TooMuch
from .repository import put_refs, sparse_folder
from .staging import Scope, stage

MAX_PATCH_BYTES = 20_000_000
_AS_WE_READ_IT = (
    "--binary", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers",
    "--submodule=short", "--ignore-submodules=none", "--no-relative", "--indent-heuristic",
    "--no-color", "--no-ext-diff", "--no-textconv", "-O/dev/null",
    "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
"""Whatever the user has set for their own eyes."""


def make(folder: SessionFolder, base: Base) -> Path:
    """Check the snapshot out into the session's folder; returns the root of the copy."""
    copy = folder.copy / base.name
    if (copy / ".git").exists():
        return copy
    # Under another name until it is whole: a half one would have a patch that deletes the rest.
    half = folder.copy / ".half"
    try:
        make_private(folder.copy)
        files.remove(half)
        check_out(base, half)
        half.rename(copy)
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
    config = (source / "config").read_bytes().replace(b"\tbare = true\n", b"\tbare = false\n", 1)
    (own / "config").write_bytes(config)
    make_private(own / "objects" / "info")
    (own / "objects" / "info" / "alternates").write_text(f"{source / 'objects'}\n")
    for name in ("shallow", "info/exclude", "info/attributes"):
        if (source / name).exists():
            shutil.copyfile(source / name, make_private((own / name).parent) / Path(name).name)
    if base.sparse:
        _check_out_a_part(base, copy)
    else:
        git.run("checkout", "-q", "--force", "--detach", base.commit, cwd=copy)
    put_refs(source, copy, base.commit)


def _check_out_a_part(base: Base, copy: Path) -> None:
    """Have the files that the user has. What is not checked out may be missing altogether."""
    own, kept = copy / ".git", sparse_folder(Path(base.repository), base.run_id)
    with (own / "config").open("ab") as file:
        file.write((kept / "config").read_bytes())
    patterns = kept / "sparse-checkout"
    if patterns.exists():
        shutil.copyfile(patterns, make_private(own / "info") / patterns.name)
    shutil.copyfile(kept / "index", own / "index")
    git.run("update-ref", "--no-deref", "HEAD", base.commit, cwd=copy)
    git.run("checkout-index", "-q", "-f", "-u", "-a", cwd=copy)


def diff(copy: Path, base: Base, kept: Path | None = None, exclude: Sequence[str] = ()) -> bytes:
    """What was changed in the copy since the snapshot, untracked files included, as a patch that
    `git apply` takes. `kept` is the copy's index of when it was made: with it no file is read that
    nobody has touched. Paths in `exclude`, and all below them, are never part of it.

    Asked of our repository, not of the copy's own: an agent could have set there what git is to
    run. Nothing is written into either.
    """
    repository = Path(base.repository)
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix="diff-") as temporary:
        index = Path(temporary, "index")
        env = git.Settled.of(
            copy,
            {
                "GIT_DIR": base.repository,
                "GIT_WORK_TREE": str(copy),
                "GIT_INDEX_FILE": str(index),
                "GIT_OBJECT_DIRECTORY": str(make_private(Path(temporary, "objects"))),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository / "objects"),
            },
        )
        _start_index(index, base, kept, copy, env)
        limit = Limit(limits.COPIES_NEW_LIMIT_FILES, limits.MAX_NEW_BYTES)
        scope = Scope(limit, is_sparse=base.sparse, without=frozenset(exclude))
        try:
            stage(copy, env, repository, scope)
        except TooMuch as error:
            raise git.GitError(
                f"its new files have {error.size:,} bytes, more than {limit.size:,}"
                if error.size > limit.size
                else f"it has {error.files:,} new files, more than {limit.files:,}"
            ) from error
        patch = _patch(copy, base, env)
    if len(patch) > MAX_PATCH_BYTES:
        raise git.GitError(f"the patch has {len(patch):,} bytes, more than {MAX_PATCH_BYTES:,}")
    return patch


def _patch(copy: Path, base: Base, env: git.Settled) -> bytes:
    words = ("diff", "--cached", *_AS_WE_READ_IT, base.commit)
    try:
        return git.run(*words, cwd=copy, env=env)
    except git.GitError:
        if not _take_back_unknown(copy, base, env):
            raise
    return git.run(*words, cwd=copy, env=env)


def _take_back_unknown(copy: Path, base: Base, env: git.Settled) -> bool:
    """Leave out files whose former content is not there, as in a partial clone that is sparse: an
    agent wrote where it saw nothing. Returns whether there are any.
    """
    raw = git.run("diff-index", "--cached", "--raw", "-z", base.commit, cwd=copy, env=env)
    parts = git.paths(raw)
    changed = [
        (mode.removeprefix(":"), blob, path)
        for about, path in zip(parts[::2], parts[1::2], strict=True)
        for mode, _, blob, *_ in [about.split(" ")]
    ]
    asked = "".join(f"{blob}\n" for _, blob, _ in changed if blob.strip("0")).encode()
    told = git.run("cat-file", "--batch-check", cwd=copy, env=env, stdin=asked).decode()
    missing = {line.split()[0] for line in told.splitlines() if line.endswith(" missing")}
    entries = [f"{mode} {blob}\t{path}\0" for mode, blob, path in changed if blob in missing]
    stdin = os.fsencode("".join(entries))
    git.run("update-index", "-z", "--index-info", cwd=copy, env=env, stdin=stdin)
    return bool(entries)


def _start_index(
    index: Path, base: Base, kept: Path | None, copy: Path, env: Mapping[str, str]
) -> None:
    if kept is not None and kept.exists():
        shutil.copy2(kept, index)
    elif base.sparse:
        shutil.copy2(sparse_folder(Path(base.repository), base.run_id) / "index", index)
    else:
        git.run("read-tree", base.commit, cwd=copy, env=env)


def remove(folder: SessionFolder) -> None:
    """Remove the copy. The caller has made sure that nothing runs."""
    for path in (folder.copy, folder.scratch):
        with contextlib.suppress(OSError):
            files.remove(path)

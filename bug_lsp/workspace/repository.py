"""Our bare repository of a workspace: it borrows the objects of the user's, and all copies are
made from it. What git is told in the user's checkout it is told here and in the copies.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.store import files
from bug_lsp.store.files import make_private, replace

from . import git
from .checkout import Checkout

PARTIAL_CLONE = "bug-lsp.partialclone"
"""A setting of ours: whether objects of older commits may be missing."""
_KEPT_CONFIG = (
    "core.autocrlf", "core.eol", "core.filemode", "core.symlinks", "core.ignorecase",
    "core.precomposeunicode",
)  # fmt: skip
"""Settings of the user's repository without which a checkout would not give the same bytes."""
_NAMED_FILES = ("core.excludesfile", "core.attributesfile")
"""Settings that name a file; those of the user's alone are read everywhere."""
_SPARSE = "sparse-checkouts"
"""Where we keep what of each snapshot is checked out."""
_SEEN_REFS = ("refs/heads", "refs/tags", "refs/remotes")
_REFS = "refs-of-checkout"
_BRANCH = "branch-of-checkout"
"""Files in which we keep the user's refs and the branch that is checked out, for copies."""
_CONE = "core.sparsecheckoutcone"


@dataclass(frozen=True, slots=True)
class Repository:
    """Ours."""

    path: Path

    @classmethod
    def open(cls, path: Path, source: Checkout | None) -> Repository:
        """Create it where it is not there yet, and borrow the objects of `source`."""
        made = cls(path)
        if not (path / "HEAD").exists():
            cls._create(path, source)
        if source is not None:
            made.borrow(source)
            made._configure(source)
        return made

    @staticmethod
    def _create(path: Path, source: Checkout | None) -> None:
        # Under another name until it is whole: a half one would be in the way for ever.
        half = make_private(path.parent) / f".{path.name}"
        shutil.rmtree(half, ignore_errors=True)
        sha = source.get("extensions.objectformat") if source is not None else None
        git.run(
            "init", "-q", "--bare", "--template=", "--shared=0600",
            f"--object-format={sha or 'sha1'}", str(half),
            cwd=path.parent,
        )  # fmt: skip
        half.chmod(0o700)
        half.rename(path)

    def borrow(self, source: Checkout) -> None:
        """Make the objects of another repository visible in ours, without copying them."""
        self._note(self._alternates, source.objects)
        self._note(self._lfs_stores, source.lfs_store)

    @staticmethod
    def _note(file: Path, line: Path) -> None:
        known = file.read_text().splitlines() if file.exists() else []
        if str(line) not in known:
            make_private(file.parent)
            replace(file, "".join(f"{line}\n" for line in [*known, str(line)]).encode())

    @property
    def _alternates(self) -> Path:
        return self.path / "objects" / "info" / "alternates"

    @property
    def _lfs_stores(self) -> Path:
        return self.path / "lfs" / "stores"

    @property
    def lfs_store(self) -> Path:
        """Where we keep contents of files of Git LFS that the user's stores lack."""
        return self.path / "lfs" / "objects"

    def borrowed(self) -> list[Path]:
        """Return the folders of objects that it borrows."""
        return [Path(line) for line in self._alternates.read_text().splitlines()]

    def lfs_stores(self) -> list[Path]:
        """Return all folders with contents of files of Git LFS."""
        known = self._lfs_stores.read_text().splitlines() if self._lfs_stores.exists() else []
        return [self.lfs_store, *map(Path, known)]

    def _configure(self, source: Checkout) -> None:
        wanted: dict[str, list[str]] = {}
        for key in _KEPT_CONFIG:
            value = source.get(key)
            wanted[key] = [value] if value is not None else []
        for key in _NAMED_FILES:
            theirs = source.own_file(key)
            wanted[key] = [str(theirs)] if theirs is not None else []
        wanted[PARTIAL_CLONE] = ["true"] if source.lacks_objects else []
        self._set(wanted | self._lfs_settings())
        _mirror(source.exclude, self.path / "info" / "exclude")
        _mirror(source.attributes, self.path / "info" / "attributes")
        # Without it git would look for the parents that a shallow clone does not have.
        _mirror(source.shallow, self.path / "shallow")
        self._keep_refs(source)

    def _keep_refs(self, source: Checkout) -> None:
        words = ("for-each-ref", "--format=%(objectname) %(refname)", *_SEEN_REFS)
        _write(self.path / _REFS, git.run(*words, cwd=source.root))
        with contextlib.suppress(OSError):
            _write(self.path / _BRANCH, source.head.read_bytes())

    def set_lfs(self) -> None:
        """Have git take files of Git LFS from the stores; copies get the same settings."""
        self._set(self._lfs_settings())

    def _lfs_settings(self) -> dict[str, list[str]]:
        stores = self.lfs_stores()
        told = {key: [value] for key, value in git.lfs_settings(stores).items()}
        return told | {git.LFS_STORE: [str(store) for store in stores]}

    def _set(self, wanted: Mapping[str, list[str]]) -> None:
        there: dict[str, list[str]] = {}
        for entry in git.settings(self.path):
            if entry.scope == "local":
                there.setdefault(entry.key, []).append(entry.value)
        for key, values in wanted.items():
            known = there.get(key, [])
            if known == values:
                continue
            # In one step where it can be: copies are made meanwhile.
            if len(values) == 1:
                git.run("config", "--replace-all", key, *values, cwd=self.path)
                continue
            if known != values[: len(known)]:
                git.run("config", "--unset-all", key, cwd=self.path)
                known = []
            for value in values[len(known) :]:
                git.run("config", "--add", key, value, cwd=self.path)

    def environment(self, index: Path, source: Checkout | None) -> dict[str, str]:
        """Git's environment to read `source` and write objects into our repository alone."""
        told = [
            # What is written is for the user alone, also where theirs says something else.
            ("core.sharedRepository", "0600"),
            *((git.LFS_STORE, str(store)) for store in self.lfs_stores()),
        ]
        env = {
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(self.path / "objects"),
            "GIT_CONFIG_COUNT": str(len(told)),
        }
        for number, (key, value) in enumerate(told):
            env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        if source is not None:
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(source.objects)
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

    def release(self, run_id: str) -> None:
        """Let go of a run's snapshot."""
        git.maybe("update-ref", "-d", f"refs/bug-lsp/{run_id}", cwd=self.path)
        shutil.rmtree(sparse_folder(self.path, run_id), ignore_errors=True)

    def keep_sparse(self, index: Path, source: Checkout, run_id: str) -> None:
        """Keep which files are checked out, and how git decides that."""
        self._forget_sparse()
        folder = make_private(sparse_folder(self.path, run_id))
        shutil.copyfile(index, folder / "index")
        _mirror(source.sparse, folder / "sparse-checkout")
        cone = source.get(_CONE)
        lines = ["[core]", "\tsparseCheckout = true"]
        lines += [f"\tsparseCheckoutCone = {str(source.is_set(_CONE)).lower()}"] if cone else []
        (folder / "config").write_text("\n".join([*lines, ""]))

    def _forget_sparse(self) -> None:
        """Remove those of runs that are gone."""
        parent = self.path / _SPARSE
        if not parent.exists():
            return
        told = git.text("for-each-ref", "--format=%(refname)", "refs/bug-lsp/", cwd=self.path)
        runs = {Path(ref).name for ref in told.splitlines()}
        for folder in parent.iterdir():
            if folder.name not in runs:
                with contextlib.suppress(OSError):
                    files.remove(folder)


def sparse_folder(repository: Path, run_id: str) -> Path:
    """Where it is kept what of a run's snapshot is checked out."""
    return repository / _SPARSE / run_id


def put_refs(repository: Path, copy: Path, commit: str) -> None:
    """Give a copy at `commit` the refs of the checkout, for what asks git for a tag or a branch."""
    refs, branch, own = repository / _REFS, repository / _BRANCH, copy / ".git"
    if refs.exists():
        shutil.copyfile(refs, own / "packed-refs")
    name = branch.read_text().strip().removeprefix("ref: ") if branch.exists() else ""
    if name.startswith("refs/heads/") and not name.endswith(".invalid"):
        make_private((own / name).parent)
        (own / name).write_text(f"{commit}\n")
        (own / "HEAD").write_text(f"ref: {name}\n")


def _write(to: Path, data: bytes) -> None:
    if not to.exists() or to.read_bytes() != data:
        replace(to, data)


def _mirror(source: Path, to: Path) -> None:
    """Have what the user's file says in ours, or neither."""
    try:
        data = source.read_bytes() if source.is_file() else None
    except OSError:
        data = None
    if data is None:
        to.unlink(missing_ok=True)
    else:
        make_private(to.parent)
        _write(to, data)

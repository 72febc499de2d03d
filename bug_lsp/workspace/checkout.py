"""A checkout of the user's: where git keeps what of it, and how it is set up. Only looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import git

_PATHS = (
    "HEAD", "index", "objects", "shallow", "info/exclude", "info/attributes",
    "info/sparse-checkout",
)  # fmt: skip
_TRUE = {"true", "yes", "on", "1"}
_OWN = {"local", "worktree"}


@dataclass(frozen=True, slots=True)
class Checkout:
    """The repository that is checked out in a folder."""

    root: Path
    common: Path
    """Its git folder, which linked worktrees share."""
    head: Path
    """The file that names the branch that is checked out, or the commit."""
    index: Path
    objects: Path
    shallow: Path
    exclude: Path
    attributes: Path
    sparse: Path
    settings: Sequence[git.Entry]

    @classmethod
    def of(cls, root: Path) -> Checkout:
        """Look at it. Raises `GitError`."""
        words = [word for name in _PATHS for word in ("--git-path", name)]
        told = git.text("rev-parse", "--git-common-dir", *words, cwd=root).split("\n")
        if len(told) != len(_PATHS) + 1:
            raise git.GitError("the path of its git folder has a line break; rename it")
        common, head, index, objects, shallow, exclude, attributes, sparse = (
            (root / line).resolve() for line in told
        )
        return cls(
            root=root, common=common, head=head, index=index, objects=objects, shallow=shallow,
            exclude=exclude, attributes=attributes, sparse=sparse, settings=git.settings(root),
        )  # fmt: skip

    def get(self, key: str) -> str | None:
        """Return what is set."""
        values = [entry.value for entry in self.settings if entry.key == key]
        return values[-1] if values else None

    def is_set(self, key: str) -> bool:
        """Whether a setting is true."""
        return (self.get(key) or "").lower() in _TRUE

    def own_file(self, key: str) -> Path | None:
        """Return the file that a setting of this repository alone names."""
        own = [entry.value for entry in self.settings if entry.key == key and entry.scope in _OWN]
        return self.root / Path(own[-1]).expanduser() if own and own[-1] else None

    @property
    def is_sparse(self) -> bool:
        """Whether only a part of the files is checked out."""
        return self.is_set("core.sparsecheckout")

    @property
    def lacks_objects(self) -> bool:
        """Whether it is a partial clone, which fetches objects when it needs them."""
        return any(
            entry.key == "extensions.partialclone"
            or (entry.key.startswith("remote.") and entry.key.endswith(".promisor"))
            for entry in self.settings
        )

    @property
    def lfs_store(self) -> Path:
        """Where Git LFS keeps the contents of files."""
        place = self.get("lfs.storage")
        folder = self.common / Path(place).expanduser() if place else self.common / "lfs"
        return folder / "objects"

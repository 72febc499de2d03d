"""Bringing an index up to date with the files on disk, whatever their owner has told git to
overlook. It writes into the index and the objects that its environment names, and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import git, line_ends
from .limits import Limit
from .notes import Lack
from .untracked import find_untracked

_TRIES = 3
_LINK = "160000"
_QUIET = ("H 100", "H 120")
"""How entries begin that are a file or a symbolic link and nothing else."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is staged of a folder."""

    limit: Limit
    """Of what git does not know."""
    is_sparse: bool = False
    """Whether a file may be missing on disk because it was never checked out."""
    without: Collection[str] = ()
    """Paths that stay as they are in the index, with all below them."""


@dataclass(slots=True)
class Staged:
    """What was not staged as a file."""

    repositories: list[str] = field(default_factory=list)
    """Repositories inside this one that are checked out."""
    dependencies: list[str] = field(default_factory=list)
    lacking: dict[str, Lack] = field(default_factory=dict)
    """Why the index has not what is on disk, by path."""
    has_filters: bool = False
    """Whether attributes of git name filters."""


def stage(root: Path, env: git.Settled, repository: Path, scope: Scope) -> Staged:
    """Bring the index up to date. `repository` is that of ours. Raises `TooMuch`, `GitError`."""
    index = _Index(root, env)
    index.show_hidden(is_sparse=scope.is_sparse)
    index.forget_links()
    new = find_untracked(root, env, scope.limit, scope.without)
    deleted, changed = _changed(root, env, scope.without)
    _remove(root, env, deleted)
    lacking = dict.fromkeys(new.closed, Lack.UNREADABLE)
    plain, texts = line_ends.sort(root, env, changed)
    if texts:
        with tempfile.TemporaryDirectory(dir=Path(env["GIT_INDEX_FILE"]).parent) as folder:
            kept = line_ends.keeping(Path(folder), repository, root, env)
            lacking |= _add(root, kept, texts)
    lacking |= _add(root, env, [*plain, *new.files])
    return Staged(
        repositories=[*index.repositories, *new.repositories],
        dependencies=new.dependencies,
        lacking=lacking,
        has_filters=index.has_filters(new.files),
    )


class _Index:
    """What is odd in the index as it was."""

    def __init__(self, root: Path, env: git.Settled) -> None:
        self._root = root
        self._env = env
        self.repositories: list[str] = []
        self._hidden: dict[str, str] = {}
        self._links: list[str] = []
        self._attributes: list[str] = []
        for entry in git.paths(git.run("ls-files", "-s", "-v", "-z", cwd=root, env=env)):
            if entry.startswith(_QUIET) and not entry.endswith(".gitattributes"):
                continue
            facts, _, path = entry.partition("\t")
            tag, mode, *_ = facts.split(" ")
            if mode == _LINK:
                self._links.append(path)
            if tag in "Sabcdefghijklmnopqrstuvwxyz":
                self._hidden[path] = tag
            if path.endswith(".gitattributes"):
                self._attributes.append(path)

    def show_hidden(self, *, is_sparse: bool) -> None:
        """Have git look at files that it was told to take for unchanged, or for absent."""
        lower = [path for path, tag in self._hidden.items() if tag.islower()]
        skipped = [
            path
            for path, tag in self._hidden.items()
            if tag in "Ss" and (not is_sparse or os.path.lexists(self._root / path))
        ]
        for option, names in (("--no-assume-unchanged", lower), ("--no-skip-worktree", skipped)):
            if names:
                words = ("update-index", option, "-z", "--stdin")
                git.run(*words, cwd=self._root, env=self._env, stdin=_joined(names))

    def forget_links(self) -> None:
        """Take links to repositories that are none any more out of the index."""
        gone = []
        for path in self._links:
            place = self._root / path
            if os.path.lexists(place / ".git"):
                self.repositories.append(path)
            elif not _is_empty(place):
                gone.append(path)
        _remove(self._root, self._env, gone)

    def has_filters(self, new: Iterable[str]) -> bool:
        """Whether a file of attributes names a filter."""
        added = [path for path in new if path.endswith(".gitattributes")]
        places = [self._root / path for path in (*self._attributes, *added)]
        words = ("rev-parse", "--git-path", "info/attributes")
        places.append(self._root / git.text(*words, cwd=self._root, env=self._env))
        places += [
            Path(entry.value).expanduser()
            for entry in self._env.settings
            if entry.key == "core.attributesfile"
        ]
        config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        places += [Path(config, "git", "attributes"), Path("/etc/gitattributes")]
        return any(map(_names_filter, places))


def _names_filter(path: Path) -> bool:
    try:
        return path.is_file() and b"filter" in path.read_bytes()
    except OSError:
        return False


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing that could be captured."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    with contextlib.suppress(OSError):
        return next(folder.iterdir(), None) is None
    return True


def _changed(root: Path, env: git.Settled, without: Collection[str]) -> tuple[list[str], list[str]]:
    """Files that git knows and that are gone, and those that may have been edited."""
    raw = git.run("diff-files", "--raw", "-z", "--ignore-submodules=all", cwd=root, env=env)
    parts = git.paths(raw)
    deleted: dict[str, None] = {}
    changed: dict[str, None] = {}
    for about, path in zip(parts[::2], parts[1::2], strict=True):
        if is_within(path, without):
            continue
        mode = about.split(" ")[1]
        (deleted if mode == "000000" else changed)[path] = None
    return [path for path in deleted if path not in changed], list(changed)


def is_within(path: str, places: Collection[str]) -> bool:
    """Whether the path is one of the places or lies below one."""
    if not places:
        return False
    parts = path.split("/")
    return any("/".join(parts[:count]) in places for count in range(1, len(parts) + 1))


def _remove(root: Path, env: git.Settled, names: Sequence[str]) -> None:
    if names:
        words = ("update-index", "--force-remove", "-z", "--stdin")
        git.run(*words, cwd=root, env=env, stdin=_joined(names))


def _add(root: Path, env: git.Settled, names: Sequence[str]) -> dict[str, Lack]:
    """Put files into the index as they are; returns why some are not, by path."""
    before = {path: _seen(root / path) for path in names}
    lacking: dict[str, Lack] = {}
    for _ in range(_TRIES):
        try:
            _update(root, env, before)
        except git.GitError:
            closed = [path for path in before if not _can_be_read(root / path)]
            lacking |= dict.fromkeys(closed, Lack.UNREADABLE)
            for path in closed:
                del before[path]
        else:
            return lacking
    changing = [path for path, seen in before.items() if _seen(root / path) != seen]
    _update(root, env, [path for path in before if path not in changing])
    return lacking | dict.fromkeys(changing, Lack.CHANGING)


def _update(root: Path, env: git.Settled, names: Iterable[str]) -> None:
    stdin = _joined(names)
    if not stdin:
        return
    words = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    try:
        git.run(*words, cwd=root, env=env, stdin=stdin)
    finally:
        # It is still there where git was killed, as by a file that shrank while it was read.
        Path(f"{env['GIT_INDEX_FILE']}.lock").unlink(missing_ok=True)


def put_again(root: Path, env: git.Settled, entries: Mapping[str, str]) -> dict[str, Lack]:
    """Put files into the index as they are on disk, even if git takes them for unchanged.
    `entries` are as `git ls-files -s` gives them, by path.
    """
    lines = "".join(f"{entry}\t{path}\0" for path, entry in entries.items())
    git.run("update-index", "-z", "--index-info", cwd=root, env=env, stdin=os.fsencode(lines))
    return _add(root, env, list(entries))


def _joined(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        info = path.lstat()
    except OSError:
        return None
    return info.st_size, info.st_mtime_ns


def _can_be_read(path: Path) -> bool:
    """Whether it can be read; also true where it is not there any more."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
    except PermissionError:
        return False
    except OSError:
        return True
    return True

"""Decides what a copy gets of the files that git ignores.

Tests often need them: generated modules, compiled extensions, `.env`, installed dependencies. Small
ones are copied, folders of dependencies are linked, caches are left out. Only names and sizes are
looked at, and nothing is written.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bug_lsp.domain.copy_contents import EMPTY_FOLDER, CopyContents, Extra, size_in_words

from . import git
from .extras import leads_out
from .siblings import siblings

INCLUDE_FILE = ".worktreeinclude"
"""Names ignored files to bring, in the syntax of .gitignore; other tools read it too."""
FILE_LIMIT = 20_000_000
FOLDER_LIMIT = 100_000_000
TOTAL_LIMIT = 500_000_000
"""Bytes of what is copied without being asked for: one file, one folder, all of it."""
ASKED_LIMIT = 5_000_000_000
"""Bytes of one path that is named in `.worktreeinclude`."""
_MOST_FILES = 5_000
_LINK = "160000 "
"""How git's index begins the entry of another repository."""
_SYMBOLIC = "120000 "
_MOST_EXTRAS = 5_000

DEPENDENCIES = frozenset(
    (
        "node_modules", "bower_components", "jspm_packages", ".yarn", ".pnpm-store",
        ".venv", "venv", "env", ".tox", ".nox", ".pixi", "__pypackages__", "site-packages",
        "vendor", "Pods", ".bundle", "deps", "elm-stuff",
    )
)  # fmt: skip
"""Folders that package managers fill; they are read, not written, by tests."""
_CACHES = (
    "__pycache__", "*.pyc", "*.pyo", "*$py.class", ".pytest_cache", ".mypy_cache", ".ruff_cache",
    ".hypothesis", ".coverage", ".coverage.*", "htmlcov", "coverage.xml", ".nyc_output", ".cache",
    ".parcel-cache", ".turbo", ".nx", ".gradle", ".terraform", ".ipynb_checkpoints", ".idea",
    ".vs", ".DS_Store", "Thumbs.db", "*.swp", "*.swo", "*~", "*.log", ".bug-lsp",
    ".worktrees",
)  # fmt: skip
"""What tools write for themselves and make again."""
_OF_TESTS = frozenset(("test", "tests", "testdata", "fixtures", "data", "spec", "__fixtures__"))
"""Folders in which a file with the name of such a thing is one that tests read."""
_BUILT = frozenset(("target", "build", "dist", "out", "_build", ".next", "bin", "obj", ".eggs"))
"""Build outputs: a build in the copy writes to them, so they are copied or left out, not linked."""


def plan(root: Path, include: Sequence[str] = (), untracked: Sequence[str] = ()) -> CopyContents:
    """Decide for the checkout at `root`. `include` are more patterns like those of the file;
    `untracked` are folders of dependencies that git does not even ignore.

    Outside a git repository nothing is ignored: all of the folder is in the snapshot already.
    """
    try:
        found = list(_Planner(root, _patterns(root, include)).extras(untracked))
    except git.GitError:
        return CopyContents()
    more = len(found) - _MOST_EXTRAS
    if more > 0:
        said = f"one of {more:,} ignored files beyond {_MOST_EXTRAS:,}, which is the most"
        found[_MOST_EXTRAS:] = [Extra(path=found[_MOST_EXTRAS].path, way="leftOut", reason=said)]
    return CopyContents(extras=tuple(found))


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What the user wants and does not want."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def _patterns(root: Path, include: Sequence[str]) -> _Patterns:
    lines = [*include]
    with contextlib.suppress(OSError):
        lines = [*(root / INCLUDE_FILE).read_text(errors="replace").splitlines(), *lines]
    lines = [line.rstrip() for line in lines if line.strip() and not line.startswith("#")]
    return _Patterns(
        wanted=tuple(line for line in lines if not line.startswith("!")),
        unwanted=tuple(line[1:] for line in lines if line.startswith("!")),
    )


class _Planner:
    """One look at one checkout."""

    def __init__(self, root: Path, patterns: _Patterns) -> None:
        self._root = root
        self._patterns = patterns
        self._left = TOTAL_LIMIT

    def extras(self, untracked: Sequence[str]) -> Iterator[Extra]:
        unwanted = set(self._matching(self._patterns.unwanted))
        wanted = [path for path in self._matching(self._patterns.wanted) if path not in unwanted]
        yield from map(self._asked_for, wanted)
        known = {*wanted, *unwanted}
        for path in unwanted:
            yield Extra(path=path, way="leftOut", reason=f"left out by {INCLUDE_FILE}")
        for path in self._links_out():
            if path not in known:
                yield Extra(
                    path=path, way="linked", reason="a link that leads out of the repository"
                )
        ignored = [path for path in self._ignored() if path.rstrip("/") not in known]
        # Small things first: the limit for all is not to be used up by one folder of data.
        ignored.sort(key=lambda path: (path.endswith("/"), path))
        parts = [*ignored, *(f"{path}/" for path in untracked if path not in known)]
        for path in parts:
            extra = self._decided(path)
            if extra is not None:
                yield extra
        yield from self._empty_folders()
        yield from siblings(self._root)

    def _empty_folders(self) -> Iterator[Extra]:
        """Folders without a file, which git does not know of, and to which a program may write."""
        listed = git.run(
            "ls-files", "-o", "--exclude-standard", "--directory", "-z", cwd=self._root
        )
        for path in git.paths(listed):
            if path.endswith("/") and _is_empty(self._root / path):
                yield Extra(path=path.rstrip("/"), way="copied", size=0, reason=EMPTY_FOLDER)

    def _ignored(self) -> list[str]:
        """What git ignores, folders that are ignored as a whole with a slash at their end."""
        found: list[str] = []
        for folder in ["", *self._repositories_inside()]:
            listed = git.run(
                "ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z",
                cwd=self._root / folder,
            )  # fmt: skip
            lead = f"{folder}/" if folder else ""
            paths = [path for path in git.paths(listed) if path != "./"]
            # Git lists a folder, too, in which there is nothing but ignored files.
            folders = [path for path in paths if path.endswith("/")]
            ignored = set(_ignored_of(folders, self._root / folder))
            found += [lead + path for path in paths if not path.endswith("/") or path in ignored]
        return [path for path in found if not path.endswith(".git/")]

    def _repositories_inside(self) -> list[str]:
        inside = self._entries(_LINK)
        return [path for path in inside if (self._root / path / ".git").exists()]

    def _links_out(self) -> list[str]:
        """Links in the snapshot that lead to something beside the repository."""
        found = sorted({*self._entries(_SYMBOLIC), *DEPENDENCIES})
        places = [path for path in found if (self._root / path).is_symlink()]
        out = [path for path in places if leads_out(self._root / path, self._root)]
        return [path for path in out if (self._root / path).exists()]

    def _entries(self, mode: str) -> list[str]:
        entries = git.paths(git.run("ls-files", "-sz", cwd=self._root))
        return [entry.partition("\t")[2] for entry in entries if entry.startswith(mode)]

    def _matching(self, patterns: Sequence[str]) -> list[str]:
        """Ignored files that match the patterns, and folders of which all files do."""
        if not patterns:
            return []
        excludes = [f"--exclude={pattern}" for pattern in patterns]
        matching = git.run("ls-files", "-o", "-i", "--directory", "-z", *excludes, cwd=self._root)
        ignored = _ignored_of(git.paths(matching), self._root)
        return sorted({path.rstrip("/") for path in ignored})

    def _asked_for(self, path: str) -> Extra:
        size = self._size(path, ASKED_LIMIT, None)
        if size is None:
            said = f"larger than {size_in_words(ASKED_LIMIT)}"
            return Extra(path=path, way="leftOut", reason=said)
        linked = PurePosixPath(path).name in DEPENDENCIES and (self._root / path).is_dir()
        way = "linked" if linked else "copied"
        return Extra(path=path, way=way, size=size, reason=f"named in {INCLUDE_FILE}")

    def _decided(self, path: str) -> Extra | None:
        """What becomes of an ignored path; None for what nobody misses."""
        name = PurePosixPath(path).name
        plain = path.rstrip("/")
        if _is_cache(PurePosixPath(path)):
            return None
        place = self._root / plain
        if path.endswith("/") and (name in DEPENDENCIES or is_environment(place)):
            return Extra(path=plain, way="linked", reason="dependencies")
        limit = FOLDER_LIMIT if path.endswith("/") else FILE_LIMIT
        size = self._size(plain, min(limit, self._left), _MOST_FILES)
        if size is not None:
            self._left -= size
            return Extra(path=plain, way="copied", size=size, reason="ignored by git")
        if name in _BUILT:
            return None if name in {"target", ".eggs"} else _too_large(plain, limit)
        if self._is_readable(place):
            return Extra(path=plain, way="linked", reason="ignored by git, large")
        return _too_large(plain, limit)

    def _is_readable(self, place: Path) -> bool:
        return os.access(place, os.R_OK)

    def _size(self, path: str, limit: int, most_files: int | None) -> int | None:
        """Bytes of a file or a folder; None where they are more than the limit, or unreadable."""
        place = self._root / path
        try:
            if place.is_symlink() or not place.is_dir():
                size = place.lstat().st_size
                return size if size <= limit and _can_be_copied(place) else None
        except OSError:
            return None
        return _size_of_folder(place, limit, most_files)


def _ignored_of(paths: Sequence[str], root: Path) -> Sequence[str]:
    """Those that git ignores."""
    if not paths:
        return ()
    asked = b"\0".join(os.fsencode(path) for path in paths)
    try:
        return git.paths(git.run("check-ignore", "-z", "--stdin", cwd=root, stdin=asked))
    except git.GitError:  # its exit status for "none of them"
        return ()


def _is_cache(path: PurePosixPath) -> bool:
    if path.suffix == ".log" and not _OF_TESTS.isdisjoint(path.parts[:-1]):
        return False
    return any(fnmatch.fnmatchcase(path.name, pattern) for pattern in _CACHES)


def _size_of_folder(place: Path, limit: int, most_files: int | None) -> int | None:
    size = count = 0
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                size += Path(folder, name).lstat().st_size
            except OSError:
                continue
            count += 1
        if size > limit or (most_files is not None and count > most_files):
            return None
    return size


def _is_empty(place: Path) -> bool:
    return not any(names for _, _, names in os.walk(place))


def _can_be_copied(place: Path) -> bool:
    return place.is_symlink() or (place.is_file() and os.access(place, os.R_OK))


def is_environment(place: Path) -> bool:
    """Whether a folder is an environment of Python's or conda's."""
    return (place / "pyvenv.cfg").is_file() or (place / "conda-meta").is_dir()


def _too_large(path: str, limit: int) -> Extra:
    return Extra(
        path=path, way="leftOut", reason=f"ignored by git, more than {size_in_words(limit)}"
    )

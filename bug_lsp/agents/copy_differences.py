"""Tells a failure of the copy from the bug: what failed names a file that the checkout has and the
copy has not, or that can only be read from the copy, or it expects the checkout's own place. Both
are only looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from bug_lsp.domain.copy_contents import WAY_OUT

_MOST_TEXT = 200_000
_MOST_NAMES = 200
_PYTHON_MODULE = re.compile(r"No module named '?([A-Za-z_][\w.]*)")
_PYTHON_NAME = re.compile(
    r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'"
)
_NODE_MODULE = re.compile(r"Cannot find (?:module|package) '([^'\n]+)'")
_MISSING = re.compile(
    r"No such file|ENOENT|FileNotFound|cannot open|can't open|[Cc]ould not (?:open|find|read)"
    r"|does not exist|doesn't exist|[Uu]nable to (?:open|find|load)|Cannot find|not found"
    r"|cannot find|No module named|cannot stat|Failed to (?:open|load|resolve)"
)
_READ_ONLY = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
_SYSTEM = ("/proc", "/sys", "/dev")
_COMPARES = re.compile(r"[!=]=|^[-+] |assert|[Ee]xpected|Received", re.MULTILINE)
_NEAR = 3
"""Lines in which both sides of a comparison are shown."""
_QUOTED = re.compile(r"""['"`]([^'"`\n]{1,300})['"`]""")
_PATH = re.compile(r"[\w@%+=~.-]*(?:/[\w@%+=~.-]+)+|[\w@%+=~-]+\.[\w.-]+")
_SOURCE_FOLDERS = ("", "src", "lib", "*", "*/src", "*/*", "*/*/src")
_MODULE_FILES = ("", ".py", ".pyi", ".so", ".pyd", ".*.so", ".*.pyd")


@dataclass(frozen=True, slots=True)
class Worlds:
    """The copy and the checkout, side by side."""

    copy: Path
    checkout: Path
    prefix: str = ""
    """Where the tests run in both, POSIX."""

    def lacking(self, text: str) -> str | None:
        """Why the failure that `text` tells of is the copy's own, as a sentence; None if it is not.

        `text` is a test's error or the output of a command.
        """
        text = text[-_MOST_TEXT:]
        for path in islice(dict.fromkeys(self._named(text)), _MOST_NAMES):
            # A file that is to be written is nowhere yet, but its folder is.
            for place in (path, os.path.dirname(path)):  # noqa: PTH120 - a text still
                if place not in {"", ".", ".."} and self._is_missing(place):
                    return _sentence(place)
        for path in self._not_written(text):
            return (
                f"`{path}` can only be read from the copies, and what was run writes it: make it"
                " with the setting setUpCommand, or name its folder in writablePaths"
            )
        for path in self._expected_place(text):
            return (
                f"`{path}` is where the checkout is, and what was run expects to be there: copies"
                " lie elsewhere, so let the tests look for files beside their own"
            )
        return None

    def _not_written(self, text: str) -> Iterator[str]:
        """What could not be written for lying outside of the copy."""
        copy = os.path.realpath(self.copy)
        for line in filter(_READ_ONLY.search, text.splitlines()):
            for name in [*_QUOTED.findall(line), *_PATH.findall(line)]:
                place = Path(os.path.realpath(Path(copy, self.prefix, name)))
                if place.is_relative_to(copy) or str(place).startswith(_SYSTEM):
                    continue
                is_own = place.is_relative_to(self.checkout)
                yield str(place.relative_to(self.checkout) if is_own else place)

    def _expected_place(self, text: str) -> Iterator[str]:
        """Places in the checkout with which the same places in the copy were compared."""
        lines = text.splitlines()
        inside = re.compile(re.escape(str(self.checkout)) + r"[\w@%+=~./-]*")
        for number, line in enumerate(lines):
            for match in inside.finditer(line):
                near = "\n".join(lines[max(number - _NEAR, 0) : number + _NEAR + 1])
                own = f"{self.copy}{match[0].removeprefix(str(self.checkout))}"
                if own in near and _COMPARES.search(near):
                    yield match[0]

    def _is_missing(self, path: str) -> bool:
        return _has(self.checkout / path) and not _has(self.copy / path)

    def _named(self, text: str) -> Iterator[str]:
        """Paths that may be what the text says is missing, relative to the checkout's root."""
        for match in _PYTHON_MODULE.finditer(text):
            yield from self._module(match[1])
        for match in _PYTHON_NAME.finditer(text):
            yield from self._module(f"{match[2]}.{match[1]}")
        for match in _NODE_MODULE.finditer(text):
            if not match[1].startswith((".", "/")):
                yield from self._installed(match[1])
        for line in text.splitlines():
            if _MISSING.search(line):
                for match in _QUOTED.finditer(line):
                    yield from self._in_the_checkout(match[1])
                for name in _PATH.findall(line):
                    yield from self._in_the_checkout(name)

    def _module(self, name: str) -> Iterator[str]:
        """Files of the checkout that a Python module may be."""
        path = name.replace(".", "/")
        for root in dict.fromkeys((self.checkout / self.prefix, self.checkout)):
            for folder in _SOURCE_FOLDERS:
                for suffix in _MODULE_FILES:
                    pattern = "/".join(filter(None, [folder, path + suffix]))
                    for place in _glob(root, pattern):
                        yield place.relative_to(self.checkout).as_posix()

    def _installed(self, name: str) -> Iterator[str]:
        """Where an npm package may be installed."""
        parts = name.split("/")
        package = "/".join(parts[: 2 if name.startswith("@") else 1])
        folder = PurePosixPath(self.prefix)
        for place in [folder, *folder.parents]:
            yield str(place / "node_modules" / package)

    def _in_the_checkout(self, name: str) -> Iterator[str]:
        """Where a path that the copy names is in the checkout."""
        if not os.path.isabs(name):  # noqa: PTH117 - a text still
            for folder in dict.fromkeys((self.prefix, "")):
                yield os.path.normpath(Path(folder, name))
            return
        path = os.path.normpath(name)
        # A path beside the copy is one that the tests made by going up from it.
        if Path(path).is_relative_to(self.copy.parent) and not _has(Path(path)):
            yield os.path.relpath(path, self.copy)


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return [path for path in folder.glob(pattern) if "node_modules" not in path.parts]
    except (OSError, ValueError):
        return []


def _has(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a NUL in it
        return False


def _sentence(path: str) -> str:
    if path.startswith(".."):
        return (
            f"`{path}` lies outside of the repository, beside which the copies do not have it: put "
            "it into the repository, or let the tests name it by an absolute path"
        )
    return f"`{path}` is in the checkout and not in the copies: {WAY_OUT}"

"""The files of a project: read once, parsed once, and what those that a file imports define."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from bug_lsp.agents.python_tests import is_test_code
from bug_lsp.agents.spectrum.python_source import PythonSource

from .source import FUNCTIONS, SourceFile

_LEFT_OUT = {"node_modules", "site-packages", "__pycache__", "build", "dist"}
_MOST_FILES = 2000
_MOST_MEMBERS = 60


class Files:
    """The files of a copy."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sources: dict[str, SourceFile | None] = {}
        self._statements: dict[str, PythonSource] = {}
        self._by_stem: dict[str, list[str]] | None = None

    def source(self, path: str) -> SourceFile | None:
        """A file to edit; None for one that this Python cannot read."""
        if path not in self._sources:
            file = self._sources[path] = self._read(self._root / path)
            if file is not None:
                file.members = tuple(dict.fromkeys(self._members(file)))[:_MOST_MEMBERS]
        return self._sources[path]

    def _read(self, file: Path) -> SourceFile | None:
        try:
            data = file.read_bytes()
            text = data.decode(encoding_of(data))
            return SourceFile(file.relative_to(self._root).as_posix(), text)
        except (OSError, ValueError, SyntaxError, RecursionError):
            return None

    def statements(self, path: str) -> PythonSource:
        """A file's lines and statements, for the ranking."""
        if path not in self._statements:
            file = self._root / path
            data = file.read_bytes() if file.is_file() else b""
            self._statements[path] = PythonSource.parse(data)
        return self._statements[path]

    def _members(self, file: SourceFile) -> Iterator[str]:
        """What the classes of a file and of those that it imports define."""
        yield from _defined(file.tree)
        for node in ast.walk(file.tree):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                names = [(node.module or "").rpartition(".")[2], *(a.name for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name.rpartition(".")[2] for alias in node.names]
            for name in names:
                for path in self._stems().get(name, [])[:3]:
                    other = self._read(self._root / path) if path != file.path else None
                    if other is not None:
                        yield from _defined(other.tree)

    def _stems(self) -> dict[str, list[str]]:
        """The project's modules by the last part of their names."""
        if self._by_stem is None:
            self._by_stem = {}
            for count, path in enumerate(_modules(self._root, self._root)):
                if count == _MOST_FILES:
                    break
                name = path.removesuffix("/__init__.py").removesuffix(".py")
                self._by_stem.setdefault(name.rpartition("/")[2], []).append(path)
        return self._by_stem


def _modules(root: Path, folder: Path) -> Iterator[str]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in _LEFT_OUT and not entry.name.startswith("."):
                yield from _modules(root, entry)
        elif entry.suffix == ".py":
            path = entry.relative_to(root).as_posix()
            if not is_test_code(path):
                yield path


def _defined(tree: ast.AST) -> Iterator[str]:
    """Attributes and methods of the classes in a tree."""
    for cls in ast.walk(tree):
        if not isinstance(cls, ast.ClassDef):
            continue
        for node in cls.body:
            match node:
                case (
                    ast.AnnAssign(target=ast.Name(id=name))
                    | ast.Assign(targets=[ast.Name(id=name)])
                ):
                    yield name
            if isinstance(node, FUNCTIONS) and not node.name.startswith("__"):
                yield node.name
        for inner in ast.walk(cls):
            match inner:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                    yield name


def encoding_of(data: bytes) -> str:
    """The encoding that a Python file says it has."""
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]

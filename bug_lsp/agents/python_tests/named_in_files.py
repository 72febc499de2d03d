"""Finds tests that a text names in the files of a project, before anything is run or collected."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .code_kind import is_test_code
from .named import named_tests

_NOT_SOURCES = {"node_modules", "site-packages", "__pycache__", "build", "dist"}
_MOST_FILES = 5_000
_MOST_BYTES = 2_000_000
_MOST_NAMED = 40


def find_named_tests(folder: Path, text: str) -> tuple[str, ...]:
    """The tests that the text names themselves, as `tests/test_a.py::TestA::test_b`.

    None of them where it names only files or classes, or so many tests that it singles out none.
    """
    words = {word for word in re.findall(r"\w{6,}", text) if "test" in word.lower()}
    looked_for = re.compile("|".join(map(re.escape, sorted(words))).encode() or rb"(?!)")
    ids: list[str] = []
    for path in test_files(folder):
        try:
            data = (folder / path).read_bytes()[:_MOST_BYTES]
        except OSError:
            continue
        if looked_for.search(data):
            ids += [f"{path}::{name}" for name in _tests(data)]
    named = named_tests(ids, text)
    if not named.is_exact or len(named.ids) > _MOST_NAMED:
        return ()
    return tuple(name for name in ids if name in named.ids)


def test_files(folder: Path) -> Iterator[str]:
    """Files of tests below a folder, relative to it."""
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(place, name).relative_to(folder).as_posix()
            if name.endswith(".py") and is_test_code(path):
                yield path
                count += 1
                if count >= _MOST_FILES:
                    return


def _tests(data: bytes) -> Iterator[str]:
    """The functions of a file that may be tests, with the classes that they are in."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return
    yield from _in(tree, "")


def _in(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if child.name.startswith("test"):
                yield prefix + child.name
        elif isinstance(child, ast.ClassDef):
            yield from _in(child, f"{prefix}{child.name}::")
        elif isinstance(child, (ast.If, ast.Try)):
            yield from _in(child, prefix)

"""Puts a changed source file into force in a process that has already imported it.

The code of the functions that exist is exchanged; what ran at import is not run again. It never
writes a file. Only the statement of the module that has the change in it is compiled: a large file
would take longer to compile than its tests to run.
"""

from __future__ import annotations
import __future__

import ast
import gc
import os
import re
from collections import defaultdict
from types import CodeType, FunctionType
from typing import Any

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class CannotSwapError(Exception):
    """The change is not one of function bodies alone."""


class _Span:
    """The lines of a statement; of a class also those of its head and of what is in it."""

    def __init__(self, statement: ast.stmt) -> None:
        decorators = getattr(statement, "decorator_list", [])
        self.first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        self.last = getattr(statement, "end_lineno", None) or statement.lineno
        self.inner: list[_Span] = []
        self.head = self.last
        if isinstance(statement, ast.ClassDef):
            inner = [_Span(one) for one in statement.body]
            if inner[0].first > statement.lineno:
                self.inner, self.head = inner, inner[0].first - 1

    def holds(self, start: int, end: int) -> bool:
        """Whether these lines, from 0 and without the last, are in it.

        What is inserted before its first line is not.
        """
        return (self.first - 1 if start < end else self.first) <= start and end <= self.last


class _Original:
    """A file as it was imported, by its lines and statements."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines = _LINE.findall(text)
        tree = ast.parse(text)
        self._spans = [_Span(statement) for statement in tree.body]
        self._flags = 0
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for name in node.names:
                    self._flags |= getattr(__future__, name.name).compiler_flag
        self._before: dict[int, dict[tuple[int, str], list[Any]]] = {}

    def change(self, new: str) -> tuple[list[_Span], list[str]]:
        """Where the change of a new text is: a statement, after the classes it is in, and its new
        lines.
        """
        lines = _LINE.findall(new)
        shorter = min(len(lines), len(self._lines))
        start = next((n for n in range(shorter) if lines[n] != self._lines[n]), shorter)
        rest = shorter - start
        same = next((n for n in range(rest) if lines[-n - 1] != self._lines[-n - 1]), rest)
        way = self._way(start, len(self._lines) - same)
        more = len(lines) - len(self._lines)
        return way, lines[way[-1].first - 1 : way[-1].last + more]

    def _way(self, start: int, end: int) -> list[_Span]:
        way: list[_Span] = []
        spans = self._spans
        while spans:
            found = next((span for span in spans if span.holds(start, end)), None)
            if found is None:
                break
            way.append(found)
            spans = found.inner
        if not way:
            raise CannotSwapError(self.file)
        return way

    def before(self, way: list[_Span]) -> dict[tuple[int, str], list[Any]]:
        """The paths of the code in the last statement of a way, by first line and name."""
        first, last = way[-1].first, way[-1].last
        if first not in self._before:
            found: dict[tuple[int, str], list[Any]] = defaultdict(list)
            for path, code in walk(self.compile(way, self._lines[first - 1 : last])):
                found[code.co_firstlineno, code.co_name].append(path)
            self._before[first] = found
        return self._before[first]

    def compile(self, way: list[_Span], lines: list[str]) -> CodeType:
        """The code of a statement with these lines, in its classes without all else in them."""
        parts: list[str] = []
        line = 1
        for outer in way[:-1]:
            parts += ["\n" * (outer.first - line), *self._lines[outer.first - 1 : outer.head]]
            line = outer.head + 1
        parts += ["\n" * (way[-1].first - line), *lines]
        text = "".join(parts)
        code: CodeType = compile(text, self.file, "exec", flags=self._flags, dont_inherit=True)
        return code


class Functions:
    """The functions of the project that exist now."""

    def __init__(self, root: str) -> None:
        self._by_file: dict[str, list[FunctionType]] = defaultdict(list)
        self._changed: list[tuple[FunctionType, CodeType]] = []
        self._originals: dict[str, _Original] = {}
        real: dict[str, str] = {}
        inside = os.path.realpath(root) + os.sep
        for thing in gc.get_objects():
            if type(thing) is not FunctionType:
                continue
            name = thing.__code__.co_filename
            if name not in real:
                real[name] = os.path.realpath(name)
            if real[name].startswith(inside):
                self._by_file[real[name]].append(thing)

    def learn(self, file: str, text: str) -> None:
        """Read a file as it was imported: once, for all children that are forked from here on."""
        file = os.path.realpath(file)
        if file not in self._originals or self._originals[file].text != text:
            self._originals[file] = _Original(file, text)

    def restore(self) -> None:
        """Give all functions back the code that they had."""
        for function, code in self._changed:
            function.__code__ = code
        self._changed.clear()

    def swap(self, file: str, old: str, new: str) -> None:
        """Give each function of the file the code that it has in the new text."""
        self.learn(file, old)
        file = os.path.realpath(file)
        original = self._originals[file]
        way, lines = original.change(new)
        before, after = original.before(way), dict(walk(original.compile(way, lines)))
        exchanged = 0
        for function in self._by_file.get(file, ()):
            mine = function.__code__
            paths = before.get((mine.co_firstlineno, mine.co_name), [])
            if len(paths) == 1 and paths[0] in after:
                self._exchange(function, after[paths[0]])
                exchanged += 1
        if not exchanged:
            raise CannotSwapError(file)

    def _exchange(self, function: FunctionType, code: CodeType) -> None:
        if code.co_freevars != function.__code__.co_freevars:
            raise CannotSwapError(function.__qualname__)
        self._changed.append((function, function.__code__))
        function.__code__ = code


def walk(code: CodeType, path: Any = ()) -> list[tuple[Any, CodeType]]:
    """All code objects in one, each by the names that lead to it."""
    found = []
    seen: dict[str, int] = defaultdict(int)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = (*path, (constant.co_name, seen[constant.co_name]))
            seen[constant.co_name] += 1
            found.append((inner, constant))
            found += walk(constant, inner)
    return found

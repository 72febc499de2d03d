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


class _Original:
    """A file as it was imported: its lines, and those of each statement of the module."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines = _LINE.findall(text)
        tree = ast.parse(text)
        self._spans = [_span(statement) for statement in tree.body]
        self._flags = 0
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                for name in node.names:
                    self._flags |= getattr(__future__, name.name).compiler_flag
        self._before: dict[int, dict[tuple[int, str], list[Any]]] = {}

    def change(self, new: str) -> tuple[int, CodeType]:
        """The number of the statement that a new text changes, and its code then."""
        lines = _LINE.findall(new)
        shorter = min(len(lines), len(self.lines))
        start = next((n for n in range(shorter) if lines[n] != self.lines[n]), shorter)
        rest = shorter - start
        same = next((n for n in range(rest) if lines[-n - 1] != self.lines[-n - 1]), rest)
        end = len(self.lines) - same
        for number, (first, last) in enumerate(self._spans):
            # What is inserted before the first line of a statement is not in it.
            begins = first - 1 if start < end else first
            if begins <= start and end <= last:
                more = len(lines) - len(self.lines)
                return number, self._compile(first, lines[first - 1 : last + more])
        raise CannotSwapError(self.file)

    def before(self, number: int) -> dict[tuple[int, str], list[Any]]:
        """The paths of the code in a statement, by first line and name."""
        if number not in self._before:
            first, last = self._spans[number]
            found: dict[tuple[int, str], list[Any]] = defaultdict(list)
            for path, code in _walk(self._compile(first, self.lines[first - 1 : last])):
                found[code.co_firstlineno, code.co_name].append(path)
            self._before[number] = found
        return self._before[number]

    def _compile(self, first: int, lines: list[str]) -> CodeType:
        text = "\n" * (first - 1) + "".join(lines)
        code: CodeType = compile(text, self.file, "exec", flags=self._flags, dont_inherit=True)
        return code


def _span(statement: ast.stmt) -> tuple[int, int]:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return first, getattr(statement, "end_lineno", None) or statement.lineno


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
        number, code = original.change(new)
        before, after = original.before(number), dict(_walk(code))
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


def _walk(code: CodeType, path: Any = ()) -> list[tuple[Any, CodeType]]:
    """All code objects in one, each by the names that lead to it."""
    found = []
    seen: dict[str, int] = defaultdict(int)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = (*path, (constant.co_name, seen[constant.co_name]))
            seen[constant.co_name] += 1
            found.append((inner, constant))
            found += _walk(constant, inner)
    return found

"""Puts a changed source file into force in a process that has already imported it.

The code of the functions that exist is exchanged; what ran at import is not run again. It never
writes a file.
"""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from types import CodeType, FunctionType
from typing import Any


class CannotSwapError(Exception):
    """The change is not one of function bodies alone."""


class Functions:
    """The functions of the project that exist now."""

    def __init__(self, root: str) -> None:
        self._by_file: dict[str, list[FunctionType]] = defaultdict(list)
        self._changed: list[tuple[FunctionType, CodeType]] = []
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

    def restore(self) -> None:
        """Give all functions back the code that they had."""
        for function, code in self._changed:
            function.__code__ = code
        self._changed.clear()

    def swap(self, file: str, old: str, new: str) -> None:
        """Give each function of the file the code that it has in the new text."""
        file = os.path.realpath(file)
        functions = self._by_file.get(file)
        if not functions:
            raise CannotSwapError(file)
        before: dict[tuple[int, str], list[Any]] = defaultdict(list)
        for path, code in _walk(compile(old, file, "exec", dont_inherit=True)):
            before[code.co_firstlineno, code.co_name].append(path)
        after = dict(_walk(compile(new, file, "exec", dont_inherit=True)))
        for function in functions:
            mine = function.__code__
            paths = before.get((mine.co_firstlineno, mine.co_name), [])
            if len(paths) == 1 and paths[0] in after:
                self._exchange(function, after[paths[0]])

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

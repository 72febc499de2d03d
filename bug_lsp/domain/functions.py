"""Finds the functions of a source file, so that findings a few lines apart can be about one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MOST_CHARACTERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function or a method, by the lines that it takes."""

    name: str
    """Qualified: `Option.__init__`, `outer.inner`."""
    first: int
    """Its first line, decorators included; counted from 1."""
    last: int


def functions(path: str, text: str) -> list[Function]:
    """Return the functions of a Python file, outer ones first; [] for other and broken files."""
    if not path.endswith((".py", ".pyi")) or len(text) > _MOST_CHARACTERS:
        return []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    return list(_inside(tree, ""))


def function_at(known: list[Function], line: int) -> str:
    """Return the name of the innermost function at a line; "" outside of functions."""
    around = [function for function in known if function.first <= line <= function.last]
    return max(around, key=lambda function: function.first).name if around else ""


def _inside(node: ast.AST, prefix: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_FUNCTIONS, ast.ClassDef)):
            name = f"{prefix}{child.name}"
            if isinstance(child, _FUNCTIONS):
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                yield Function(name, first, child.end_lineno or child.lineno)
            yield from _inside(child, f"{name}.")
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _inside(child, prefix)

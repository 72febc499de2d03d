"""A Python source file as statements: where each begins, and in what kind of place it stands.

It reads text only, and knows nothing of tests or of scores.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

_DEFINITIONS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Global,
    ast.Nonlocal,
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, or the head of a compound one."""

    line: int
    """Its first line."""
    is_definition: bool
    """Whether it only makes a name known: `def`, `class`, `import`, a docstring."""
    function_length: int | None
    """How many lines its function has; None outside of functions, where it runs at import."""
    guard: int | None = None
    """For a `raise`, the first line of the statement around it, which leads to it."""


@dataclass(frozen=True, slots=True)
class PythonSource:
    """A file's lines and statements."""

    lines: tuple[str, ...]
    statements: dict[int, Statement]
    """By each line that belongs to one."""
    tries: tuple[tuple[range, range], ...] = ()
    """The lines of each `try`, and those that run when something in them is raised."""

    @classmethod
    def parse(cls, data: bytes) -> PythonSource:
        """Any bytes: a file that is no Python of this version has lines but no statements."""
        statements: dict[int, Statement] = {}
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError):
            return cls(lines_of(data), {})
        for statement, last in _walk(tree.body, None):
            for line in range(statement.line, last + 1):
                statements[line] = statement
        return cls(lines_of(data), statements, tuple(_tries(tree)))

    def after(self, line: int) -> set[int]:
        """The lines that run once an exception has left this line."""
        return {
            handling
            for body, handlers in self.tries
            if line in body
            for handling in handlers
            if line not in handlers
        }

    def statement(self, line: int) -> Statement:
        """The statement a line belongs to."""
        return self.statements.get(line) or Statement(line, False, len(self.lines))  # noqa: FBT003

    def quote(self, line: int) -> str:
        """The text of a line, verbatim."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""


def lines_of(data: bytes) -> tuple[str, ...]:
    """A file's lines as Python counts them, without their ends.

    Not `str.splitlines`: it also splits at form feeds and at Unicode's own line ends.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        encoding = "utf-8"
    return tuple(re.split(r"\r\n|\r|\n", data.decode(encoding, "replace")))


def _tries(tree: ast.AST) -> Iterator[tuple[range, range]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Try, ast.TryStar)):
            rest: list[ast.ExceptHandler | ast.stmt] = [*node.handlers, *node.finalbody]
            body = range(node.body[0].lineno, (node.body[-1].end_lineno or 0) + 1)
            yield body, range(rest[0].lineno, (rest[-1].end_lineno or 0) + 1)


def _walk(
    body: list[ast.stmt], function: int | None, around: int | None = None
) -> Iterator[tuple[Statement, int]]:
    """Each statement with the last line of it, or of its head."""
    for index, node in enumerate(body):
        first = _first_line(node)
        is_docstring = (
            index == 0
            and isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
        definition = isinstance(node, _DEFINITIONS) or is_docstring
        guard = around if isinstance(node, ast.Raise) else None
        yield Statement(first, definition, function, guard), _last_line_of_head(node)
        inner = function
        if isinstance(node, _FUNCTIONS):
            inner = (node.end_lineno or first) - first + 1
        elif isinstance(node, ast.ClassDef):
            inner = None
        yield from _walk_parts(node, inner, None if isinstance(node, _DEFINITIONS) else first)


def _walk_parts(
    node: ast.AST, function: int | None, around: int | None
) -> Iterator[tuple[Statement, int]]:
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        parts = getattr(node, name, None)
        if not isinstance(parts, list) or not parts:
            continue
        if isinstance(parts[0], ast.stmt):
            yield from _walk(parts, function, around)
            continue
        for part in parts:  # `except ...:` and `case ...:` have a head and a body of their own
            first = part.lineno if isinstance(part, ast.ExceptHandler) else part.pattern.lineno
            yield Statement(first, False, function), _last_line_before(part.body, first)  # noqa: FBT003
            yield from _walk(part.body, function, first)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last_line_of_head(node: ast.stmt) -> int:
    if isinstance(node, ast.Match):
        return node.subject.end_lineno or node.lineno
    body = getattr(node, "body", None)
    if isinstance(body, list) and body:
        return _last_line_before(body, node.lineno)
    return node.end_lineno or node.lineno


def _last_line_before(body: list[ast.stmt], first: int) -> int:
    return max(_first_line(body[0]) - 1, first)

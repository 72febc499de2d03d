"""A Python file as text and tree together: where each node stands, and what replaces it.

Edits are splices of the text, so whatever is not edited stays as its author formatted it.
"""

from __future__ import annotations

import ast
import bisect
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from . import fstrings

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ATOM = 16
_BINARY: dict[type[ast.operator], int] = {
    ast.BitOr: 7, ast.BitXor: 8, ast.BitAnd: 9, ast.LShift: 10, ast.RShift: 10, ast.Add: 11,
    ast.Sub: 11, ast.Mult: 12, ast.MatMult: 12, ast.Div: 12, ast.FloorDiv: 12, ast.Mod: 12,
    ast.Pow: 14,
}  # fmt: skip
_OTHERS: dict[type[ast.expr], int] = {
    ast.NamedExpr: 0, ast.Yield: 0, ast.YieldFrom: 0, ast.Lambda: 1, ast.IfExp: 2,
    ast.Compare: 6, ast.Await: 15, ast.Starred: 1,
}  # fmt: skip


def precedence(node: ast.AST) -> int:
    """How tightly an expression binds, from 0 (a yield) to 16 (a name)."""
    match node:
        case ast.BinOp(op=op):
            return _BINARY[type(op)]
        case ast.BoolOp(op=op):
            return 3 if isinstance(op, ast.Or) else 4
        case ast.UnaryOp(op=op):
            return 5 if isinstance(op, ast.Not) else 13
        case ast.Constant(value=value) if isinstance(value, int | float) and value < 0:
            return 13
        case ast.expr():
            return _OTHERS.get(type(node), _ATOM)
        case _:
            return _ATOM


def _needed_in(parent: ast.AST, node: ast.AST) -> int:
    """How tightly an expression has to bind to stand at a place without parentheses."""
    match parent:
        case ast.BinOp(op=ast.Pow()):
            return 15 if node is parent.left else 13
        case ast.BinOp(op=op):
            return _BINARY[type(op)] + (node is parent.right)
        case ast.BoolOp() | ast.UnaryOp():
            return precedence(parent) + isinstance(parent, ast.BoolOp)
        case ast.Compare() | ast.Starred():
            return 7
        case ast.Attribute() | ast.Await() | ast.FormattedValue():
            return _ATOM
        case ast.Subscript() | ast.Call():
            callee = parent.value if isinstance(parent, ast.Subscript) else parent.func
            return _ATOM if node is callee else 1
        case ast.IfExp():
            return 2 if node is parent.orelse else 3
        case ast.comprehension():
            return 3
        case ast.stmt():
            return 0
        case _:
            return 1


@lru_cache(maxsize=20_000)
def precedence_of(text: str) -> int:
    """How tightly the expression in a text binds. Raises `SyntaxError` where it is none."""
    node = ast.parse(f"({text}\n)", mode="eval").body
    if isinstance(node, ast.Tuple) and not text.lstrip().startswith("("):
        return 0
    return precedence(node)


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """A piece of a file's UTF-8 bytes, and the text that replaces it."""

    start: int
    end: int
    text: str


class SourceFile:
    """A file's text, its tree and its places."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.members: tuple[str, ...] = ()
        """Attributes and methods of the classes that the file defines or imports."""
        self.tree = ast.parse(text)
        self._data = text.encode("utf-8")
        self._lines: dict[ast.stmt, tuple[int, int] | None] = {}
        ends = [match.end() for match in re.finditer(rb"\r\n|\r|\n", self._data)]
        self._starts = [0, *ends]
        fstrings.give_places(self.tree, self.src)
        self.parents: dict[ast.AST, ast.AST] = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    @cached_property
    def newline(self) -> str:
        """The line end that the file uses."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def offset(self, line: int, column: int) -> int:
        """The byte at a place; the line counts from 1, the column is in bytes."""
        return self._starts[line - 1] + column

    def line_of(self, offset: int) -> int:
        """The line that a byte is in."""
        return bisect.bisect_right(self._starts, offset)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends, its own parentheses left out."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.arg | ast.excepthandler)  # noqa: S101
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def between(self, start: int, end: int) -> str:
        """The text of some bytes."""
        return self._data[start:end].decode("utf-8", "replace")

    def src(self, node: ast.AST) -> str:
        """A node as it is written."""
        return self.between(*self.span(node))

    def operand(self, node: ast.expr, least: int) -> str:
        """A node as it is written, in parentheses where it binds less tightly than that."""
        text = self.src(node)
        return f"({text})" if self._binding(node) < least or "\n" in text else text

    def _binding(self, node: ast.expr) -> int:
        if isinstance(node, ast.Tuple) and not self.src(node).startswith("("):
            return 0
        return precedence(node)

    def replace(self, node: ast.expr, text: str) -> Splice:
        """Another expression in the place of one. Raises `SyntaxError` where it is none."""
        start, end = self.span(node)
        needed = _needed_in(self.parents.get(node, self.tree), node)
        if precedence_of(text) < needed and not self._is_enclosed(start, end):
            text = f"({text})"
        return Splice(start, end, text)

    def _is_enclosed(self, start: int, end: int) -> bool:
        before, after = self._data[:start].rstrip(), self._data[end:].lstrip()
        return before.endswith(b"(") and after.startswith(b")")

    def apply(self, splices: Iterable[Splice]) -> str:
        """The whole text after the splices, which must not overlap."""
        data = self._data
        for splice in sorted(splices, key=lambda s: (s.start, s.end), reverse=True):
            data = data[: splice.start] + splice.text.encode("utf-8") + data[splice.end :]
        return data.decode("utf-8")

    def first_line(self, node: ast.stmt) -> int:
        """The line a statement begins at, its decorators included."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        return min([node.lineno, *(decorator.lineno for decorator in decorators)])

    def indent(self, node: ast.stmt) -> str:
        """What stands before a statement on its line."""
        start = self.offset(node.lineno, 0)
        return self.between(start, start + node.col_offset)

    def lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """The bytes of a statement's lines, line end included; None if it shares them."""
        if node not in self._lines:
            self._lines[node] = self._find_lines(node)
        return self._lines[node]

    def _find_lines(self, node: ast.stmt) -> tuple[int, int] | None:
        start = self.offset(self.first_line(node), 0)
        last = node.end_lineno or node.lineno
        end = self._starts[last] if last < len(self._starts) else len(self._data)
        rest = self.between(self.span(node)[1], end).strip()
        if self.indent(node).strip() or (rest and not rest.startswith("#")):
            return None
        return start, end

    def block(self, node: ast.stmt) -> str:
        """A statement's lines without their indentation."""
        place = self.lines(node)
        text = self.between(*place) if place else self.src(node)
        return textwrap.dedent(text.replace("\r\n", "\n")).rstrip("\n")

    def indented(self, block: str, indent: str) -> str:
        """Lines with this indentation and the file's line ends."""
        lines = [f"{indent}{line}" if line.strip() else "" for line in block.split("\n")]
        return self.newline.join(lines) + self.newline

    def insert(self, node: ast.stmt, block: str, *, after: bool = False) -> Splice | None:
        """New statements next to one, as deep as it."""
        place = self.lines(node)
        if place is None:
            return None
        text = self.indented(block, self.indent(node))
        if after and not self.between(*place).endswith(("\n", "\r")):
            text = self.newline + text
        at = place[1] if after else place[0]
        return Splice(at, at, text)

    def enclosing(self, node: ast.AST, kinds: type | tuple[type, ...]) -> ast.AST | None:
        """The nearest node around one that is of a kind."""
        found = self.parents.get(node)
        while found is not None and not isinstance(found, kinds):
            found = self.parents.get(found)
        return found

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """The statement a node belongs to."""
        found: ast.AST | None = node
        while found is not None and not isinstance(found, ast.stmt):
            found = self.parents.get(found)
        return found

    def siblings(self, node: ast.stmt) -> list[ast.stmt]:
        """The block a statement stands in."""
        parent = self.parents.get(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list) and node in block:
                return block
        return [node]

    def lines_around(self, line: int) -> range:
        """The lines of the innermost function whose body has this line; none at import."""
        around = (lines for lines in self._functions if line in lines)
        return min(around, key=len, default=range(0))

    @cached_property
    def _functions(self) -> list[range]:
        """The lines of each function's body."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]
        return [range(n.body[0].lineno, (n.end_lineno or n.lineno) + 1) for n in nodes]

    def statements(self) -> Iterator[ast.stmt]:
        """All statements, in the order of the text."""
        yield from self._statements

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.stmt)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def head(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of statements inside it and annotations."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.expr) and not isinstance(node, ast.JoinedStr | ast.FormattedValue):
            yield node
        todo += [child for child in _parts(node) if hasattr(child, "lineno") or _is_loose(child)]


def _is_loose(node: ast.AST) -> bool:
    return isinstance(node, ast.arguments | ast.comprehension | ast.withitem)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr):
        yield from (value for value in node.values if isinstance(value, ast.FormattedValue))
        return
    if isinstance(node, ast.FormattedValue):
        yield node.value
        return
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "handlers", "cases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.stmt):
                yield child

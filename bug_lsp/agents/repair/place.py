"""A suspicious statement with all that the operators need, and the edits they propose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from .scope import Scope
from .source import FUNCTIONS, SourceFile, Splice, head


@dataclass(frozen=True, slots=True)
class Edit:
    """One small change to a file."""

    splices: tuple[Splice, ...]
    what: str
    """What changes, in a few words of Markdown."""
    cost: float
    """How unlikely it is that a person would make it: 1 is common, 4 is far-fetched."""
    after: bool = False
    """Whether it is after the statement, not in it."""
    outside_body: bool = False
    """Whether it changes what runs when the file is imported."""


@dataclass
class Place:
    """A statement, or the head of a compound one."""

    file: SourceFile
    statement: ast.stmt
    function: ast.FunctionDef | ast.AsyncFunctionDef | None
    scope: Scope
    nodes: list[ast.expr] = field(init=False)
    """The expressions of the statement, the outer ones first."""

    def __post_init__(self) -> None:
        self.nodes = list(head(self.statement))

    @cached_property
    def line(self) -> int:
        """The statement's first line."""
        return self.statement.lineno

    @cached_property
    def loop(self) -> ast.AST | None:
        """The loop the statement is in, if it is the same function's."""
        found = self.file.enclosing(self.statement, (ast.For, ast.AsyncFor, ast.While, *FUNCTIONS))
        return None if isinstance(found, FUNCTIONS) else found

    @cached_property
    def values(self) -> list[ast.expr]:
        """Expressions that are read, and may be replaced as a whole."""
        return [node for node in self.nodes if self._is_value(node)]

    def _is_value(self, node: ast.expr) -> bool:
        if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            return False
        if isinstance(node, ast.Slice | ast.Starred):
            return False
        return not (isinstance(self.statement, ast.Expr) and node is self.statement.value)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around one."""
        return self.file.parents.get(node)

    def src(self, node: ast.AST) -> str:
        """A node as it is written."""
        return self.file.src(node)

    def swap(self, node: ast.expr, text: str, cost: float) -> Iterator[Edit]:
        """Another expression in the place of one: one edit, or none if it says the same."""
        old = self.src(node)
        if text.strip() == old.strip():
            return
        try:
            splice = self.file.replace(node, text)
        except SyntaxError:
            return
        yield Edit((splice,), f"{quoted(old)} becomes {quoted(splice.text)}", cost)

    def swap_all(
        self, node: ast.expr, left: str, right: str, signs: tuple[str, ...], cost: float
    ) -> Iterator[Edit]:
        """`left sign right` for each sign, in the place of an expression."""
        for sign in signs:
            yield from self.swap(node, f"{left} {sign} {right}", cost)

    def token(self, start: int, end: int, old: str, new: str, cost: float) -> Iterator[Edit]:
        """Another word or sign between two nodes, where it stands exactly once."""
        gap = self.file.between(start, end)
        at = gap.find(old)
        if at < 0 or "#" in gap[:at]:
            return
        at = start + len(gap[:at].encode())
        splice = Splice(at, at + len(old.encode()), new)
        yield Edit((splice,), f"{quoted(old)} becomes {quoted(new)}", cost)

    def insert(self, block: str, cost: float, *, after: bool = False) -> Iterator[Edit]:
        """New statements next to this one."""
        splice = self.file.insert(self.statement, block, after=after)
        if splice is not None:
            where = "after" if after else "before"
            first = block.split("\n", 1)[0]
            more = " ..." if "\n" in block else ""
            at = (self.statement.end_lineno or self.line) if after else self.line
            what = f"{quoted(first + more)} is inserted {where} line {at}"
            yield Edit((splice,), what, cost, after=after)


def quoted(text: str) -> str:
    """Code within a sentence, on one line."""
    flat = " ".join(text.split())
    flat = flat if len(flat) <= 80 else f"{flat[:79]}…"  # noqa: PLR2004
    ticks = "``" if "`" in flat else "`"
    return f"{ticks}{flat}{ticks}"

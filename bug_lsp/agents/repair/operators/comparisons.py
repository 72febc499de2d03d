"""Comparisons: another sign, the boundary in or out, truth instead of identity."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_OTHERS: dict[str, dict[str, float]] = {
    "<": {"<=": 1.0, ">": 1.5, ">=": 1.9, "!=": 2.2, "==": 2.6},
    "<=": {"<": 1.0, ">=": 1.5, ">": 1.9, "==": 2.4, "!=": 2.6},
    ">": {">=": 1.0, "<": 1.5, "<=": 1.9, "!=": 2.2, "==": 2.6},
    ">=": {">": 1.0, "<=": 1.5, "<": 1.9, "==": 2.4, "!=": 2.6},
    "==": {"!=": 1.5, ">=": 2.2, "<=": 2.2, "in": 2.4, ">": 2.6, "<": 2.6, "is": 2.8},
    "!=": {"==": 1.5, "<": 2.2, ">": 2.2, "not in": 2.4, "is not": 2.8},
    "is": {"==": 1.6, "is not": 1.5},
    "is not": {"!=": 1.6, "is": 1.5},
    "in": {"not in": 1.5, "==": 2.4},
    "not in": {"in": 1.5, "!=": 2.4},
}


def edits(place: Place) -> Iterator[Edit]:
    """All comparisons of the statement."""
    for node in place.nodes:
        if isinstance(node, ast.Compare):
            yield from _other_signs(place, node)
            yield from _of_none(place, node)
    for node in conditions(place):
        yield from _truth(place, node)


def conditions(place: Place) -> Iterator[ast.expr]:
    """Expressions of which only the truth counts, and the parts of `and` and `or` in them."""
    statement = place.statement
    found: list[ast.expr] = []
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        found.append(statement.test)
    for node in place.nodes:
        if isinstance(node, ast.IfExp):
            found.append(node.test)
        parent = place.parent(node)
        if isinstance(parent, ast.comprehension) and node in parent.ifs:
            found.append(node)
    while found:
        node = found.pop(0)
        yield node
        if isinstance(node, ast.BoolOp):
            found += node.values


def _other_signs(place: Place, node: ast.Compare) -> Iterator[Edit]:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
        old = _SIGNS[type(operator)]
        start, end = place.file.span(left)[1], place.file.span(right)[0]
        for new, cost in _OTHERS[old].items():
            yield from place.token(start, end, old, new, cost)


def _of_none(place: Place, node: ast.Compare) -> Iterator[Edit]:
    """`x is None` asks for one value, `not x` for all that are empty."""
    match node:
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            yield from place.swap(node, f"not {place.file.operand(node.left, 6)}", 2.2)
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            yield from place.swap(node, place.src(node.left), 2.2)


def _truth(place: Place, node: ast.expr) -> Iterator[Edit]:
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield from place.swap(node, f"{place.src(node)} is not None", 1.9)
            yield from place.swap(node, f"{place.src(node)} > 0", 2.8)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name() | ast.Attribute() as operand):
            yield from place.swap(node, f"{place.src(operand)} is None", 1.9)

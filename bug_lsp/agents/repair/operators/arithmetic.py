"""Arithmetic: another operator, operands exchanged, dropped or grouped otherwise, a sign."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>",
}  # fmt: skip
_OTHERS: dict[str, dict[str, float]] = {
    "+": {"-": 1.5, "*": 2.0, "|": 2.8},
    "-": {"+": 1.5, "/": 2.8, "*": 2.8, "%": 2.8},
    "*": {"+": 2.0, "/": 1.9, "//": 2.0, "**": 2.0},
    "/": {"//": 1.4, "*": 1.9, "%": 2.4},
    "//": {"/": 1.4, "%": 1.7, "*": 2.0},
    "%": {"//": 1.7, "/": 2.2, "*": 2.4},
    "**": {"*": 1.8},
    "&": {"|": 1.6, "^": 1.7, "-": 2.4},
    "|": {"&": 1.6, "^": 1.7, "-": 2.6},
    "^": {"&": 1.7, "|": 1.7, "**": 1.9},
    "<<": {">>": 1.5},
    ">>": {"<<": 1.5},
}
_COMMUTES = (ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
_TIGHT = (ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_LOOSE = (ast.Add, ast.Sub)


def edits(place: Place) -> Iterator[Edit]:
    """All arithmetic of the statement."""
    for node in place.nodes:
        if isinstance(node, ast.BinOp):
            yield from _operator(place, node)
            yield from _operands(place, node)
            yield from _grouping(place, node)
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            yield from place.swap(node, place.src(node.operand), 1.9)
    for node in place.values:
        if isinstance(node, ast.Name | ast.Call | ast.Attribute) and _may_be_number(place, node):
            yield from place.swap(node, f"-{place.src(node)}", 2.7)
    yield from _assignment(place)


def _may_be_number(place: Place, node: ast.expr) -> bool:
    parent = place.parent(node)
    if isinstance(parent, ast.Attribute | ast.For) or (
        isinstance(parent, ast.Call) and node is parent.func
    ):
        return False
    return not (isinstance(parent, ast.Subscript) and node is parent.value)


def _operator(place: Place, node: ast.BinOp) -> Iterator[Edit]:
    old = _SIGNS.get(type(node.op), "@")
    start, end = place.file.span(node.left)[1], place.file.span(node.right)[0]
    for new, cost in _OTHERS.get(old, {}).items():
        yield from place.token(start, end, old, new, cost)
    left, right = place.file.operand(node.left, 14), place.file.operand(node.right, 14)
    for new in ("+", "-") if isinstance(node.op, _TIGHT) else ():
        # As text the operator binds otherwise; this keeps the operands whole.
        yield from place.swap(node, f"({left} {new} {right})", 2.6)


def _operands(place: Place, node: ast.BinOp) -> Iterator[Edit]:
    sign = _SIGNS.get(type(node.op), "@")
    least = 12 if isinstance(node.op, _LOOSE) else 14
    left, right = place.file.operand(node.left, least), place.file.operand(node.right, least)
    if not isinstance(node.op, _COMMUTES):
        yield from place.swap(node, f"{right} {sign} {left}", 2.0)
    simple = isinstance(node.op, _LOOSE) and isinstance(node.right, ast.Constant)
    yield from place.swap(node, place.src(node.left), 1.9 if simple else 2.4)
    yield from place.swap(node, place.src(node.right), 2.4)


def _grouping(place: Place, node: ast.BinOp) -> Iterator[Edit]:
    """`a + b * c` and `(a + b) * c`."""
    sign, src = _SIGNS.get(type(node.op), "@"), place.file.operand
    left, right = node.left, node.right
    if isinstance(node.op, (*_LOOSE, *_TIGHT)):
        if isinstance(right, ast.BinOp) and type(right.op) is not type(node.op):
            inner = _SIGNS.get(type(right.op), "@")
            grouped = f"({place.src(left)} {sign} {place.src(right.left)})"
            yield from place.swap(node, f"{grouped} {inner} {src(right.right, 14)}", 2.3)
            inmost: ast.expr = right.left
            while isinstance(inmost, ast.BinOp):
                inmost = inmost.left
            rest = place.file.between(place.file.span(inmost)[1], place.file.span(right)[1])
            grouped = f"({place.src(left)} {sign} {place.src(inmost)})"
            yield from place.swap(node, f"{grouped}{rest}", 2.3)
        if isinstance(left, ast.BinOp) and (
            type(left.op) is not type(node.op) or isinstance(node.op, ast.Sub)
        ):
            inner = _SIGNS.get(type(left.op), "@")
            grouped = f"({place.src(left.right)} {sign} {place.src(right)})"
            yield from place.swap(node, f"{src(left.left, 12)} {inner} {grouped}", 2.3)


def _assignment(place: Place) -> Iterator[Edit]:
    """`x += y`, `x -= y`, `x = y`."""
    node = place.statement
    if isinstance(node, ast.AugAssign):
        old = _SIGNS.get(type(node.op), "@") + "="
        start, end = place.file.span(node.target)[1], place.file.span(node.value)[0]
        for new, cost in _OTHERS.get(old[:-1], {}).items():
            yield from place.token(start, end, old, f"{new}=", cost)
        yield from place.token(start, end, old, "=", 2.3)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and place.function is not None:
        target = node.targets[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            start, end = place.file.span(target)[1], place.file.span(node.value)[0]
            for sign, cost in {"+": 2.2, "-": 2.6, "*": 2.7, "|": 2.9, "//": 3.0}.items():
                yield from place.token(start, end, "=", f"{sign}=", cost)

"""One more, one less, or a term that was forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place

_NO_NUMBER = (
    ast.Constant, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.Compare, ast.BoolOp, ast.JoinedStr, ast.Lambda, ast.Yield, ast.Await,
    ast.YieldFrom, ast.NamedExpr,
)  # fmt: skip


def edits(place: Place) -> Iterator[Edit]:
    """`E + 1`, `E - 1`, `E + x`, `E - x` for what may be a number."""
    for node in place.values:
        cost = _cost(place, node)
        if cost is None:
            continue
        plain = place.file.operand(node, 11)
        yield from place.swap(node, f"{plain} + 1", cost)
        yield from place.swap(node, f"{plain} - 1", cost)
        for name in place.scope.values:
            if name not in _names_in(node):
                yield from place.swap(node, f"{plain} + {name}", cost + 1.1)
                yield from place.swap(node, f"{plain} - {name}", cost + 1.1)
        for number in place.scope.numbers:
            if number not in {"0", "1", "0.0"}:
                yield from place.swap(node, f"{plain} + {number}", cost + 0.9)
                yield from place.swap(node, f"{plain} - {number}", cost + 1.1)


def _names_in(node: ast.expr) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _cost(place: Place, node: ast.expr) -> float | None:
    """How likely a number stands here that may be off; None where there can be none."""
    if isinstance(node, _NO_NUMBER) or (isinstance(node, ast.Name) and node.id == "self"):
        return None
    parent = place.parent(node)
    match parent:
        case ast.Subscript():
            return 1.8 if parent.slice is node else None
        case ast.Call(func=ast.Name(id="range")):
            return 1.6
        case ast.Call():
            # What has a name of its own somewhere is rarely off by one at its use.
            stored = isinstance(node, ast.Subscript | ast.Attribute)
            return 2.1 + 0.4 * stored if parent.func is not node else None
        case ast.AST():
            return _COSTS.get(type(parent))
    return None


_COSTS: dict[type[ast.AST], float] = {
    ast.Slice: 1.7, ast.Compare: 1.9, ast.Return: 2.0, ast.Assign: 2.1, ast.AugAssign: 2.1,
    ast.AnnAssign: 2.1, ast.BinOp: 2.2, ast.Tuple: 2.4, ast.List: 2.4, ast.IfExp: 2.4,
    ast.keyword: 2.4, ast.Dict: 2.4, ast.UnaryOp: 2.4,
}  # fmt: skip

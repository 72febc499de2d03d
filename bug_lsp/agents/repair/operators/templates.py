"""Small expressions built from the names in scope, where nothing likelier has helped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place

from .comparisons import conditions

_SIGNS = ("+", "-", "*", "//", "%", "**", "/")
_QUESTIONS = ("==", "!=", "<", ">", "<=", ">=", "in", "not in")


def edits(place: Place) -> Iterator[Edit]:
    """In the place of each value: an operation with one more name, or on two names."""
    names = place.scope.values[:10]
    asked = set(conditions(place))
    for node in place.values:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) and not _is_base(
            place, node
        ):
            yield from _extended(place, node, names)
        if _is_whole(place, node):
            yield from _built(place, node, names)
        if node in asked or isinstance(place.parent(node), ast.Return):
            yield from _asked(place, node, names)


def _is_base(place: Place, node: ast.expr) -> bool:
    parent = place.parent(node)
    return isinstance(parent, ast.Attribute) or (
        isinstance(parent, ast.Call) and node is parent.func
    )


def _is_whole(place: Place, node: ast.expr) -> bool:
    return isinstance(place.parent(node), ast.Return | ast.Assign | ast.AugAssign | ast.Call)


def _extended(place: Place, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    text = place.src(node)
    for name in (*names, "2"):
        for sign in ("*", "//", "%", "**", "/"):
            yield from place.swap(node, f"{text} {sign} {name}", 3.1 if sign == "*" else 3.3)
    yield from place.swap(node, f"{text} ** 2", 3.0)
    yield from place.swap(node, f"[{text}]", 2.8)
    yield from place.swap(node, f"1 / {text}", 3.4)


def _built(place: Place, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    for one in names:
        yield from place.swap(node, f"len({one})", 3.3)
        yield from place.swap(node, f"[{one}]", 3.4)
        yield from place.swap(node, f"not {one}", 3.4)
        for other in (*names, "1"):
            if one != other:
                yield from place.swap_all(node, one, other, _SIGNS, 3.6)
                yield from place.swap(node, f"{one}[{other}]", 3.6)
                yield from place.swap(node, f"max({one}, {other})", 3.7)
                yield from place.swap(node, f"min({one}, {other})", 3.7)


def _asked(place: Place, node: ast.expr, names: list[str]) -> Iterator[Edit]:
    for one in names:
        for number in ("0", "1"):
            yield from place.swap_all(node, one, number, _QUESTIONS[:6], 3.2)
            yield from place.swap_all(node, f"len({one})", number, _QUESTIONS[:6], 3.4)
        for other in names:
            if one != other:
                yield from place.swap_all(node, one, other, _QUESTIONS, 3.5)

"""Subscripts and slices: bounds moved, dropped, added; indexes exchanged; a key that may miss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place, quoted
from bug_lsp.agents.repair.source import Splice


def edits(place: Place) -> Iterator[Edit]:
    """All subscripts of the statement, and what could have one."""
    for node in place.nodes:
        match node:
            case ast.Subscript(slice=ast.Slice() as piece):
                yield from _bounds(place, node, piece)
            case ast.Subscript():
                yield from _indexes(place, node)
    for node in place.values:
        if isinstance(node, ast.Name | ast.Attribute | ast.Call) and _may_be_cut(place, node):
            yield from _cut(place, node)


def _bounds(place: Place, node: ast.Subscript, piece: ast.Slice) -> Iterator[Edit]:
    yield from place.swap(node, place.src(node.value), 2.2)
    base = place.src(node.value)
    low, high, step = (
        place.src(part) if part is not None else ""
        for part in (piece.lower, piece.upper, piece.step)
    )
    tail = f":{step}" if step else ""
    options = [
        (high, low, 2.2), (low, "", 2.2), ("", high, 2.2), ("1", high, 2.2), (low, "-1", 2.2),
        (f"{low} + 1" if low else "1", high, 1.9), (f"{low} - 1" if low else "", high, 2.1),
        (low, f"{high} + 1" if high else "", 1.9), (low, f"{high} - 1" if high else "-1", 2.0),
    ]  # fmt: skip
    for a, b, cost in options:
        if (a, b) != (low, high):
            yield from place.swap(node, f"{base}[{a}:{b}{tail}]", cost)
    for name in place.scope.locals:
        if name != base:
            yield from place.swap(node, f"{base}[{name}:{high}{tail}]", 2.7)
            yield from place.swap(node, f"{base}[{low}:{name}{tail}]", 2.7)
    if not step:
        yield from place.swap(node, f"{base}[{low}:{high}:-1]", 2.6)
    elif step == "-1":
        yield from place.swap(node, f"{base}[{low}:{high}]", 2.2)


def _indexes(place: Place, node: ast.Subscript) -> Iterator[Edit]:
    match node:
        case ast.Subscript(value=ast.Subscript(value=inner, slice=first), slice=second):
            yield from place.swap(
                node, f"{place.src(inner)}[{place.src(second)}][{place.src(first)}]", 1.9
            )
    base, index = place.src(node.value), place.src(node.slice)
    if isinstance(node.ctx, ast.Load):
        yield from place.swap(node, base, 2.6)
        for default, cost in {", 0": 2.4, "": 2.4, ", []": 2.8, ', ""': 2.9}.items():
            yield from place.swap(node, f"{base}.get({index}{default})", cost)
        yield from place.swap(node, f"{base}[-1]", 2.6)
        yield from place.swap(node, f"{base}[0]", 2.6)
        yield from place.swap(node, f"{base}[-{place.file.operand(node.slice, 13)} - 1]", 2.8)
        yield from place.swap(node, f"{base}[{index}:]", 3.0)
    for name in (*place.scope.lists, *place.scope.dicts):
        if name != base and not isinstance(node.value, ast.Name):
            yield from place.swap(node, f"{name}[{index}]", 2.7)


def _may_be_cut(place: Place, node: ast.expr) -> bool:
    parent = place.parent(node)
    match parent:
        case ast.Call(func=func):
            return func is not node
        case ast.For() | ast.comprehension() | ast.Return() | ast.Assign() | ast.BinOp():
            return True
        case ast.keyword() | ast.Compare() | ast.YieldFrom() | ast.Starred():
            return True
        case _:
            return False


def _cut(place: Place, node: ast.expr) -> Iterator[Edit]:
    base = place.src(node)
    if base in {"self", "cls", "super()"}:
        return
    for piece, cost in {"[1:]": 2.4, "[:-1]": 2.4, "[::-1]": 2.6, "[0]": 2.6, "[-1]": 2.8}.items():
        yield from place.swap(node, f"{base}{piece}", cost + 0.5 * isinstance(node, ast.Call))
    # What is gone through or held is cut at a name; other values hardly ever are.
    is_held = base in (*place.scope.lists, *place.scope.dicts)
    likely = is_held or isinstance(place.parent(node), ast.For | ast.comprehension)
    for name in place.scope.locals:
        if name != base:
            for piece in (f"[{name}:]", f"[:{name}]", f"[{name}]"):
                yield from place.swap(node, f"{base}{piece}", 2.8 if likely else 3.4)


def exchanged_keys(place: Place, node: ast.Subscript) -> Iterator[Edit]:
    """`d[a, b]` and `d[b, a]`."""
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:  # noqa: PLR2004
        one, other = node.slice.elts
        a, b = place.src(one), place.src(other)
        splices = (Splice(*place.file.span(one), b), Splice(*place.file.span(other), a))
        yield Edit(splices, f"{quoted(a)} and {quoted(b)} change places", 1.8)

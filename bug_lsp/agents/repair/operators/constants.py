"""Constants: the next number, the other truth value, another constant of the function, a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place

_SMALL = 2
"""Numbers up to this one are counts and steps, which are off by one more often than others."""


def edits(place: Place) -> Iterator[Edit]:
    """All constants and empty displays of the statement."""
    for node in place.values:
        match node:
            case ast.Constant(value=bool() as value):
                yield from place.swap(node, repr(not value), 1.5)
                yield from _asked(place, node)
            case ast.Constant(value=int() | float() as value):
                yield from _number(place, node, value)
            case ast.Constant(value=str() as value):
                yield from _string(place, node, value)
            case ast.Constant(value=None):
                for text in ("0", "False", "True", "[]", '""', "{}"):
                    yield from place.swap(node, text, 3.0)
                yield from _names(place, node, 2.6)
            case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
                yield from _empty(place, node)


def _asked(place: Place, node: ast.Constant) -> Iterator[Edit]:
    """A question in the place of a truth value that was taken for granted."""
    for name in place.scope.values:
        yield from place.swap(node, name, 2.4)
        yield from place.swap(node, f"not {name}", 2.4)
        yield from place.swap(node, f"{name} == 0", 2.8)
        yield from place.swap(node, f"{name} is None", 2.8)
        yield from place.swap(node, f"{name} is not None", 2.8)


def _number(place: Place, node: ast.Constant, value: float) -> Iterator[Edit]:
    if isinstance(value, int):
        for other in (value + 1, value - 1):
            cost = 1.7 if abs(value) <= _SMALL else 2.2
            # To add nothing is better written without it, which is tried as well.
            is_term = other == 0 and isinstance(place.parent(node), ast.BinOp)
            yield from place.swap(node, str(other), cost + 0.5 * is_term)
    else:
        yield from place.swap(node, repr(value + 1), 2.6)
        yield from place.swap(node, repr(value - 1), 2.6)
    if value:
        yield from place.swap(node, f"-{place.src(node)}", 2.4)
    yield from place.swap(node, "0", 2.3)
    yield from place.swap(node, "1", 2.3)
    for text in place.scope.numbers:
        yield from place.swap(node, text, 2.6)
    for factor in (10, 2):
        yield from place.swap(node, repr(value * factor), 3.0)
        if value and not value % factor:
            yield from place.swap(node, repr(value // factor), 3.0)
    yield from _names(place, node, 2.6)
    for name in place.scope.parameters:
        yield from place.swap(node, f"len({name})", 3.2)


def _string(place: Place, node: ast.Constant, value: str) -> Iterator[Edit]:
    for text in place.scope.strings:
        yield from place.swap(node, text, 2.5)
    for other in ("", " ", value.lower(), value.upper(), value.strip()):
        if other != value:
            yield from place.swap(node, repr(other), 2.6)
    yield from _names(place, node, 2.9)


def _names(place: Place, node: ast.expr, cost: float) -> Iterator[Edit]:
    for name in place.scope.values:
        yield from place.swap(node, name, cost)


def _empty(place: Place, node: ast.expr) -> Iterator[Edit]:
    """A list of nothing where one with a single element, or a set, is meant."""
    if isinstance(node, ast.List):
        yield from place.swap(node, "[[]]", 2.5)
        yield from place.swap(node, "set()", 2.8)
        for name in place.scope.locals:
            yield from place.swap(node, f"[{name}]", 2.6)
    if isinstance(node, ast.Dict):
        yield from place.swap(node, "set()", 2.6)
    yield from _names(place, node, 3.0)
    yield from place.swap(node, "None", 3.2)

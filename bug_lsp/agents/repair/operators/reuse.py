"""Expressions that the code has elsewhere, as they are and with one name exchanged.

Much of what is missing at one place stands at another one of the same function or file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.scope import own_nodes

_KINDS = (ast.Call, ast.BinOp, ast.Subscript, ast.Attribute, ast.Compare, ast.IfExp, ast.List,
          ast.Tuple, ast.BoolOp)  # fmt: skip
_MOST = 40
_LONGEST = 60


def edits(place: Place) -> Iterator[Edit]:
    """Other expressions in the place of each that is more than a constant."""
    near, far = _found(place)
    elsewhere = _returned(place)
    for node in place.values:
        if isinstance(node, ast.Constant) or _is_inner_part(place, node):
            continue
        mine = type(node)
        for text, kind in near.items():
            cost = 2.5 if kind is mine else 2.9
            if isinstance(place.parent(node), ast.Return) and text in elsewhere:
                cost += 1.0  # two returns of the same: one of them would not be there
            yield from place.swap(node, text, cost)
            if kind is mine or isinstance(place.parent(node), ast.Return):
                yield from _renamed(place, node, text, cost + 0.4)
        for text, kind in far.items():
            if kind is mine and text not in near:
                yield from place.swap(node, text, 3.2)
                yield from _renamed(place, node, text, 3.5)


def _returned(place: Place) -> set[str]:
    """What the function returns as a whole."""
    nodes = own_nodes(place.function) if place.function is not None else ()
    values = (n.value for n in nodes if isinstance(n, ast.Return))
    return {place.src(value) for value in values if value is not None}


def _is_inner_part(place: Place, node: ast.expr) -> bool:
    parent = place.parent(node)
    return isinstance(parent, ast.Attribute) or (
        isinstance(parent, ast.Call) and node is parent.func
    )


def _found(place: Place) -> tuple[dict[str, type], dict[str, type]]:
    """The expressions of the function and of the file, by their text."""
    near: dict[str, type] = {}
    far: dict[str, type] = {}
    for root, found in ((place.function, near), (place.file.tree, far)):
        for node in own_nodes(root) if root is not None else ():
            is_read = not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            if isinstance(node, _KINDS) and is_read and hasattr(node, "lineno"):
                text = place.src(node)
                if "\n" not in text and len(text) <= _LONGEST and len(found) < _MOST:
                    found[text] = type(node)
    if far:
        functions = [n for n in ast.walk(place.file.tree) if isinstance(n, ast.FunctionDef)]
        for function in functions:
            for node in own_nodes(function):
                if isinstance(node, ast.BinOp | ast.Call | ast.Compare) and len(far) < 3 * _MOST:
                    text = place.src(node) if hasattr(node, "lineno") else "\n"
                    if "\n" not in text and len(text) <= _LONGEST:
                        far.setdefault(text, type(node))
    return near, far


def _renamed(place: Place, node: ast.expr, text: str, cost: float) -> Iterator[Edit]:
    names = [name for name in place.scope.locals if re.search(rf"(?<![.\w]){name}\b", text)]
    for old in names[:4]:
        for new in place.scope.locals[:10]:
            if new != old:
                changed = re.sub(rf"(?<![.\w]){re.escape(old)}\b", new, text)
                yield from place.swap(node, changed, cost)
        yield from place.swap(
            node, re.sub(rf"(?<![.\w]){re.escape(old)}\b", f"-{old}", text), cost + 0.3
        )

"""What similar code of the same file has and this place has not: a guard, a condition, an argument,
a call, a step before or after.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.similar import (
    Alike,
    Index,
    index_of,
    is_exit_guard,
    is_simple,
    renamed,
    shape,
    tail,
)
from bug_lsp.agents.repair.source import Splice

from .arguments import append

_MOST_ALIKE = 8
_MOST_WRAPS = 6


def edits(place: Place) -> Iterator[Edit]:
    """All that similar places have."""
    if place.function is None:
        return
    index = index_of(place.file)
    known = {*index.names, *place.scope.locals, "self", "cls"}
    yield from _keywords(place, index, known)
    yield from _wraps(place, index)
    yield from _conditions(place, index, known)
    yield from _around(place, index, known)


def _keywords(place: Place, index: Index, known: set[str]) -> Iterator[Edit]:
    for node in place.nodes:
        if isinstance(node, ast.Call):
            given = {keyword.arg for keyword in node.keywords}
            for name, value in index.keywords.get(tail(node.func), {}).items():
                text = renamed(value, (), (), known)
                if name not in given and text is not None:
                    yield from append(place, node, f"{name}={text}", 2.0)


def _wraps(place: Place, index: Index) -> Iterator[Edit]:
    for node in place.values:
        parent = place.parent(node)
        is_called = isinstance(parent, ast.Call) and node is parent.func
        if tail(node) and not is_called and not isinstance(parent, ast.Attribute):
            for template in list(index.wraps.get(tail(node), {}))[:_MOST_WRAPS]:
                yield from place.swap(node, template.format(place.src(node)), 2.0)


def _conditions(place: Place, index: Index, known: set[str]) -> Iterator[Edit]:
    for node in place.nodes:
        if not isinstance(node, ast.Compare | ast.Call | ast.UnaryOp | ast.Name | ast.Attribute):
            continue
        if not _is_condition(place, node):
            continue
        text, names = shape(node)
        for alike, word, other in index.conditions.get(text, [])[:_MOST_ALIKE]:
            more = renamed(other, alike.names, names, known) if alike.node is not node else None
            if more is not None:
                yield from place.swap(node, f"{place.src(node)} {word} {more}", 2.2)


def _is_condition(place: Place, node: ast.expr) -> bool:
    parent = place.parent(node)
    return isinstance(parent, ast.BoolOp) or (
        isinstance(parent, ast.If | ast.While | ast.IfExp) and node is parent.test
    )


def _around(place: Place, index: Index, known: set[str]) -> Iterator[Edit]:
    """Guards and steps that similar statements have around them."""
    text, names = shape(place.statement)
    before, after = _neighbours(place, place.statement)
    mine = {shape(one)[0] for one in (before, after) if one is not None}
    seen: set[str] = set()
    others = [one for one in index.statements.get(text, []) if one.node is not place.statement]
    for alike in others[:_MOST_ALIKE]:
        assert isinstance(alike.node, ast.stmt)  # noqa: S101
        for node, is_after in zip(_neighbours(place, alike.node), (False, True), strict=True):
            if node is None or shape(node)[0] in mine:
                continue
            is_guard = is_exit_guard(node) and not is_after
            block = renamed(node, alike.names, names, known)
            if block is not None and block not in seen and (is_guard or is_simple(node)):
                seen.add(block)
                yield from place.insert(block, 2.2 if is_guard else 2.4, after=is_after)
        yield from _enclosed(place, alike, names, known)


def _neighbours(place: Place, statement: ast.stmt) -> tuple[ast.stmt | None, ast.stmt | None]:
    block = place.file.siblings(statement)
    at = block.index(statement)
    before = block[at - 1] if at else None
    return before, block[at + 1] if at + 1 < len(block) else None


def _enclosed(
    place: Place, alike: Alike, names: tuple[str, ...], known: set[str]
) -> Iterator[Edit]:
    """The condition under which a similar statement happens, around this one."""
    outer, own = place.file.parents.get(alike.node), place.file.parents.get(place.statement)
    lines = place.file.lines(place.statement)
    if not isinstance(outer, ast.If) or alike.node not in outer.body or lines is None:
        return
    if not is_simple(place.statement):
        return
    if isinstance(own, ast.If) and shape(own.test)[0] == shape(outer.test)[0]:
        return
    question = renamed(outer.test, alike.names, names, known)
    if question is not None:
        body = "\n".join(f"    {line}" for line in place.file.block(place.statement).split("\n"))
        indent = place.file.indent(place.statement)
        text = place.file.indented(f"if {question}:\n{body}", indent)
        what = f"line {place.line} only happens `if {question}`"
        yield Edit((Splice(*lines, text),), what, 2.3)

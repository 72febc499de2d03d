"""Statements that were forgotten: a call like another one, an assignment, a step of a loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.scope import own_nodes

_MOST_COPIES = 30


def edits(place: Place) -> Iterator[Edit]:
    """New statements before and after the statement."""
    if place.function is None:
        return
    for block, cost in _blocks(place):
        # After a compound statement: both at its end and at the end of its body.
        if not isinstance(place.statement, ast.Return | ast.Break | ast.Continue | ast.Raise):
            yield from place.insert(block, cost, after=True)
        yield from place.insert(block, cost + 0.05)


def _blocks(place: Place) -> Iterator[tuple[str, float]]:
    seen: set[str] = set()
    for block, cost in (*_copies(place), *_steps(place), *_assignments(place), *_jumps(place)):
        if block not in seen:
            seen.add(block)
            yield block, cost


def _copies(place: Place) -> Iterator[tuple[str, float]]:
    """Simple statements of the function, as they are and with one name exchanged."""
    assert place.function is not None  # noqa: S101
    found: dict[str, None] = {}
    for node in own_nodes(place.function):
        if isinstance(node, ast.Expr | ast.AugAssign | ast.Assign) and node is not place.statement:
            text = place.src(node)
            if "\n" not in text and not isinstance(getattr(node, "value", None), ast.Constant):
                found[text] = None
    copies = sorted(found)[:_MOST_COPIES]
    yield from ((text, 2.7) for text in copies)
    for text in copies:
        is_call = text.endswith(")")
        for old in place.scope.locals:
            if not re.search(rf"(?<![.\w]){re.escape(old)}\b", text):
                continue
            for new in place.scope.locals:
                if new != old:
                    changed = re.sub(rf"(?<![.\w]){re.escape(old)}\b", new, text)
                    yield changed, 2.9 if is_call else 3.3


def _steps(place: Place) -> Iterator[tuple[str, float]]:
    """What fills a collection, and what counts."""
    values = place.scope.locals
    for holder in place.scope.lists:
        yield from ((f"{holder}.append({v})", 2.8) for v in values if v != holder)
        yield from ((f"{holder}.extend({v})", 3.3) for v in values if v != holder)
    for holder in place.scope.sets:
        yield from ((f"{holder}.add({v})", 2.6) for v in values if v != holder)
    for name in place.scope.called:
        owner, _, method = name.rpartition(".")
        if method in {"append", "add", "appendleft", "push", "put"}:
            yield from ((f"{name}({v})", 2.8) for v in values if v != owner)
        if method in {"pop", "popleft"}:
            yield f"{name}()", 3.0
    for name in values:
        yield f"{name} += 1", 2.8
        yield f"{name} -= 1", 3.0
        yield from ((f"{name} += {v}", 3.5) for v in values if v != name)
    for name in place.scope.attributes:
        yield f"{name} += 1", 2.9
        yield f"{name} -= 1", 3.1
    methods = (n for n in place.scope.callables if place.scope.callables[n] == 0)
    yield from ((f"{name}()", 3.2) for name in methods)


def _assignments(place: Place) -> Iterator[tuple[str, float]]:
    values = [*place.scope.locals, *place.scope.attributes]
    for target in values:
        if target in place.scope.parameters and place.loop is None:
            continue
        yield from ((f"{target} = {value}", 3.0) for value in values if value != target)
    for attribute in place.scope.attributes:
        for value in ("None", "0", "True", "False", "[]", "{}"):
            yield f"{attribute} = {value}", 3.2
    for name in place.scope.locals:
        for value in ("0", "[]", "None", "True", "False", "1"):
            yield f"{name} = {value}", 3.4


def _jumps(place: Place) -> Iterator[tuple[str, float]]:
    if place.loop is not None:
        yield "break", 2.8
        yield "continue", 2.8
    for value in place.scope.locals:
        yield f"return {value}", 3.2
    for value in ("None", "True", "False", "0", "[]"):
        yield f"return {value}", 3.5

"""Guards: a case that ends early, a condition around a statement, an error that is raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.scope import own_nodes
from bug_lsp.agents.repair.source import Splice

_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Return, ast.Delete)


def edits(place: Place) -> Iterator[Edit]:
    """Guards before the statement and around it."""
    if place.function is None:
        return
    results = _results(place)
    questions = list(_questions(place))
    for question, cost in questions:
        for result, more in results:
            yield from place.insert(f"if {question}:\n    {result}", cost + more)
    lines = place.file.lines(place.statement)
    if lines is None or not isinstance(place.statement, _SIMPLE):
        return
    indent = place.file.indent(place.statement)
    body = "\n".join(f"    {line}" for line in place.file.block(place.statement).split("\n"))
    for question, cost in questions:
        text = place.file.indented(f"if {question}:\n{body}", indent)
        what = f"line {place.line} only happens `if {question}`"
        yield Edit((Splice(*lines, text),), what, cost + 0.1)


def _questions(place: Place) -> Iterator[tuple[str, float]]:
    scope = place.scope
    used = {ast.unparse(n) for n in place.nodes if isinstance(n, ast.Name | ast.Attribute)}
    names = [n for n in (*scope.locals, *scope.attributes) if n in used or n in scope.parameters]
    for name in names[:8]:
        yield f"not {name}", 3.0
        yield f"{name} is None", 3.0
        yield f"{name} is not None", 3.1
        yield name, 3.2
        for sign in ("<= 0", "< 0", "== 0", "== 1", "<= 1", "> 0"):
            yield f"{name} {sign}", 3.3
        yield f"len({name}) <= 1", 3.5
        yield f"len({name}) == 1", 3.5
        for holder in (*scope.sets, *scope.dicts, *scope.lists)[:4]:
            if holder != name:
                yield f"{name} in {holder}", 3.2
                yield f"{name} not in {holder}", 3.2
        for other in names[:6]:
            if other != name:
                yield from ((f"{name} {sign} {other}", 3.5) for sign in ("==", "!=", "<", ">"))


def _results(place: Place) -> list[tuple[str, float]]:
    """What may happen in a guard, and how much more it costs."""
    assert place.function is not None  # noqa: S101
    found: dict[str, float] = {}
    if place.loop is not None:
        found |= {"continue": 0.0, "break": 0.3}
    nodes = list(own_nodes(place.function))
    for node in nodes:
        if isinstance(node, ast.Return) and node.value is not None:
            text = place.src(node)
            if isinstance(node.value, ast.Constant | ast.Name | ast.List) and "\n" not in text:
                found.setdefault(text, 0.2)
        if isinstance(node, ast.Raise) and "\n" not in place.src(node):
            found.setdefault(place.src(node), 0.2)
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes):
        found.setdefault("return", 0.1)
    for value in ("0", "[]", "None", "False", "True", "1", '""'):
        found.setdefault(f"return {value}", 0.5)
    for name in place.scope.parameters[:4]:
        found.setdefault(f"return {name}", 0.5)
        found.setdefault(f"return [{name}]", 0.9)
    found.setdefault("raise ValueError", 0.8)
    return list(found.items())

"""Whole statements: removed, moved, deeper or less deep, exchanged with a neighbour."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place, quoted
from bug_lsp.agents.repair.source import Splice

_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Break,
           ast.Continue, ast.Delete, ast.Pass)  # fmt: skip
_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)


def edits(place: Place) -> Iterator[Edit]:
    """What can be done with the statement as a whole."""
    if place.function is None:
        return
    yield from _removed(place)
    yield from _exchanged(place)
    yield from _less_deep(place)
    yield from _deeper(place)
    yield from _jump(place)
    yield from _branches(place)


def _removed(place: Place) -> Iterator[Edit]:
    statement = place.statement
    lines = place.file.lines(statement)
    if lines is None:
        return
    what = f"line {place.line} ({quoted(place.file.block(statement))}) is removed"
    if len(place.file.siblings(statement)) > 1:
        if isinstance(statement, _SIMPLE) and not isinstance(statement, ast.Pass):
            yield Edit((Splice(*lines, ""),), what, 3.0)
        elif isinstance(statement, ast.If):
            yield Edit((Splice(*lines, ""),), what, 3.3)
    elif isinstance(statement, _SIMPLE) and not isinstance(statement, ast.Pass):
        text = place.file.indented("pass", place.file.indent(statement))
        yield Edit((Splice(*lines, text),), what, 3.3)
    if isinstance(statement, ast.If | ast.While) and not statement.orelse:
        body = "\n".join(place.file.block(inner) for inner in statement.body)
        text = place.file.indented(body, place.file.indent(statement))
        yield Edit((Splice(*lines, text),), f"the condition of line {place.line} is removed", 3.2)


def _exchanged(place: Place) -> Iterator[Edit]:
    """With the next statement, and to the beginning or end of the block."""
    block = place.file.siblings(place.statement)
    at = block.index(place.statement)
    mine = place.file.lines(place.statement)
    for other_at, cost in {at + 1: 2.3, at + 2: 2.8, at - 1: 2.3}.items():
        if not 0 <= other_at < len(block) or mine is None:
            continue
        other = block[other_at]
        theirs = place.file.lines(other)
        if theirs is None or isinstance(other, ast.FunctionDef):
            continue
        a, b = place.file.between(*mine), place.file.between(*theirs)
        if a.endswith("\n") and b.endswith("\n"):
            lines = sorted([place.line, other.lineno])
            what = f"the statements of lines {lines[0]} and {lines[1]} change places"
            yield Edit((Splice(*mine, b), Splice(*theirs, a)), what, cost)


def _less_deep(place: Place) -> Iterator[Edit]:
    """The last statement of a block comes after the block."""
    parent = place.parent(place.statement)
    lines = place.file.lines(place.statement)
    block = place.file.siblings(place.statement)
    if not isinstance(parent, _BLOCKS) or lines is None or block[-1] is not place.statement:
        return
    around = place.file.lines(parent)
    if around is None or len(block) == 1:
        return
    text = place.file.indented(place.file.block(place.statement), place.file.indent(parent))
    what = f"line {place.line} comes after the `{_word(parent)}` of line {parent.lineno}"
    if around[1] == lines[1]:
        yield Edit((Splice(*lines, text),), what, 2.1)
    else:
        yield Edit((Splice(*lines, ""), Splice(around[1], around[1], text)), what, 2.4)


def _deeper(place: Place) -> Iterator[Edit]:
    """A statement after a block gets into it, also into the innermost that ends there."""
    block = place.file.siblings(place.statement)
    at = block.index(place.statement)
    lines = place.file.lines(place.statement)
    if at == 0 or lines is None:
        return
    before = block[at - 1]
    while isinstance(before, _BLOCKS):
        last = (getattr(before, "orelse", None) or before.body)[-1]
        if place.file.lines(last) is None:
            return
        text = place.file.indented(place.file.block(place.statement), place.file.indent(last))
        what = f"line {place.line} gets into the `{_word(before)}` of line {before.lineno}"
        yield Edit((Splice(*lines, text),), what, 2.3)
        before = last


def _word(node: ast.AST) -> str:
    return type(node).__name__.removeprefix("Async").lower()


def _jump(place: Place) -> Iterator[Edit]:
    """`break`, `continue`, `return`, `pass`."""
    words = {ast.Break: "break", ast.Continue: "continue", ast.Pass: "pass"}
    old = words.get(type(place.statement))
    start, end = place.file.span(place.statement)
    if old is not None:
        options = {"break": 1.8, "continue": 1.8, "return": 2.6, "raise": 2.8}
        options |= {f"return {name}": 2.7 for name in place.scope.locals}
        for new, cost in options.items():
            if new == old or (place.loop is None and new in {"break", "continue"}):
                continue
            if new == "raise" and place.file.enclosing(place.statement, ast.ExceptHandler) is None:
                continue
            yield Edit((Splice(start, end, new),), f"`{old}` becomes `{new}`", cost)
    elif isinstance(place.statement, ast.Return) and place.loop is not None:
        for new in ("continue", "break"):
            yield Edit((Splice(start, end, new),), f"`return` becomes `{new}`", 2.8)


def _branches(place: Place) -> Iterator[Edit]:
    """`if` and `elif`, and the order of branches."""
    statement = place.statement
    if not isinstance(statement, ast.If):
        return
    start, _ = place.file.span(statement)
    is_elif = place.file.between(start, start + 4) == "elif"
    block = place.file.siblings(statement)
    at = block.index(statement)
    if is_elif:
        yield Edit((Splice(start, start + 4, "if"),), "`elif` becomes `if`", 2.1)
    elif at > 0 and isinstance(block[at - 1], ast.If):
        yield Edit((Splice(start, start + 2, "elif"),), "`if` becomes `elif`", 2.1)
    match statement.orelse:
        case [ast.If() as other] if place.file.src(other).startswith("elif"):
            yield from _other_order(place, statement, other)


def _other_order(place: Place, one: ast.If, other: ast.If) -> Iterator[Edit]:
    """Two branches of one chain change places, conditions and bodies."""
    file = place.file
    spans = [(file.span(node.test)[0], file.span(node.body[-1])[1]) for node in (one, other)]
    texts = [file.between(*span) for span in spans]
    what = f"the branches of lines {one.lineno} and {other.lineno} change places"
    yield Edit((Splice(*spans[0], texts[1]), Splice(*spans[1], texts[0])), what, 2.0)
    bodies = [(file.span(node.body[0])[0], file.span(node.body[-1])[1]) for node in (one, other)]
    inner = [file.between(*span) for span in bodies]
    what = f"the bodies of lines {one.lineno} and {other.lineno} change places"
    yield Edit((Splice(*bodies[0], inner[1]), Splice(*bodies[1], inner[0])), what, 2.4)

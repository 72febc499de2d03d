"""A call around an expression, or one taken away; what is returned or yielded."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.source import FUNCTIONS, Splice

_SINGLE = {
    "sorted": 2.6, "list": 2.4, "abs": 2.4, "len": 2.5, "int": 2.5, "str": 2.5, "set": 2.8,
    "tuple": 2.8, "float": 2.8, "round": 2.8, "dict": 3.0, "reversed": 2.8, "sum": 3.0,
    "max": 3.0, "min": 3.0, "bool": 3.2,
}  # fmt: skip
_METHODS = {"copy()": 2.5, "lower()": 2.6, "strip()": 2.6, "items()": 2.2, "values()": 2.6,
            "upper()": 3.0, "keys()": 3.0, "split()": 3.0}  # fmt: skip


def edits(place: Place) -> Iterator[Edit]:
    """All expressions of the statement."""
    for node in place.values:
        if _is_whole(place, node):
            yield from _wrapped(place, node)
            yield from _bounded(place, node)
    for node in place.nodes:
        if isinstance(node, ast.Call):
            yield from _unwrapped(place, node)
    yield from _handed_back(place)


def _is_whole(place: Place, node: ast.expr) -> bool:
    """Whether something may be put around a node that would not fit around its parts as well."""
    if isinstance(node, ast.Constant | ast.Lambda | ast.Slice | ast.GeneratorExp | ast.Starred):
        return False
    parent = place.parent(node)
    if isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node):
        return False
    if isinstance(node, ast.Name) and node.id in {"self", "cls"}:
        return False
    return not isinstance(parent, ast.Subscript) or node is parent.slice


def _wrapped(place: Place, node: ast.expr) -> Iterator[Edit]:
    text = place.src(node)
    outer = place.parent(node)
    in_loop = isinstance(outer, ast.For | ast.comprehension)
    for name, cost in _SINGLE.items():
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == name):
            yield from place.swap(node, f"{name}({text})", cost - 0.3 * in_loop)
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        for method, cost in _METHODS.items():
            yield from place.swap(node, f"{text}.{method}", cost)
        yield from place.swap(node, f"{text}[:]", 2.5)
    for name, most in place.scope.callables.items():
        if most in {1, -1} and not isinstance(node, ast.Compare):
            yield from place.swap(node, f"{name}({text})", 2.9)


def _bounded(place: Place, node: ast.expr) -> Iterator[Edit]:
    """`max(E, x)`, `min(E, x)`, `E or x`."""
    text = place.src(node)
    target = ""
    if isinstance(place.statement, ast.Assign) and len(place.statement.targets) == 1:
        target = ast.unparse(place.statement.targets[0])
    if isinstance(node, ast.Compare | ast.BoolOp) or "\n" in text:
        return
    for function in ("max", "min"):
        if target and node is getattr(place.statement, "value", None):
            yield from place.swap(node, f"{function}({target}, {text})", 2.0)
        for bound in ("0", "1"):
            yield from place.swap(node, f"{function}({bound}, {text})", 2.5)
        for name in place.scope.values[:8]:
            if name not in {text, target}:
                yield from place.swap(node, f"{function}({text}, {name})", 3.0)
    if isinstance(place.parent(node), ast.Return | ast.Assign | ast.Call):
        for other in ("0", "[]", '""', "None"):
            yield from place.swap(node, f"{place.file.operand(node, 3)} or {other}", 3.2)


def _unwrapped(place: Place, node: ast.Call) -> Iterator[Edit]:
    if isinstance(place.parent(node), ast.Expr):
        return
    for argument in node.args[:3]:
        if not isinstance(argument, ast.Starred):
            yield from place.swap(node, place.src(argument), 2.3 if len(node.args) == 1 else 2.6)
    if isinstance(node.func, ast.Attribute):
        yield from place.swap(node, place.src(node.func.value), 2.5)


def _handed_back(place: Place) -> Iterator[Edit]:
    """`return`, `yield`, `yield from`, `await`: a word more or less."""
    statement = place.statement
    start, _ = place.file.span(statement)
    match statement:
        case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
            inner = place.file.span(value)[0]
            yield from place.token(start, inner, "yield", "yield from", 1.8)
            yield from place.token(start, inner, "yield", "return", 2.8)
        case ast.Expr(value=ast.YieldFrom(value=value)):
            inner = place.file.span(value)[0]
            yield from place.token(start, inner, "yield from", "yield", 1.8)
        case ast.Expr(value=ast.Call() as call):
            for word, cost in (("return", 1.9), ("yield from", 2.4), ("yield", 2.8)):
                splice = Splice(start, start, f"{word} ")
                yield Edit((splice,), f"`{word}` before `{ast.unparse(call.func)}(...)`", cost)
            if isinstance(place.function, ast.AsyncFunctionDef):
                yield Edit((Splice(start, start, "await "),), "`await` is added", 1.6)
            yield from _kept(place, call, start)
        case ast.Return(value=ast.expr() as value):
            inner = place.file.span(value)[0]
            yield from place.token(start, inner, "return", "yield", 2.6)
    if isinstance(place.function, ast.AsyncFunctionDef):
        for node in place.values:
            if isinstance(node, ast.Call) and not isinstance(place.parent(node), ast.Await):
                yield from place.swap(node, f"await {place.src(node)}", 1.8)


def _kept(place: Place, call: ast.Call, start: int) -> Iterator[Edit]:
    """`x = x.method()`: the result of a call was thrown away."""
    if isinstance(call.func, ast.Attribute):
        owner = ast.unparse(call.func.value)
        if owner.replace(".", "").isidentifier():
            what = f"the result is kept in `{owner}`"
            yield Edit((Splice(start, start, f"{owner} = "),), what, 2.2)
    function = place.file.enclosing(place.statement, FUNCTIONS)
    for name in place.scope.locals[:8] if function is not None else ():
        what = f"the result is kept in `{name}`"
        yield Edit((Splice(start, start, f"{name} = "),), what, 2.8)

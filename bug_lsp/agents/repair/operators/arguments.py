"""Arguments of calls: exchanged, dropped, added; and elements of tuples and lists alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from bug_lsp.agents.repair.place import Edit, Place, quoted
from bug_lsp.agents.repair.scope import parameters
from bug_lsp.agents.repair.source import FUNCTIONS, Splice

_MOST_ELEMENTS = 5
_ADDED: dict[str, tuple[tuple[str, float], ...]] = {
    "sorted": (("reverse=True", 2.2),),
    "sort": (("reverse=True", 2.2),),
    "get": (("0", 2.4), ("[]", 2.6), ('""', 2.6), ("None", 3.0)),
    "pop": (("0", 1.9), ("-1", 2.0), ("None", 2.6)),
    "split": (("','", 3.2), ("' '", 3.0)),
    "enumerate": (("1", 2.2), ("start=1", 2.6)),
    "round": (("2", 2.4), ("1", 3.0)),
    "zip": (("strict=False", 3.4),),
    "max": (("default=0", 2.4), ("default=None", 2.6)),
    "min": (("default=0", 2.4), ("default=None", 2.6)),
    "sum": (("[]", 2.8), ("0.0", 3.0)),
    "next": (("None", 2.2),),
    "getattr": (("None", 2.2),),
    "dict": (),
}


def edits(place: Place) -> Iterator[Edit]:
    """All calls, tuples and lists of the statement."""
    for node in place.nodes:
        match node:
            case ast.Call():
                yield from _exchanged(place, node.args, 1.8)
                yield from _dropped(place, node)
                yield from _added(place, node)
                yield from _range(place, node)
            case ast.Tuple() | ast.List():
                yield from _exchanged(place, node.elts, 2.0)
                yield from _shorter(place, node)
            case ast.IfExp():
                yield from _exchanged(place, [node.body, node.orelse], 1.9)
                yield from place.swap(node, place.src(node.body), 3.0)
                yield from place.swap(node, place.src(node.orelse), 3.0)
            case ast.Dict():
                yield from _exchanged(place, node.values, 2.4)


def _exchanged(place: Place, nodes: list[ast.expr], cost: float) -> Iterator[Edit]:
    for one, other in combinations(nodes[:_MOST_ELEMENTS], 2):
        a, b = place.src(one), place.src(other)
        if a == b or isinstance(one, ast.Starred) or isinstance(other, ast.Starred):
            continue
        first, second = place.file.span(one), place.file.span(other)
        splices = (Splice(*first, b), Splice(*second, a))
        yield Edit(splices, f"{quoted(a)} and {quoted(b)} change places", cost)


def _without(place: Place, nodes: list[ast.expr], index: int) -> Splice:
    """A list of expressions without one of them and its comma."""
    start, end = place.file.span(nodes[index])
    if index + 1 < len(nodes):
        end = place.file.span(nodes[index + 1])[0]
    elif index > 0:
        start = place.file.span(nodes[index - 1])[1]
    return Splice(start, end, "")


def _dropped(place: Place, node: ast.Call) -> Iterator[Edit]:
    for index, argument in enumerate(node.args):
        if len(node.args) + len(node.keywords) > 1 or not isinstance(node.func, ast.Name):
            splice = _without(place, node.args, index)
            yield Edit((splice,), f"the argument {quoted(place.src(argument))} is dropped", 2.7)
    for keyword in node.keywords:
        if len(node.args) + len(node.keywords) > 1:
            others = [*node.args, *(k.value for k in node.keywords)]
            index = others.index(keyword.value)
            start, end = place.file.span(keyword)
            if index > 0:
                start = place.file.span(others[index - 1])[1]
            what = f"the argument {quoted(place.src(keyword))} is dropped"
            yield Edit((Splice(start, end, ""),), what, 2.6)


def _added(place: Place, node: ast.Call) -> Iterator[Edit]:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case _:
            return
    for text, cost in _ADDED.get(name, ()):
        yield from append(place, node, text, cost)
    function = _function(place, name)
    if function is not None:
        yield from _missing(place, node, function)
    elif not node.keywords and len(node.args) <= 1:
        for value in place.scope.values:
            yield from append(place, node, value, 3.3)


def _missing(
    place: Place, node: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Edit]:
    """Parameters of a function of the file that the call leaves to their defaults."""
    given = {keyword.arg for keyword in node.keywords}
    known = [arg.arg for arg in parameters(function) if arg.arg not in {"self", "cls"}]
    for missing in known[len(node.args) :]:
        for value in place.scope.values:
            if value.removeprefix("self.") == missing and missing not in given:
                yield from append(place, node, f"{missing}={value}", 1.9)
    if len(known) == len(node.args) + 1 and not given:
        for value in place.scope.values:
            yield from append(place, node, value, 2.8)


def _function(place: Place, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    found = (
        node
        for node in ast.walk(place.file.tree)
        if isinstance(node, FUNCTIONS) and node.name == name
    )
    return next(found, None)


def append(place: Place, node: ast.Call, text: str, cost: float) -> Iterator[Edit]:
    """One more argument at the end of a call."""
    start, end = place.file.span(node)
    call = place.file.between(start, end - 1).rstrip()
    comma = "" if call.endswith(("(", ",")) else ","
    space = " " if comma or call.endswith(",") else ""
    if any(isinstance(argument, ast.GeneratorExp) for argument in node.args):
        return
    splice = Splice(end - 1, end, f"{comma}{space}{text})")
    yield Edit((splice,), f"{quoted(place.src(node))} gets the argument `{text}`", cost)


def _range(place: Place, node: ast.Call) -> Iterator[Edit]:
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[stop]):
            yield from place.swap(node, f"range(1, {place.src(stop)})", 2.0)
            yield from place.swap(node, f"range(1, {place.file.operand(stop, 11)} + 1)", 2.6)
            yield from place.swap(node, f"reversed(range({place.src(stop)}))", 2.4)
        case ast.Call(func=ast.Name(id="range"), args=[start, stop]):
            a, b = place.file.operand(start, 11), place.file.operand(stop, 11)
            yield from place.swap(node, f"range({b})", 2.3)
            yield from place.swap(node, f"range({a}, {b}, -1)", 2.5)
            yield from place.swap(node, f"reversed(range({a}, {b}))", 2.6)


def _shorter(place: Place, node: ast.Tuple | ast.List) -> Iterator[Edit]:
    if not isinstance(node.ctx, ast.Load) or len(node.elts) < 2:  # noqa: PLR2004
        return
    for index, element in enumerate(node.elts[:_MOST_ELEMENTS]):
        what = f"the element {quoted(place.src(element))} is dropped"
        yield Edit((_without(place, node.elts, index),), what, 2.8)

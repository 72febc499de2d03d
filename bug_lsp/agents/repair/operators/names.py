"""Another name in scope: a variable, an attribute, a function, a method that is kin."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from functools import lru_cache

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.source import Splice

_KIN = [
    "strip lstrip rstrip", "lower upper title capitalize casefold swapcase",
    "startswith endswith", "find rfind index rindex", "split rsplit splitlines partition",
    "partition rpartition", "removeprefix removesuffix lstrip rstrip strip",
    "append extend insert appendleft add", "pop popleft popitem remove discard clear",
    "extend extendleft update", "append add", "keys values items", "get setdefault pop",
    "union intersection difference symmetric_difference update", "issubset issuperset isdisjoint",
    "isdigit isalpha isalnum isspace isnumeric isupper islower", "ljust rjust center zfill",
    "floor ceil trunc", "heappush heappop heapify heappushpop heapreplace nlargest nsmallest",
    "bisect_left bisect_right bisect insort", "match search fullmatch", "findall finditer",
    "group groups", "read readline readlines", "isoformat strftime", "sin cos tan",
    "days seconds total_seconds", "copy deepcopy", "permutations combinations product",
    "most_common elements", "real imag", "first last", "start end stop", "left right", "min max",
    "next prev previous", "head tail", "width height", "row rows col cols", "x y z", "key value",
    "low high lo hi", "lower upper", "get_all get", "push pop", "name id",
]  # fmt: skip
_KIN_BUILTIN = [
    "min max sum",
    "any all",
    "sorted reversed list",
    "list tuple set frozenset",
    "int float round",
    "str repr",
    "floor ceil round int",
    "range len",
    "map filter",
    "set dict list",
    "ord chr",
    "ceil floor",
    "isinstance issubclass",
    "enumerate zip",
    "bool int",
    "sum len",
    "deque list",
]


@lru_cache(maxsize=1000)
def kin(name: str) -> tuple[str, ...]:
    """Methods that are confused with one."""
    groups = [group.split() for group in _KIN]
    return tuple(
        dict.fromkeys(
            other for group in groups if name in group for other in group if other != name
        )
    )


def edits(place: Place) -> Iterator[Edit]:
    """All names and attributes of the statement."""
    for node in place.nodes:
        match node:
            case ast.Name():
                yield from _name(place, node)
            case ast.Attribute():
                yield from _attribute(place, node)
            case ast.Subscript() if isinstance(node.ctx, ast.Load):
                for name in place.scope.values:
                    yield from place.swap(node, name, 2.8)
    for node in place.values:
        if isinstance(node, ast.BinOp | ast.Call | ast.Compare | ast.IfExp | ast.BoolOp):
            for name in place.scope.values:
                yield from place.swap(node, name, 2.9)


def _name(place: Place, node: ast.Name) -> Iterator[Edit]:
    parent = place.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        yield from _callee(place, parent, node)
        return
    if isinstance(node.ctx, ast.Store):
        if not isinstance(parent, ast.For | ast.comprehension | ast.NamedExpr):
            for name in [*place.scope.locals, *place.scope.attributes]:
                cost = 2.0 if name == f"self.{node.id}" else 2.7
                yield from place.swap(node, name, cost)
        return
    if node.id in {"self", "cls"}:
        return
    for name in place.scope.values:
        cost = 1.6 if name == f"self.{node.id}" else 1.9
        yield from place.swap(node, name, cost - _alike(node.id, name))
    for field in place.scope.fields:
        yield from place.swap(node, f"{node.id}.{field}", 3.0)
    for name in (*place.scope.lists, *place.scope.dicts):
        if name != node.id:
            yield from place.swap(node, f"{name}[{node.id}]", 2.9)


def _alike(one: str, other: str) -> float:
    """A little less where the names look alike, as those are confused."""
    ratio = difflib.SequenceMatcher(None, one, other.removeprefix("self.")).ratio()
    return 0.2 if ratio > 0.6 else 0.0  # noqa: PLR2004


def _callee(place: Place, call: ast.Call, node: ast.Name) -> Iterator[Edit]:
    for group in _KIN_BUILTIN:
        if node.id in group.split():
            for name in group.split():
                yield from place.swap(node, name, 1.7)
    for name, most in place.scope.callables.items():
        if most == -1 or most >= len(call.args):
            yield from place.swap(node, name, 2.3 - _alike(node.id, name))


def _attribute(place: Place, node: ast.Attribute) -> Iterator[Edit]:
    parent = place.parent(node)
    is_called = isinstance(parent, ast.Call) and parent.func is node
    _, end = place.file.span(node)
    start = end - len(node.attr.encode())
    if place.file.between(start, end) != node.attr:
        return
    for other in kin(node.attr):
        what = f"`.{node.attr}` becomes `.{other}`"
        yield Edit((Splice(start, end, other),), what, 1.7)
    for other in place.scope.fields:
        if other != node.attr:
            cost = (2.4 if is_called else 2.0) - _alike(node.attr, other)
            what = f"`.{node.attr}` becomes `.{other}`"
            yield Edit((Splice(start, end, other),), what, cost)
    if isinstance(node.ctx, ast.Load) and not is_called:
        yield from place.swap(node, place.src(node.value), 2.8)
        for name in place.scope.values:
            yield from place.swap(node, name, 2.2 if name.startswith("self.") else 2.6)

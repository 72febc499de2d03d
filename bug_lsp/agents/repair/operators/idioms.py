"""What goes wrong in Python in ways of its own: shared defaults, late closures, missing `self`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.scope import own_nodes, parameters
from bug_lsp.agents.repair.source import FUNCTIONS, Splice

_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.Call)
_ERRORS = ("Exception", "KeyError", "IndexError", "ValueError", "TypeError", "AttributeError",
           "ZeroDivisionError", "StopIteration", "LookupError", "OSError")  # fmt: skip


def edits(place: Place) -> Iterator[Edit]:
    """All that fit the statement, or the function that it begins."""
    yield from _shared_default(place)
    yield from _shared_attribute(place)
    yield from _late_closure(place)
    yield from _shared_rows(place)
    yield from _outer_name(place)
    yield from _super(place)
    yield from _raised(place)


def _defaults(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[ast.arg, ast.expr]]:
    own = function.args
    positional = [*own.posonlyargs, *own.args]
    if own.defaults:
        yield from zip(positional[-len(own.defaults) :], own.defaults, strict=True)
    for arg, default in zip(own.kwonlyargs, own.kw_defaults, strict=True):
        if default is not None:
            yield arg, default


def _shared_default(place: Place) -> Iterator[Edit]:
    """`def f(x=[])`: one list for all calls."""
    function = place.statement if isinstance(place.statement, FUNCTIONS) else place.function
    if function is None:
        return
    for arg, default in _defaults(function):
        if not isinstance(default, _MUTABLE):
            continue
        first = function.body[0]
        if ast.get_docstring(function) is not None and len(function.body) > 1:
            first = function.body[1]
        block = f"if {arg.arg} is None:\n    {arg.arg} = {place.src(default)}"
        inside = place.file.insert(first, block)
        if inside is not None:
            splices = (Splice(*place.file.span(default), "None"), inside)
            what = f"the default of `{arg.arg}` is made anew for each call"
            yield Edit(splices, what, 1.4, outside_body=True)


def _shared_attribute(place: Place) -> Iterator[Edit]:
    """`class A: items = []`: one list for all instances."""
    function = place.function
    cls = place.file.enclosing(function, ast.ClassDef) if function is not None else None
    if not isinstance(cls, ast.ClassDef):
        return
    inits = [n for n in cls.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    for node in cls.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(
                value, _MUTABLE
            ):
                text = f"self.{name} = {place.src(value)}"
                for init in inits:
                    splice = place.file.insert(init.body[-1], text, after=True)
                    if splice is not None:
                        what = f"`{name}` belongs to each instance, not to the class"
                        yield Edit((splice,), what, 1.9)


def _late_closure(place: Place) -> Iterator[Edit]:
    """`lambda: i` in a loop: all see the last `i`."""
    for node in place.nodes:
        if isinstance(node, ast.Lambda):
            bound = {arg.arg for arg in node.args.args}
            free = {n.id for n in ast.walk(node.body) if isinstance(n, ast.Name)} - bound
            start = place.file.span(node)[0] + len("lambda")
            end = place.file.span(node.body)[0]
            old = place.file.between(start, end).strip().removesuffix(":").strip()
            for name in sorted(free & set(place.scope.locals) | free & _targets(place, node)):
                new = f"{old}, {name}={name}" if old else f"{name}={name}"
                what = f"`{name}` is bound when the lambda is made"
                yield Edit((Splice(start, end, f" {new}: "),), what, 2.0)


def _targets(place: Place, node: ast.AST) -> set[str]:
    """Names that comprehensions around a node bind."""
    found: set[str] = set()
    around = place.parent(node)
    while around is not None and not isinstance(around, ast.stmt):
        for part in getattr(around, "generators", []):
            found |= {n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        around = place.parent(around)
    return found


def _shared_rows(place: Place) -> Iterator[Edit]:
    """`[[0] * n] * m`: one row, m times."""
    for node in place.nodes:
        match node:
            case ast.BinOp(left=ast.List(elts=[inner]), op=ast.Mult(), right=times):
                if not isinstance(inner, ast.Constant | ast.Name):
                    text = f"[{place.src(inner)} for _ in range({place.src(times)})]"
                    yield from place.swap(node, text, 1.5)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dict"), attr="fromkeys")):
                if len(node.args) == 2:  # noqa: PLR2004
                    keys, value = map(place.src, node.args)
                    yield from place.swap(node, f"{{key: {value} for key in {keys}}}", 1.7)


def _outer_name(place: Place) -> Iterator[Edit]:
    """A name of the module or of the function around is assigned, but not declared."""
    function = place.function
    if function is None:
        return
    assigned = {
        n.id
        for n in own_nodes(function)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    assigned -= {arg.arg for arg in parameters(function)}
    around = place.file.enclosing(function, FUNCTIONS)
    for name in sorted(assigned):
        if around is not None and name in _bound(around):
            yield from _declared(place, function, f"nonlocal {name}")
        if name in place.scope.constants:
            yield from _declared(place, function, f"global {name}")


def _bound(function: ast.AST) -> set[str]:
    assert isinstance(function, FUNCTIONS)  # noqa: S101
    found = {arg.arg for arg in parameters(function)}
    names = (n for n in own_nodes(function) if isinstance(n, ast.Name))
    return found | {n.id for n in names if isinstance(n.ctx, ast.Store)}


def _declared(
    place: Place, function: ast.FunctionDef | ast.AsyncFunctionDef, text: str
) -> Iterator[Edit]:
    splice = place.file.insert(function.body[0], text)
    if splice is not None:
        yield Edit((splice,), f"`{text}` is added to `{function.name}`", 2.0, outside_body=True)


def _super(place: Place) -> Iterator[Edit]:
    """A method of a derived class that does not call the one it overrides."""
    function = place.function
    cls = place.file.enclosing(function, ast.ClassDef) if function is not None else None
    if function is None or not isinstance(cls, ast.ClassDef) or not cls.bases:
        return
    if any(isinstance(n, ast.Name) and n.id == "super" for n in ast.walk(function)):
        return
    names = [arg.arg for arg in function.args.args[1:]]
    body = function.body
    # Like the free variable `__class__`, the call changes what the function closes over.
    for given in {", ".join(names), ""}:
        call = f"super().{function.name}({given})"
        for node, after, cost in ((body[0], False, 2.4), (body[-1], True, 2.8)):
            splice = place.file.insert(node, call, after=after)
            if splice is not None:
                yield Edit((splice,), f"`{call}` is added", cost, outside_body=True)


def _raised(place: Place) -> Iterator[Edit]:
    """Another exception that is raised or caught."""
    found: list[ast.expr] = []
    match place.statement:
        case ast.Raise(exc=ast.Call(func=ast.Name() as name)) | ast.Raise(exc=ast.Name() as name):
            found = [name]
        case ast.Try(handlers=handlers):
            kinds = [handler.type for handler in handlers if handler.type is not None]
            found = [kind for kind in kinds if isinstance(kind, ast.Name)]
            found += [n for k in kinds if isinstance(k, ast.Tuple) for n in k.elts]
            for kind in kinds:
                if isinstance(kind, ast.Name):
                    for other in _ERRORS:
                        both = f"({kind.id}, {other})"
                        yield from place.swap(kind, both, 2.3)
    custom = [name for name in place.scope.callables if name.endswith(("Error", "Exception"))]
    for node in found:
        for other in (*custom, *_ERRORS):
            yield from place.swap(node, other, 2.2)

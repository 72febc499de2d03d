"""What the code at a place can name: locals, attributes, callables, constants."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .source import FUNCTIONS, SourceFile

_MOST = 12
"""Names of one kind that are tried at a place. Functions with more are rarely short of others."""


@dataclass(slots=True)
class Scope:
    """The names of one function, or of the module's top level."""

    locals: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    """`self.x`, for what the class sets or reads."""
    callables: dict[str, int] = field(default_factory=dict)
    """Functions and classes of the module, with the most arguments they take; -1: any."""
    constants: list[str] = field(default_factory=list)
    """Names of the module that are assigned once, at its top level."""
    numbers: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    dicts: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    """Attribute names that the file uses on anything, or that its classes have."""
    unused: list[str] = field(default_factory=list)
    """Parameters that the function does not read."""
    called: set[str] = field(default_factory=set)
    """Locals and attributes that the function calls."""

    @property
    def values(self) -> list[str]:
        """What may stand for a value: locals first, then attributes, then constants."""
        return [*self.locals, *self.attributes, *self.constants]


def scope_of(file: SourceFile, function: ast.AST | None) -> Scope:
    """The names that the code of a function can use."""
    scope = Scope()
    chain = list(_functions_around(file, function))
    for around in chain:
        assert isinstance(around, FUNCTIONS)  # noqa: S101
        scope.parameters += [name for name in _parameters(around) if name not in scope.parameters]
        _add(scope.locals, [*_parameters(around), *_assigned(around)])
    body: ast.AST = function or file.tree
    _kinds(scope, body)
    read = {n.id for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    scope.unused = [name for name in scope.parameters if name not in read]
    _module_names(scope, file)
    cls = file.enclosing(function, ast.ClassDef) if function is not None else None
    if isinstance(cls, ast.ClassDef):
        _add(scope.attributes, _attributes(cls), most=_MOST)
    used = (n.attr for n in ast.walk(file.tree) if isinstance(n, ast.Attribute))
    _add(scope.fields, [*used, *file.members])
    constants = [n for n in ast.walk(body) if isinstance(n, ast.Constant)]
    _add(scope.numbers, (repr(n.value) for n in constants if type(n.value) in {int, float}))
    _add(scope.strings, (repr(n.value) for n in constants if type(n.value) is str), most=_MOST)
    callees = (n.func for n in ast.walk(body) if isinstance(n, ast.Call))
    scope.called = {ast.unparse(n) for n in callees}
    return scope


def _functions_around(file: SourceFile, function: ast.AST | None) -> Iterator[ast.AST]:
    while function is not None:
        yield function
        function = file.enclosing(function, FUNCTIONS)


def _add(names: list[str], more: Iterable[str], most: int = 1000) -> None:
    for name in more:
        if name not in names and name != "_" and len(names) < most:
            names.append(name)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """All parameters, in order."""
    own = function.args
    extra = [arg for arg in (own.vararg, own.kwarg) if arg is not None]
    return [*own.posonlyargs, *own.args, *own.kwonlyargs, *extra]


def _parameters(function: ast.AST) -> list[str]:
    assert isinstance(function, FUNCTIONS)  # noqa: S101
    return [arg.arg for arg in parameters(function) if arg.arg not in {"self", "cls"}]


def _assigned(function: ast.AST) -> Iterator[str]:
    """Names that the function's own code binds, in the order of the text."""
    found = [n for n in own_nodes(function) if isinstance(n, ast.Name)]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset)):
        if isinstance(node.ctx, ast.Store):
            yield node.id


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function but those of functions and classes inside it."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)


def _kinds(scope: Scope, body: ast.AST) -> None:
    """Which locals are lists, sets or dicts, as far as their first value tells."""
    for node in ast.walk(body):
        match node:
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]):
                kind = _kind(node.value)
            case ast.AnnAssign(target=ast.Name() | ast.Attribute() as target):
                kind = _kind(node.value)
            case _:
                continue
        if kind is not None:
            _add(getattr(scope, kind), [ast.unparse(target)])


def _kind(value: ast.expr | None) -> str | None:
    match value:
        case ast.List() | ast.ListComp():
            return "lists"
        case ast.Set() | ast.SetComp():
            return "sets"
        case ast.Dict() | ast.DictComp():
            return "dicts"
        case ast.BinOp(left=ast.List()):
            return "lists"
        case ast.Call(func=ast.Name(id=name)):
            kinds = {"list": "lists", "sorted": "lists", "deque": "lists", "set": "sets"}
            kinds |= {"dict": "dicts", "defaultdict": "dicts", "Counter": "dicts"}
            return kinds.get(name)
        case _:
            return None


def _module_names(scope: Scope, file: SourceFile) -> None:
    for node in file.tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                scope.callables[node.name] = -1 if node.args.vararg else len(_parameters(node))
            case ast.ClassDef():
                scope.callables[node.name] = -1
            case ast.ImportFrom():
                for name in node.names:
                    known = name.asname or name.name
                    if known[:1].islower():
                        scope.callables[known] = -1
            case ast.Assign(targets=[ast.Name(id=name)]):
                _add(scope.constants, [name], most=_MOST)


def _attributes(cls: ast.ClassDef) -> Iterator[str]:
    methods = {node.name for node in cls.body if isinstance(node, FUNCTIONS)}
    for node in ast.walk(cls):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name not in methods:
                yield f"self.{name}"


def is_builtin(name: str) -> bool:
    """Whether Python itself defines a name."""
    return hasattr(builtins, name)

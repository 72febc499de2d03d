"""What the code of a file has in places that look alike: statements, calls, conditions.

Pure. Names and constants do not count when two places are compared, attributes and calls do.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from .source import FUNCTIONS, SourceFile

_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)
_EXITS = (ast.Return, ast.Continue, ast.Break, ast.Raise)
_LEAST_SHAPE = 12
"""Characters: what is shorter is like half of all code."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A node and the names in it, in order."""

    node: ast.AST
    names: tuple[str, ...]


@dataclass
class Index:
    """The places of one file."""

    statements: dict[str, list[Alike]] = field(default_factory=lambda: defaultdict(list))
    conditions: dict[str, list[tuple[Alike, str, ast.expr]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """For a part of a condition: the place, the word that joins it, and the part that follows."""
    keywords: dict[str, dict[str, ast.expr]] = field(default_factory=lambda: defaultdict(dict))
    """For what is called: the keywords that it gets."""
    wraps: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """For the last name of an expression: what is called on or with it, as `{}.upper()`."""
    names: set[str] = field(default_factory=set)
    """What the module defines."""


def shape(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    """What a statement's head or an expression looks like, and the names in it."""
    names: list[str] = []
    return "".join(_shape(node, names)), tuple(names)


def _shape(node: ast.AST, names: list[str]) -> Iterator[str]:
    match node:
        case ast.Name():
            names.append(node.id)
            yield "_"
        case ast.arg():
            names.append(node.arg)
            yield "_"
        case ast.Constant():
            yield f"<{type(node.value).__name__}>"
        case ast.Attribute():
            yield from _shape(node.value, names)
            yield f".{node.attr}"
        case _:
            yield f"{type(node).__name__}("
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, ast.stmt | ast.expr_context | ast.excepthandler):
                    yield from _shape(child, names)
            yield ")"


def tail(node: ast.AST) -> str:
    """The last name of an expression."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f".{node.attr}"
        case ast.Call():
            return f"{tail(node.func)}()"
        case _:
            return ""


@lru_cache(maxsize=32)
def index_of(file: SourceFile) -> Index:
    """What a file has, read once."""
    index = Index()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.stmt) and not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            text, names = shape(node)
            if len(text) >= _LEAST_SHAPE:
                index.statements[text].append(Alike(node, names))
        elif isinstance(node, ast.BoolOp):
            _add_condition(index, node)
        elif isinstance(node, ast.Call):
            _add_call(index, node)
    for statement in file.tree.body:
        index.names |= set(_defined(statement))
    return index


def _add_condition(index: Index, node: ast.BoolOp) -> None:
    word = "and" if isinstance(node.op, ast.And) else "or"
    for part in node.values:
        text, names = shape(part)
        for other in node.values:
            if other is not part:
                index.conditions[text].append((Alike(part, names), word, other))


def _add_call(index: Index, node: ast.Call) -> None:
    for keyword in node.keywords:
        if keyword.arg is not None:
            index.keywords[tail(node.func)].setdefault(keyword.arg, keyword.value)
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    plain = all(isinstance(argument, ast.Constant) for argument in given)
    if isinstance(node.func, ast.Attribute) and plain and tail(node.func.value):
        arguments = ", ".join(map(ast.unparse, node.args))
        text = f"{{}}.{node.func.attr}({arguments.replace('{', '{{').replace('}', '}}')})"
        index.wraps[tail(node.func.value)].setdefault(text)
    if isinstance(node.func, ast.Name) and len(given) == 1 and tail(given[0]):
        index.wraps[tail(given[0])].setdefault(f"{node.func.id}({{}})")


def _defined(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.alias():
                yield (node.asname or node.name).partition(".")[0]
            case ast.Name(ctx=ast.Store()):
                yield node.id


def renamed(node: ast.AST, old: Sequence[str], new: Sequence[str], known: set[str]) -> str | None:
    """The text of a node with other names; None where a name is not `known` at the new place."""
    names: dict[str, str] = {}
    for before, after in zip(old, new, strict=True):
        if names.setdefault(before, after) != after:
            return None
    changed = copy.deepcopy(node)
    for part in ast.walk(changed):
        if isinstance(part, ast.Name):
            part.id = names.get(part.id, part.id)
            if part.id not in known and not hasattr(builtins, part.id):
                return None
    return ast.unparse(changed)


def is_exit_guard(node: ast.stmt) -> bool:
    """Whether it is a condition under which the rest does not happen."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return False
    return isinstance(node.body[0], _EXITS)


def is_simple(node: ast.stmt) -> bool:
    """Whether it is one step, without a condition and without a jump."""
    return isinstance(node, _SIMPLE)

"""Conditions: negated, joined otherwise, with a part dropped or added, replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bug_lsp.agents.repair.place import Edit, Place
from bug_lsp.agents.repair.scope import own_nodes
from bug_lsp.agents.repair.source import Splice

from .comparisons import conditions

_NOT, _AND, _OR = 5, 4, 3
_MOST_ATOMS = 24


def edits(place: Place) -> Iterator[Edit]:
    """All conditions of the statement."""
    for node in place.nodes:
        if isinstance(node, ast.BoolOp):
            yield from _joined(place, node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield from place.swap(node, place.src(node.operand), 1.6)
    for node in conditions(place):
        yield from _negated(place, node)
    for node in _wholes(place):
        yield from _widened(place, node)
        yield from _replaced(place, node)
    yield from _filtered(place)


def _wholes(place: Place) -> Iterator[ast.expr]:
    """Conditions as a whole, and values that are returned and look like one."""
    statement = place.statement
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        yield statement.test
    for node in place.nodes:
        parent = place.parent(node)
        if (
            (isinstance(parent, ast.comprehension) and node in parent.ifs)
            or (isinstance(parent, ast.IfExp) and node is parent.test)
            or (
                isinstance(parent, ast.Return | ast.Assign | ast.Lambda)
                and isinstance(node, ast.Compare | ast.BoolOp)
            )
        ):
            yield node


def _negated(place: Place, node: ast.expr) -> Iterator[Edit]:
    if not isinstance(node, ast.UnaryOp):
        yield from place.swap(node, f"not {place.file.operand(node, _NOT)}", 2.0)


def _joined(place: Place, node: ast.BoolOp) -> Iterator[Edit]:
    old, new = ("or", "and") if isinstance(node.op, ast.Or) else ("and", "or")
    operands = [place.file.operand(value, _AND + 1) for value in node.values]
    yield from place.swap(node, f" {new} ".join(operands), 1.5)
    if len(operands) == 2:  # noqa: PLR2004
        yield from place.swap(node, f" {old} ".join(reversed(operands)), 2.2)
    for index in range(len(operands)):
        rest = [place.src(v) for i, v in enumerate(node.values) if i != index]
        if len(rest) > 1:
            rest = [part for i, part in enumerate(operands) if i != index]
        yield from place.swap(node, f" {old} ".join(rest), 2.2)


def _widened(place: Place, node: ast.expr) -> Iterator[Edit]:
    """`c or x`, `x and c` and the like, for what can be asked of the names in scope."""
    after_or = place.file.operand(node, _OR)
    after_and = place.file.operand(node, _AND)
    for atom, cost in _atoms(place, node):
        yield from place.swap(node, f"{after_or} or {atom}", cost)
        yield from place.swap(node, f"{after_and} and {atom}", cost)
        if atom.endswith(("is None", "is not None")) or atom.startswith("not "):
            yield from place.swap(node, f"{atom} or {after_or}", cost)
        yield from place.swap(node, f"{atom} and {after_and}", cost)


def _atoms(place: Place, node: ast.expr) -> Iterator[tuple[str, float]]:
    """Simple questions, those about names of the condition itself first."""
    mine = {ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)}
    for name in [n for n in place.scope.values if n in mine][:8]:
        yield f"{name} is None", 2.4
        yield f"{name} is not None", 2.4
        yield f"not {name}", 2.4
        yield name, 2.5
    for name in [n for n in place.scope.values if n not in mine][:10]:
        yield f"not {name}", 2.7
        yield name, 2.7
        yield f"{name} is None", 3.0
        yield f"{name} is not None", 3.0
    for text in _other_conditions(place, node):
        yield text, 2.9
    for name in place.scope.locals[:6]:
        for holder in (*place.scope.sets, *place.scope.dicts, *place.scope.lists)[:4]:
            if name != holder:
                yield f"{name} in {holder}", 3.0
                yield f"{name} not in {holder}", 3.0
        for sign in ("> 0", "< 0", "== 0", ">= 0"):
            yield f"{name} {sign}", 3.2


def _other_conditions(place: Place, node: ast.expr) -> list[str]:
    """Comparisons that the function makes elsewhere."""
    if place.function is None:
        return []
    found = {
        place.src(other): None
        for other in own_nodes(place.function)
        if isinstance(other, ast.Compare) and hasattr(other, "lineno") and other is not node
    }
    return [text for text in found if "\n" not in text][:_MOST_ATOMS]


def _replaced(place: Place, node: ast.expr) -> Iterator[Edit]:
    """Another condition as a whole."""
    is_true = isinstance(node, ast.Constant) and bool(node.value)
    for name in place.scope.values:
        yield from place.swap(node, name, 2.3 if is_true else 3.0)
        yield from place.swap(node, f"not {name}", 2.6 if is_true else 3.2)
    for text in _other_conditions(place, node):
        yield from place.swap(node, text, 2.9)
    for text in ("True", "False"):
        yield from place.swap(node, text, 3.9)


def _filtered(place: Place) -> Iterator[Edit]:
    """An `if` for a comprehension that has none."""
    for node in place.nodes:
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            continue
        last = node.generators[-1]
        names = [n.id for n in ast.walk(last.target) if isinstance(n, ast.Name)]
        if last.ifs:
            continue
        end = place.file.span(last.iter)[1]
        for name in names:
            others = [n for n in place.scope.values if n not in names][:8]
            questions = [name, f"{name} is not None", f"not {name}"]
            questions += [f"{name} {sign} {n}" for n in others for sign in ("!=", "==", "not in")]
            questions += [f"{name} {sign} 0" for sign in (">", ">=", "!=")]
            for question in questions:
                what = f"`if {question}` is added to the comprehension"
                yield Edit((Splice(end, end, f" if {question}"),), what, 3.0)

"""Whether a finding names a true place: the same file, function or statement."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from bug_lsp.domain.report import Finding

from .catalogue import MODULE, Bug, Place

_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def rank(findings: Sequence[Finding], bug: Bug, folder: Path, kind: str) -> int:
    """Return the rank, from 1, of the first true finding; 0 if there is none.

    `kind` is `file`, `function` or `line`. Findings about the same such thing have one rank.
    """
    seen: list[object] = []
    for finding in findings:
        place = _described(finding.path, finding.line, folder)
        thing = {"file": place[:1], "function": place[:2], "line": place}[kind]
        if thing not in seen:
            seen.append(thing)
        if any(_is_true(place, finding.line, true, folder, kind) for true in bug.places):
            return seen.index(thing) + 1
    return 0


def edits_true_function(patch: str, bug: Bug, folder: Path) -> bool:
    """Tell whether a diff changes a line in a true function."""
    return any(
        _is_true(_described(path, line, folder), line, true, folder, "function")
        for path, line in changed_lines(patch)
        for true in bug.places
    )


def changed_lines(patch: str) -> list[tuple[str, int]]:
    """Return path and line, before the change, of what a unified diff removes or adds after."""
    lines: list[tuple[str, int]] = []
    path, at = "", 0
    for text in patch.splitlines():
        if text.startswith("--- "):
            path = text[4:].removeprefix("a/").split("\t")[0]
        elif text.startswith("@@"):
            at = int(text.split()[1].lstrip("-").split(",")[0])
        elif text.startswith("-"):
            lines.append((path, at))
            at += 1
        elif text.startswith("+") and not text.startswith("+++ "):
            lines.append((path, max(1, at - 1)))
        elif text.startswith(" "):
            at += 1
    return lines


def _is_true(
    place: tuple[str, str, tuple[int, int]], line: int, true: Place, folder: Path, kind: str
) -> bool:
    path, function, statement = place
    if path != true.path:
        return False
    if kind == "file":
        return True
    overlaps = statement[0] <= true.last and true.first <= statement[1]
    if kind == "line":
        return overlaps
    if true.function == MODULE:
        whole = _statement(_tree(folder / path), true.first, top=True)
        return function == MODULE and whole[0] <= line <= whole[1]
    return function == true.function or function.startswith(f"{true.function}.")


def _described(path: str, line: int, folder: Path) -> tuple[str, str, tuple[int, int]]:
    tree = _tree(folder / path)
    return path, function_of(tree, line), _statement(tree, line)


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ast.Module([], [])


def function_of(tree: ast.Module, line: int) -> str:
    """Return the qualified name of the innermost function or class with a line."""
    names: list[str] = []
    node: ast.AST = tree
    while True:
        inner = next((scope for scope in _scopes(node) if _has(scope, line)), None)
        if inner is None:
            return ".".join(names) or MODULE
        names.append(inner.name)
        node = inner


def _scopes(node: ast.AST) -> list[_Scope]:
    """Return the functions and classes directly in a node, not those in other scopes."""
    found: list[_Scope] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Scope):
            found.append(child)
        else:
            found += _scopes(child)
    return found


def _has(scope: _Scope, line: int) -> bool:
    first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    return first <= line <= (scope.end_lineno or scope.lineno)


def _statement(tree: ast.Module, line: int, *, top: bool = False) -> tuple[int, int]:
    """Return the lines of the statement with a line: of a compound one only its head."""
    best = (line, line)
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if body and not top:
                last = max(node.lineno, body[0].lineno - 1)
            if node.lineno <= line <= last:
                best = (node.lineno, last)
    return best

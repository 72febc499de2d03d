"""Gives the expressions inside f-strings their places: before Python 3.12 the parser does not."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

_OPEN, _CLOSE = "([{", ")]}"
_PREFIX = re.compile(r"(?i:f|rf|fr)('''|\"\"\"|'|\")")


def give_places(tree: ast.AST, src: Callable[[ast.AST], str]) -> None:
    """Parse the fields of one-line f-strings anew, each at its place; others lose theirs."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        values = [value for value in node.values if isinstance(value, ast.FormattedValue)]
        text = src(node)
        plain = node.lineno == node.end_lineno and _PREFIX.match(text) and text.isascii()
        fields = list(_fields(text)) if plain else []
        exact = len(fields) == len(values)
        for index, value in enumerate(values):
            parsed = _parse(fields[index][1]) if exact else None
            if parsed is None or ast.dump(parsed) != ast.dump(value.value):
                _forget(value)
                continue
            _move(parsed, node.lineno, node.col_offset + fields[index][0])
            value.value = parsed


def _fields(text: str) -> Iterator[tuple[int, str]]:
    """The outer fields of an f-string, each with the column that its expression begins at."""
    match = _PREFIX.match(text)
    at = match.end() if match else 0
    while at < len(text):
        if text.startswith(("{{", "}}"), at):
            at += 2
        elif text[at] == "{":
            end, close = _end_of_field(text, at + 1)
            yield at + 1, text[at + 1 : end]
            at = close + 1
        else:
            at += 1


def _end_of_field(text: str, at: int) -> tuple[int, int]:
    """Where the expression ends, and where the field is closed."""
    depth, end, quote = 0, -1, ""
    for index in range(at, len(text)):
        letter = text[index]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and end < 0:
            quote = letter
        elif letter == "}" and depth == 0:
            return (index if end < 0 else end), index
        elif letter in _OPEN:
            depth += 1
        elif letter in _CLOSE:
            depth -= 1
        elif depth == 0 and end < 0 and (letter == ":" or text[index : index + 2] == "!r"):
            end = index
    return at, len(text)


def _parse(field: str) -> ast.expr | None:
    try:
        return ast.parse(field, mode="eval").body if not field.startswith(" ") else None
    except SyntaxError:
        return None


def _move(parsed: ast.expr, line: int, column: int) -> None:
    for node in ast.walk(parsed):
        if isinstance(node, ast.expr | ast.keyword | ast.arg):
            node.lineno = node.end_lineno = line
            node.col_offset += column
            node.end_col_offset = (node.end_col_offset or 0) + column


def _forget(value: ast.FormattedValue) -> None:
    """Nothing may be edited at a place that is not known."""
    value.value = ast.Constant(value=None)
    value.format_spec = None

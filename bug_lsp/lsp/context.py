"""What the editor shows where the user points: positions and diagnostics of LSP as our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pygls.workspace import TextDocument

from bug_lsp.domain.context import Context, Diagnostic, Note
from bug_lsp.domain.errors import BadInput

from . import wire
from .client import path_of
from .server import BugLspServer
from .text import lines_between

_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}
_MOST = 50
"""Diagnostics, and places that one refers to, that are read."""


def context_of(server: BugLspServer, given: wire.ContextArgument, workspace: Path) -> Context:
    """What is at this place. Raises `BadInput` where it is in nothing that can be read."""
    path = path_of(given.uri)
    start, end = _lines(given.range)
    diagnostics = tuple(_diagnostic(item, workspace) for item in given.diagnostics[:_MOST])
    text = ""
    if path is None:
        text = _text(_document(server, given.uri), given.range, whole=bool(diagnostics))
        start = end = None
    return Context(
        path="" if path is None else _shown(path, workspace),
        start_line=start,
        end_line=end,
        text=text,
        diagnostics=diagnostics,
    )


def open_texts(server: BugLspServer) -> dict[Path, str]:
    """The texts of the files that are open, by their real paths."""
    found = {}
    for document in server.workspace.text_documents.values():
        path = path_of(document.uri)
        if path is not None:
            found[path.resolve()] = document.source
    return found


def _document(server: BugLspServer, uri: str) -> TextDocument:
    document: TextDocument | None = server.workspace.text_documents.get(uri)
    if document is None:
        raise BadInput(
            "context.uri",
            f"{uri!r} is not the URI of a file, nor of a document that is open in the editor; "
            "use file:///..., or open it",
        )
    return document


def _text(document: TextDocument, given: wire.Range | None, *, whole: bool) -> str:
    """The lines of the range; all of them where nothing is selected, or `whole` is asked for."""
    if whole or given is None or given.start == given.end:
        return document.source
    start, end = _lines(given)
    return lines_between(document.source, (start or 1) - 1, (end or 1) - 1)


def _lines(given: wire.Range | None) -> tuple[int, int] | tuple[None, None]:
    """The first and the last line, counted from 1. A selection that ends before the first character
    of a line has nothing of it.
    """
    if given is None:
        return None, None
    start, end = given.start.line, given.end.line
    if end > start and given.end.character == 0:
        end -= 1
    return start + 1, max(start, end) + 1


def _shown(path: Path, workspace: Path) -> str:
    """A path relative to the workspace, absolute outside of it."""
    real = path.resolve()
    return real.relative_to(workspace).as_posix() if real.is_relative_to(workspace) else str(real)


def _diagnostic(item: Any, workspace: Path) -> Diagnostic:
    """A diagnostic of LSP, whatever of it is there; anything else is its own message."""
    if not isinstance(item, dict):
        return Diagnostic(message=str(item))
    related = item.get("relatedInformation")
    notes = (
        _note(one, workspace) for one in (related if isinstance(related, list) else [])[:_MOST]
    )
    severity = item.get("severity")
    return Diagnostic(
        message=_message(item.get("message")),
        line=_line(item.get("range")),
        severity=_SEVERITIES.get(severity, "") if isinstance(severity, int) else "",
        source=_word(item.get("source")),
        code=_word(item.get("code")),
        notes=tuple(note for note in notes if note is not None),
    )


def _note(item: Any, workspace: Path) -> Note | None:
    location = item.get("location") if isinstance(item, dict) else None
    if not isinstance(location, dict):
        return None
    path, line = path_of(str(location.get("uri"))), _line(location.get("range"))
    if path is None or line is None:
        return None
    return Note(message=_message(item.get("message")), path=_shown(path, workspace), line=line)


def _message(said: Any) -> str:
    """A text, or LSP's `MarkupContent`."""
    return str(said.get("value", "")) if isinstance(said, dict) else _word(said)


def _word(said: Any) -> str:
    return str(said) if isinstance(said, str | int) else ""


def _line(given: Any) -> int | None:
    """The line, counted from 1, in which a range of LSP begins."""
    start = given.get("start") if isinstance(given, dict) else None
    line = start.get("line") if isinstance(start, dict) else None
    return line + 1 if isinstance(line, int) and line >= 0 else None

"""Text documents by LSP's own rules: lines end at LF, CRLF or CR and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_LINE_END = re.compile(r"\r\n|\n|\r")


class ExactDocument(TextDocument):
    """pygls splits lines with `str.splitlines`, which also breaks at form feeds and at U+2028: an
    edit below such a character would be made in the wrong line.
    """

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        return tuple(_LINE.findall(self.source))


class ExactWorkspace(Workspace):
    """A workspace of exact documents."""

    @classmethod
    def like(cls, other: Workspace) -> ExactWorkspace:
        """The same workspace, before any document was opened."""
        return cls(
            other.root_uri,
            types.TextDocumentSyncKind.Incremental,
            list(other.folders.values()),
            types.PositionEncodingKind(other.position_encoding or "utf-16"),
        )

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> ExactDocument:
        return ExactDocument(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=types.TextDocumentSyncKind.Incremental,
            position_codec=self.position_codec,
        )


def positions_at(text: str, offsets: Sequence[int], encoding: str) -> list[types.Position]:
    """The positions of offsets that are in order: the text is gone through once."""
    found: list[types.Position] = []
    ends = (match.end() for match in _LINE_END.finditer(text, 0, offsets[-1] if offsets else 0))
    line, start, following = 0, 0, next(ends, None)
    for offset in offsets:
        while following is not None and following <= offset:
            line, start, following = line + 1, following, next(ends, None)
        character = units(text[start:offset], encoding)
        found.append(types.Position(line=line, character=character))
    return found


def units(text: str, encoding: str) -> int:
    """The length of a text in these units."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def lines_between(text: str, start: int, end: int) -> str:
    """The lines from `start` to `end`, counted from 0, both included."""
    return "".join(_LINE.findall(text)[start : end + 1])


def text_between(document: TextDocument, where: types.Range) -> str:
    """The text of a range; "" where it is not in the document."""
    start = document.offset_at_position(where.start)
    end = document.offset_at_position(where.end)
    return document.source[start:end]

"""What is asked of a client in one workspace edit, as values, and how it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lsprotocol import types
from pygls.workspace import TextDocument

from bug_lsp.domain.region import Edit

from .text import positions_at

_Operation: TypeAlias = (
    types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile
)


@dataclass(frozen=True, slots=True)
class TextEdits:
    """Edits of one document, in order and apart from each other."""

    uri: str
    version: int | None
    """None where it is not open."""
    text: str
    """The text that the edits' offsets are of."""
    edits: tuple[Edit, ...]

    @classmethod
    def of(cls, document: TextDocument, *edits: Edit) -> TextEdits:
        """Edits of an open document as it is now."""
        return cls(document.uri, document.version, document.source, edits)

    def to_wire(self, encoding: str) -> list[types.TextEdit]:
        """The edits, with positions in the units that were agreed on."""
        offsets = [offset for edit in self.edits for offset in (edit.start, edit.end)]
        places = positions_at(self.text, offsets, encoding)
        return [
            types.TextEdit(range=types.Range(start=start, end=end), new_text=edit.text)
            for edit, start, end in zip(self.edits, places[::2], places[1::2], strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Edits:
    """One workspace edit. Files are created and deleted only by clients that can."""

    texts: tuple[TextEdits, ...] = ()
    created: tuple[tuple[str, str], ...] = ()
    """URI and text of new files. One that is there by then is an error, not overwritten."""
    deleted: tuple[str, ...] = ()

    def any(self) -> bool:
        """Whether there is anything to ask for."""
        return bool(self.texts or self.created or self.deleted)

    def to_wire(self, encoding: str, *, versioned: bool) -> types.WorkspaceEdit:
        """It, as the client can take it."""
        if not versioned:
            return types.WorkspaceEdit(
                changes={one.uri: one.to_wire(encoding) for one in self.texts}
            )
        # In this order, as a client may stop at what fails: what a version can refuse comes first,
        # and nothing is deleted where something before it was not made.
        changes: list[_Operation] = [
            _edit(one.uri, one.version, one.to_wire(encoding)) for one in self.texts
        ]
        for uri, text in self.created:
            options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
            changes += [types.CreateFile(uri=uri, options=options)]
            if text:
                changes += [_edit(uri, None, [types.TextEdit(range=_START, new_text=text)])]
        for uri in self.deleted:
            missing = types.DeleteFileOptions(recursive=False, ignore_if_not_exists=True)
            changes += [types.DeleteFile(uri=uri, options=missing)]
        return types.WorkspaceEdit(document_changes=changes)


_START = types.Range(
    start=types.Position(line=0, character=0), end=types.Position(line=0, character=0)
)


def _edit(uri: str, version: int | None, edits: Sequence[types.TextEdit]) -> types.TextDocumentEdit:
    document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.TextDocumentEdit(text_document=document, edits=edits)


@dataclass(frozen=True, slots=True)
class Made:
    """What the client answered."""

    applied: bool
    reason: str = ""
    """Why not, as the client says it; "" where it does not."""

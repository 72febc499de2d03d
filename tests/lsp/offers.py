"""What an editor is offered: code actions, code lenses and links, asked for and carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types

from .editor import Editor


async def actions(
    editor: Editor,
    file: Path | str,
    line: int = 0,
    diagnostics: Sequence[types.Diagnostic] = (),
    *,
    to: tuple[int, int] | None = None,
    only: list[str] | None = None,
) -> list[Any]:
    """What is offered at a line (from 0) of a file or of a document of this URI, or for what is
    selected from there to there.
    """
    start = types.Position(line=line, character=0)
    end = types.Position(*to) if to else start
    params = types.CodeActionParams(
        text_document=types.TextDocumentIdentifier(
            uri=file if isinstance(file, str) else file.as_uri()
        ),
        range=types.Range(start=start, end=end),
        context=types.CodeActionContext(diagnostics=list(diagnostics), only=only),
    )
    return list(await editor.within(editor.client.text_document_code_action_async(params)) or [])


async def carry_out(editor: Editor, offer: Any) -> Any:
    """The result of the command that an action, or a lens, stands for."""
    command = offer if isinstance(offer, types.Command) else offer.command
    return await editor.command(command.command, argument(offer))


def argument(offer: Any) -> Any:
    """The one argument of an offer's command, as plain JSON."""
    command = offer if isinstance(offer, types.Command) else offer.command
    [only] = command.arguments
    return json.loads(json.dumps(only, default=lambda value: value.__dict__))


def titles(offers: Sequence[Any]) -> list[str]:
    """What they are called."""
    return [offer.title for offer in offers]


async def lenses(editor: Editor, path: Path) -> list[tuple[int, str]]:
    """The code lenses of a file: line (from 0) and title."""
    params = types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    found = await editor.within(editor.client.text_document_code_lens_async(params))
    return [(lens.range.start.line, lens.command.title) for lens in found]


async def links(editor: Editor, path: Path) -> list[types.DocumentLink]:
    """The links in a file."""
    params = types.DocumentLinkParams(text_document=types.TextDocumentIdentifier(uri=path.as_uri()))
    return list(await editor.within(editor.client.text_document_document_link_async(params)))

"""What LSP tells and asks the server, beside commands: each is handed on in a line or two."""

from __future__ import annotations

from lsprotocol import types

from bug_lsp.domain.errors import BugLspError

from . import actions, answering, commands, example, panel, patching, reporting, steering
from .door import Door
from .progress import session_of
from .protocol import refuse
from .server import BugLspServer

_COMMANDS = (commands, example, patching, reporting, steering)
"""Modules that register their commands by being imported."""


def create_server(door: Door) -> BugLspServer:
    """A server behind this door, with its features and commands."""
    server = BugLspServer(door)
    _life(door, server)
    _files(door, server)
    _on_the_line(door, server)
    answering.register(door, server)
    return server


def _life(door: Door, server: BugLspServer) -> None:
    @door.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        server.background(server.attach)

    @door.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(_params: types.DidChangeConfigurationParams) -> None:
        server.background(server.read_settings)

    @door.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(_params: types.DidChangeWorkspaceFoldersParams) -> None:
        server.background(server.attach)

    @door.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel_progress(params: types.WorkDoneProgressCancelParams) -> None:
        session_id = session_of(params.token)
        if session_id is not None:
            server.background(commands.cancel_quietly, server, session_id)

    @door.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def text_document_content(
        params: types.TextDocumentContentParams,
    ) -> types.TextDocumentContentResult:
        try:
            return types.TextDocumentContentResult(text=await server.content(params.uri))
        except BugLspError as error:
            raise refuse(error.message) from error


def _files(door: Door, server: BugLspServer) -> None:
    @door.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.touched(params.text_document.uri)
        server.opened_or_closed(params.text_document.uri)
        server.diagnostics.opened(params.text_document.uri)

    @door.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.touched(params.text_document.uri)
        server.diagnostics.changed(params.text_document.uri, params.content_changes)

    @door.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.released(params.text_document.uri)
        server.diagnostics.changed(params.text_document.uri)

    @door.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_on_disk(params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            server.diagnostics.changed_on_disk(change.uri)

    @door.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.opened_or_closed(params.text_document.uri)
        server.released(params.text_document.uri)
        server.diagnostics.closed(params.text_document.uri)


def _on_the_line(door: Door, server: BugLspServer) -> None:
    @door.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    async def code_action(
        params: types.CodeActionParams,
    ) -> list[types.CodeAction | types.Command]:
        return await actions.code_actions(server, params)

    @door.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens]:
        return await panel.lenses(server, params.text_document.uri)

    @door.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        return await panel.links(server, params.text_document.uri)

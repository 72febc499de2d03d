"""An editor for tests: a real LSP client over standard input and output that behaves like VS Code.

It reads a live document again at each refresh, applies edits to its open buffers (refusing those
for another version), and remembers what it was asked to show and say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled
from pygls.workspace import PositionCodec
from pytest_lsp import LanguageClient, make_test_lsp_client

from bug_lsp.lsp.text import ExactDocument

FULL: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True},
        "configuration": True,
        "textDocumentContent": {"dynamicRegistration": True},
    },
    "window": {
        "workDoneProgress": True,
        "showDocument": {"support": True},
        "showMessage": {"messageActionItem": {}},
    },
    "general": {"positionEncodings": ["utf-16"]},
}


RICH: dict[str, Any] = FULL | {
    "textDocument": {
        "publishDiagnostics": {
            "relatedInformation": True,
            "versionSupport": True,
            "codeDescriptionSupport": True,
            "dataSupport": True,
        },
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}},
            "isPreferredSupport": True,
        },
        "codeLens": {},
        "documentLink": {},
    },
    "workspace": FULL["workspace"]
    | {
        "codeLens": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
}
"""What VS Code can do."""


def _command_or_action(found: Any, _: Any) -> Any:
    """lsprotocol takes every code action that has a command for a command."""
    kind = types.Command if isinstance(found["command"], str) else types.CodeAction
    return get_converter().structure(found, kind)


class Editor:
    """One editor window with one server."""

    server_command = (sys.executable, "-m", "bug_lsp", "serve")

    def __init__(self, root: Path, capabilities: dict[str, Any] | None = None) -> None:
        self.root = root
        self.capabilities = FULL if capabilities is None else capabilities
        self.client: LanguageClient = make_test_lsp_client()
        self.buffers: dict[str, ExactDocument] = {}
        self.texts: dict[str, list[str]] = defaultdict(list)
        """Each text that a live document had, in order."""
        self.questions: list[types.ShowMessageRequestParams] = []
        self.answer: Callable[[types.ShowMessageRequestParams], str | None] = lambda _: None
        self.run_changes: list[str] = []
        self.published: list[types.PublishDiagnosticsParams] = []
        self.lens_refreshes = 0
        self.registered: list[types.Registration] = []
        self.edits: list[types.ApplyWorkspaceEditParams] = []
        self.before_edit: Callable[[], None] | None = None
        """Called once when an edit arrives, before it is applied: the user types meanwhile."""
        self.lets_edit = True
        self.follow_documents = True
        self._marked: set[str] = set()
        self._undo: list[Callable[[], None]] = []
        """What takes the last edit of the server's back, the last step last."""
        self._ended = False
        self._reads: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._handlers()
        self._on_the_line()
        self._messages()
        self.client.protocol._converter.register_structure_hook(
            types.Command | types.CodeAction, _command_or_action
        )

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self.client._server is not None
        return self.client._server.pid

    async def start(self, env: dict[str, str] | None = None, options: Any = None) -> Editor:
        """Start the server and initialise it."""
        await self.client.start_io(*self.server_command, env={**os.environ, **(env or {})})
        capabilities = get_converter().structure(self.capabilities, types.ClientCapabilities)
        await self.within(
            self.client.initialize_session(
                types.InitializeParams(
                    capabilities=capabilities,
                    workspace_folders=[
                        types.WorkspaceFolder(uri=self.root.as_uri(), name=self.root.name)
                    ],
                    initialization_options=options,
                )
            )
        )
        return self

    async def stop(self) -> None:
        """Shut the server down as an editor does."""
        self._ended = True
        await self.within(self.client.shutdown_session())

    async def end(self) -> None:
        """Make sure that the server is gone, in the way that is still possible."""
        if not self._ended:
            await self.stop()

    async def kill(self) -> None:
        """The server dies at once."""
        self._ended = True
        assert self.client._server is not None
        self.client._stop_event.set()
        with contextlib.suppress(ProcessLookupError):  # it may be dead already
            self.client._server.kill()
        await self.within(self.client._server.wait())
        await self.within(self.client.stop())

    async def command(self, name: str, *arguments: Any) -> Any:
        """The result of a command, as plain JSON."""
        params = types.ExecuteCommandParams(command=name, arguments=list(arguments))
        result = await self.within(self.client.workspace_execute_command_async(params))
        return json.loads(json.dumps(result, default=lambda value: value.__dict__))

    async def within(self, awaitable: Any, seconds: float = 30) -> Any:
        """The result of an awaitable, or a failure after a deadline."""
        return await asyncio.wait_for(awaitable, seconds)

    async def until(self, holds: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
        """Wait until something holds; looked at whenever the server has said something."""
        async with self._changed:
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(holds)
            except TimeoutError:
                raise AssertionError(
                    f"did not come about in {seconds} s: {what or holds}"
                ) from None
        return holds()

    async def finished(self, run_id: str, seconds: float = 60) -> dict[str, Any]:
        """The status of a run once it is delivered."""
        async with asyncio.timeout(seconds):
            while True:
                seen = len(self.run_changes)
                status = await self.command("getDebugRunStatus", {"debugRunId": run_id})
                if status["delivered"]:
                    return status
                await self.until(lambda: len(self.run_changes) > seen, seconds, "a run change")  # noqa: B023

    def open(self, path: Path) -> ExactDocument:
        """Open a file in the editor."""
        uri, text = path.as_uri(), path.read_bytes().decode()
        if text.startswith("\ufeff"):  # it is kept out of the buffer and put back when saved
            self._marked.add(uri)
            text = text.removeprefix("\ufeff")
        self.buffers[uri] = ExactDocument(
            uri,
            source=text,
            version=1,
            position_codec=PositionCodec(types.PositionEncodingKind.Utf16),
        )
        item = types.TextDocumentItem(uri=uri, language_id="markdown", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return self.buffers[uri]

    def type(self, path: Path, line: int, text: str, instead_of: int = 0) -> None:
        """Type at the beginning of a line, without saving, in place of so many lines."""
        start = types.Position(line=line, character=0)
        end = types.Position(line=line + instead_of, character=0)
        self._change(
            path.as_uri(),
            types.TextDocumentContentChangePartial(
                range=types.Range(start=start, end=end), text=text
            ),
        )

    def diagnostics(self, path: Path) -> list[types.Diagnostic]:
        """What is shown of a file now."""
        return list(self.client.diagnostics.get(path.as_uri(), []))

    def _change(self, uri: str, *changes: Any) -> None:
        buffer = self.buffers[uri]
        for change in changes:
            buffer.apply_change(change)
        buffer.version = (buffer.version or 0) + 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(
                    uri=uri, version=buffer.version
                ),
                content_changes=list(changes),
            )
        )

    def save(self, path: Path) -> None:
        """Save a buffer."""
        mark = "\ufeff" if path.as_uri() in self._marked else ""
        path.write_bytes((mark + self.buffers[path.as_uri()].source).encode())
        self.client.text_document_did_save(
            types.DidSaveTextDocumentParams(
                text_document=types.TextDocumentIdentifier(uri=path.as_uri())
            )
        )

    def save_all(self) -> None:
        """Save all buffers."""
        for uri in self.buffers:
            self.save(_path(uri))

    def undo(self) -> None:
        """Take the last edit of the server's back, in all files, by its inverse."""
        steps, self._undo = self._undo, []
        for step in reversed(steps):
            step()

    def close(self, path: Path) -> None:
        """Close a buffer."""
        del self.buffers[path.as_uri()]
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(
                text_document=types.TextDocumentIdentifier(uri=path.as_uri())
            )
        )

    def changed_on_disk(self, path: Path) -> None:
        """Tell of a file that another program has written."""
        event = types.FileEvent(uri=path.as_uri(), type=types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(changes=[event])
        )

    def text(self, path: Path) -> str:
        """What stands in a buffer."""
        return self.buffers[path.as_uri()].source

    async def _follow(self, uri: str) -> None:
        """Read a document because it was refreshed; its run may have been deleted meanwhile."""
        with self._while_it_lives(JsonRpcException):
            await self.read(uri)

    async def _read_shown(self, uri: str) -> None:
        """Read a document that was shown; its run may have been deleted meanwhile, too."""
        with self._while_it_lives(JsonRpcRequestCancelled):
            try:
                await self.read(uri)
            except JsonRpcException as error:
                if "delete its debug run" not in str(error):
                    raise

    @contextlib.contextmanager
    def _while_it_lives(self, refusal: type[JsonRpcException]) -> Iterator[None]:
        """The server may refuse, end or be killed meanwhile."""
        try:
            yield
        except refusal:
            pass
        except RuntimeError:
            assert self.client._server is not None
            if self.client._server.returncode is None:
                raise

    async def read(self, uri: str) -> str:
        """A live document's text, read now."""
        params = types.TextDocumentContentParams(uri=uri)
        result = await self.within(self.client.workspace_text_document_content_async(params))
        self.texts[uri].append(result.text)
        await self._tell()
        return result.text

    def progress(self, session_id: str) -> list[Any]:
        """What the progress of a session has said."""
        return [
            report.value if hasattr(report, "value") else report
            for report in self.client.progress_reports.get(f"bug-lsp/{session_id}", [])
        ]

    def cancel_progress(self, session_id: str) -> None:
        """Press Cancel on a session's progress."""
        self.client.window_work_done_progress_cancel(
            types.WorkDoneProgressCancelParams(token=f"bug-lsp/{session_id}")
        )

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._reads.add(task)
        task.add_done_callback(self._reads.discard)

    def _handlers(self) -> None:
        client = self.client
        stock = client.protocol.fm.features
        stock_progress = stock.pop(types.PROGRESS)
        for name in (
            types.WINDOW_SHOW_DOCUMENT,
            types.WINDOW_SHOW_MESSAGE,
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
        ):
            stock.pop(name)

        @client.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH)
        def refresh(params: types.TextDocumentContentRefreshParams) -> None:
            if self.follow_documents:
                self._soon(self._follow(params.uri))

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply_edit(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.edits.append(params)
            if self.before_edit is not None:
                typing, self.before_edit = self.before_edit, None
                typing()
            applied = self.lets_edit and self._apply(params.edit)
            return types.ApplyWorkspaceEditResult(applied=applied)

        @client.feature(types.WINDOW_SHOW_DOCUMENT)
        def show_document(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            client.shown_documents.append(params)
            if params.uri.startswith("bug-lsp:"):
                self._soon(self._read_shown(params.uri))
            self._soon(self._tell())
            return types.ShowDocumentResult(success=True)

        @client.feature(types.PROGRESS)
        def progress(params: types.ProgressParams) -> None:
            stock_progress(params)
            self._soon(self._tell())

        @client.feature("bugLsp/runChanged")
        def run_changed(params: Any) -> None:
            self.run_changes.append(params.debugRunId)
            self._soon(self._tell())

    def _on_the_line(self) -> None:
        client = self.client

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            client.diagnostics[params.uri] = list(params.diagnostics)
            self._soon(self._tell())

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered += params.registrations
            self._soon(self._tell())

        @client.feature(types.WORKSPACE_CODE_LENS_REFRESH)
        def refresh_lenses(_params: None) -> None:
            self.lens_refreshes += 1
            self._soon(self._tell())

    def _messages(self) -> None:
        client = self.client

        @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
        def question(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
            self.questions.append(params)
            self._soon(self._tell())
            chosen = self.answer(params)
            return types.MessageActionItem(title=chosen) if chosen else None

        @client.feature(types.WINDOW_SHOW_MESSAGE)
        def message(params: types.ShowMessageParams) -> None:
            client.messages.append(params)
            self._soon(self._tell())

    def _apply(self, edit: types.WorkspaceEdit) -> bool:
        self._undo = []
        for change in edit.document_changes or []:
            if isinstance(change, types.TextDocumentEdit) and not self._is_for_now(change):
                return False
        for change in edit.document_changes or []:
            if isinstance(change, types.TextDocumentEdit):
                self._make(change.text_document.uri, change.edits)
            elif not self._operate(change):
                return False
        for uri, edits in (edit.changes or {}).items():
            self._make(uri, edits)
        return True

    def _is_for_now(self, change: types.TextDocumentEdit) -> bool:
        uri, version = change.text_document.uri, change.text_document.version
        return version is None or (uri in self.buffers and version == self.buffers[uri].version)

    def _operate(self, change: Any) -> bool:
        path = _path(change.uri)
        if isinstance(change, types.CreateFile):
            if path.exists():
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._undo.append(lambda: self._delete(path))
        else:
            assert isinstance(change, types.DeleteFile)
            before = path.read_bytes()
            self._delete(path)
            self._undo.append(lambda: path.write_bytes(before) and None)
        return True

    def _delete(self, path: Path) -> None:
        if path.as_uri() in self.buffers:
            self.close(path)
        path.unlink()

    def _make(self, uri: str, edits: Any) -> None:
        if uri not in self.buffers:
            self.open(_path(uri))
        # All are for the text as it was: from the last one on none moves another.
        for one in sorted(edits, key=lambda one: _order(one.range.start), reverse=True):
            self._undo.append(self._inverse(uri, one))
            self._change(
                uri, types.TextDocumentContentChangePartial(range=one.range, text=one.new_text)
            )

    def _inverse(self, uri: str, edit: Any) -> Callable[[], None]:
        buffer = self.buffers[uri]
        start, end = (buffer.offset_at_position(at) for at in (edit.range.start, edit.range.end))
        old, lines = buffer.source[start:end], edit.new_text.split("\n")
        last = len(lines[-1].encode("utf-16-le")) // 2
        there = types.Position(
            line=edit.range.start.line + len(lines) - 1,
            character=last + (edit.range.start.character if len(lines) == 1 else 0),
        )
        made = types.TextDocumentContentChangePartial(
            range=types.Range(start=edit.range.start, end=there), text=old
        )
        return lambda: self._change(uri, made)


def _path(uri: str) -> Path:
    return Path(unquote(uri.removeprefix("file://")))


def _order(place: types.Position) -> tuple[int, int]:
    return place.line, place.character

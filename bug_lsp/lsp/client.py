"""What the server asks of its client: only what the client can do, never without a deadline (but
for a question to a person), one at a time where the order matters.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from bug_lsp.domain.inert import inert

from .edits import Edits, Made

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

log = logging.getLogger(__name__)
_T = TypeVar("_T")

DEADLINE = 10.0
_WATCH = "bug-lsp/files-with-findings"
_EDIT_DEADLINE = 60.0
"""An edit may wait for a person: eglot asks before it makes one."""


@dataclass(frozen=True, slots=True)
class DiagnosticSupport:
    """What of a diagnostic a client can show."""

    version: bool
    related: bool
    code_description: bool
    data: bool


class Client:
    """The editor at the other end."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._showing = anyio.Lock()
        self._watched: set[str] = set()
        self.patching = anyio.Lock()
        """Held while a patch is brought in: two at once would take each other's text for old."""

    @property
    def _window(self) -> types.WindowClientCapabilities | None:
        return self._server.client_capabilities.window

    @property
    def _workspace(self) -> types.WorkspaceClientCapabilities | None:
        return self._server.client_capabilities.workspace

    @property
    def has_progress(self) -> bool:
        """Whether it shows work-done progress."""
        return bool(self._window and self._window.work_done_progress)

    @property
    def has_virtual_documents(self) -> bool:
        """Whether it asks for the content of `bug-lsp:` documents."""
        return bool(self._workspace and self._workspace.text_document_content)

    @property
    def has_show_document(self) -> bool:
        """Whether it opens documents on request."""
        show = self._window.show_document if self._window else None
        return bool(show and show.support)

    @property
    def has_questions(self) -> bool:
        """Whether a message can carry actions."""
        return bool(self._window and self._window.show_message)

    @property
    def has_edits(self) -> bool:
        """Whether it makes edits for the server."""
        return bool(self._workspace and self._workspace.apply_edit)

    @property
    def has_versioned_edits(self) -> bool:
        """Whether an edit can say which version of the document it is for."""
        edit = self._workspace.workspace_edit if self._workspace else None
        return bool(edit and edit.document_changes)

    def has_operation(self, kind: types.ResourceOperationKind) -> bool:
        """Whether an edit can create, rename or delete files."""
        edit = self._workspace.workspace_edit if self._workspace else None
        # They are among the document changes, or they are not at all: Neovim does not say that.
        known = edit.resource_operations if edit and edit.document_changes else None
        return kind in (known or ())

    @property
    def has_configuration(self) -> bool:
        """Whether it answers questions about settings."""
        return bool(self._workspace and self._workspace.configuration)

    @property
    def encoding(self) -> str:
        """The units in which positions are counted."""
        return str(self._server.workspace.position_encoding or "utf-16")

    @property
    def shows(self) -> DiagnosticSupport:
        """What of a diagnostic it can show."""
        document = self._server.client_capabilities.text_document
        can = document.publish_diagnostics if document else None
        return DiagnosticSupport(
            version=bool(can and can.version_support),
            related=bool(can and can.related_information),
            code_description=bool(can and can.code_description_support),
            data=bool(can and can.data_support),
        )

    @property
    def has_code_action_literals(self) -> bool:
        """Whether a code action may be more than a command."""
        document = self._server.client_capabilities.text_document
        can = document.code_action if document else None
        return bool(can and can.code_action_literal_support)

    @property
    def has_links(self) -> bool:
        """Whether it shows links in documents."""
        document = self._server.client_capabilities.text_document
        return bool(document and document.document_link)

    @property
    def has_lens_refresh(self) -> bool:
        """Whether it reads code lenses again on request."""
        lens = self._workspace.code_lens if self._workspace else None
        return bool(lens and lens.refresh_support)

    async def watch(self, patterns: Collection[str]) -> None:
        """Have it tell of these files when they change on disk, and of no others that it was asked
        to watch before.
        """
        watched = self._workspace.did_change_watched_files if self._workspace else None
        if not (watched and watched.dynamic_registration) or self._watched == set(patterns):
            return
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        if self._watched:
            old = types.Unregistration(id=_WATCH, method=method)
            params = types.UnregistrationParams(unregisterations=[old])
            await _ask(lambda: self._server.client_unregister_capability_async(params))
        self._watched = set(patterns)
        if not patterns:
            return
        options = types.DidChangeWatchedFilesRegistrationOptions(
            watchers=[types.FileSystemWatcher(glob_pattern=one) for one in sorted(patterns)]
        )
        new = types.Registration(id=_WATCH, method=method, register_options=options)
        wanted = types.RegistrationParams(registrations=[new])
        await _ask(lambda: self._server.client_register_capability_async(wanted))

    async def refresh_lenses(self) -> None:
        """Ask it to read code lenses again."""
        await _ask(lambda: _answered(self._server.workspace_code_lens_refresh_async(None)))

    async def create_progress(self, token: str) -> bool:
        """Make a progress token. False if the client would not have it."""
        if not self.has_progress:
            return False
        params = types.WorkDoneProgressCreateParams(token=token)
        answered = await _ask(
            lambda: _answered(self._server.window_work_done_progress_create_async(params))
        )
        return answered is True

    def progress(self, token: str, value: Any) -> None:
        """Say how far a token is."""
        self._server.progress(types.ProgressParams(token=token, value=value))

    async def refresh(self, uri: str) -> None:
        """Ask it to read a virtual document again."""
        params = types.TextDocumentContentRefreshParams(uri=uri)
        await _ask(lambda: self._server.workspace_text_document_content_refresh_async(params))

    async def show(self, uri: str, *, focus: bool, line: int | None = None) -> bool:
        """Open a document beside, at a line (from 0). What it answers is a hint, not a fact."""
        if not self.has_show_document:
            return False
        there = None if line is None else types.Position(line=line, character=0)
        selection = types.Range(start=there, end=there) if there else None
        params = types.ShowDocumentParams(uri=uri, take_focus=focus, selection=selection)
        async with self._showing:  # two at once confuse VS Code
            result = await _ask(lambda: self._server.window_show_document_async(params))
        return bool(result and result.success)

    def say(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Show a message. Some clients make links of what looks like one, commands included."""
        params = types.ShowMessageParams(type=kind, message=inert(message))
        self._server.window_show_message(params)

    async def choose(self, message: str, choices: list[str]) -> str | None:
        """Let the user choose; None when they will not, or cannot be asked."""
        if not self.has_questions:
            self.say(message)
            return None
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Info,
            message=inert(message),
            actions=[types.MessageActionItem(title=choice) for choice in choices],
        )
        # No deadline: a person may take their time. The server's end ends the question.
        answer = await _ask(
            lambda: self._server.window_show_message_request_async(params), deadline=None
        )
        title = answer.title if answer else None
        return title if title in choices else None

    async def edit(self, edits: Edits, label: str) -> Made:
        """Make edits in documents, all at once, unless one has changed since."""
        if not self.has_edits:
            return Made(applied=False, reason="it makes no edits for a server")
        whole = edits.to_wire(self.encoding, versioned=self.has_versioned_edits)
        params = types.ApplyWorkspaceEditParams(edit=whole, label=label)
        result = await _ask(
            lambda: self._server.workspace_apply_edit_async(params), deadline=_EDIT_DEADLINE
        )
        if result is None:
            return Made(applied=False, reason="it gave no answer")
        reasons = [result.failure_reason or ""]
        if result.failed_change is not None:
            reasons.append("a part of it may be in, which undo takes out")
        return Made(applied=bool(result.applied), reason="; ".join(filter(None, reasons)))

    async def configuration(self, section: str, scope: str | None) -> Any:
        """The client's settings of this section; None where it has none to give."""
        if not self.has_configuration:
            return None
        item = types.ConfigurationItem(scope_uri=scope, section=section)
        params = types.ConfigurationParams(items=[item])
        answer = await _ask(lambda: self._server.workspace_configuration_async(params))
        return answer[0] if answer else None


def path_of(uri: str) -> Path | None:
    """The path of a `file:` URI of this machine; None for any other, and for a path that no file
    can have: links in a circle, a zero in it, a name that is too long.
    """
    from pygls.uris import to_fs_path

    if not uri.startswith("file:"):
        return None
    try:
        path = to_fs_path(uri)
        if not path or path.startswith("//"):
            return None
        Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return Path(path)


async def _answered(request: Awaitable[Any]) -> bool:
    await request
    return True


async def _ask(
    request: Callable[[], Awaitable[_T]], deadline: float | None = DEADLINE
) -> _T | None:
    """The client's answer, None if it refuses or does not answer in time."""
    with anyio.move_on_after(deadline):
        try:
            return await request()
        except (JsonRpcException, RuntimeError) as error:
            log.info("the client refused: %s", error)
    return None

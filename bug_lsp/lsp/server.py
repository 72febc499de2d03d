"""The server's state: its client, its workspaces, the runs it follows; and LSP's notifications."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio.to_thread import run_sync
from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from bug_lsp.domain.errors import BadInput, BugLspError, Refused
from bug_lsp.domain.gate import Deliver
from bug_lsp.domain.ids import (
    is_run_id,
    is_session_id,
    parse_patch_uri,
    parse_session_uri,
    parse_side_uri,
)
from bug_lsp.domain.run import Session, materialise_session
from bug_lsp.domain.settings import Settings
from bug_lsp.session import gate, patch, sides
from bug_lsp.session import settings as user_settings
from bug_lsp.session.view import document
from bug_lsp.session.watch import Watch
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder, WorkspaceFolder

from . import delivery, wire
from .client import Client, path_of
from .diagnostics import Diagnostics
from .documents import Documents
from .follow import Follower
from .progress import Progress
from .protocol import refuse
from .trust import Withheld

if TYPE_CHECKING:
    from .door import Door

log = logging.getLogger(__name__)

MARKDOWN = {".md", ".markdown", ".mdx"}


class BugLspServer:
    """One editor's server."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.client = Client(door)
        self._documents = Documents(self)
        self._progress = Progress(self)
        self.diagnostics = Diagnostics(self)
        self.settings = Settings()
        self.current_task: Path | None = None
        """The task file that was opened or changed last."""
        self.settings_read = anyio.Event()
        self._withheld = Withheld()
        self._named: list[str] = []
        self._roots: list[tuple[Path, Path]] = []
        """The workspace folders as the editor names them, and what they are in truth."""
        self._layers = [_section(door.protocol.options), {}]
        self._watches: dict[Path, Watch] = {}
        self._followers: dict[str, Follower] = {}

    @property
    def workspace(self) -> Workspace:
        """The folders and documents that the editor has open."""
        return self._door.workspace

    @property
    def backlog(self) -> Callable[[], int]:
        """Bytes that the client has not taken yet."""
        return self._door.backlog

    def background(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        """Do something meanwhile. What goes wrong in it is logged and ends nothing else."""

        async def guarded() -> None:
            try:
                await work(*arguments)
            except BugLspError as error:
                self.client.say(error.message, types.MessageType.Warning)
            except Exception:
                log.exception("in the background")

        self._door.tasks.start_soon(guarded)

    def tell(self, method: str, params: object) -> None:
        """Send a notification that is not of LSP."""
        self._door.protocol.notify(method, params)

    def as_json(self, value: object) -> Any:
        """A value of LSP as JSON."""
        return self._door.protocol.as_json(value)

    def send(self, method: str, *params: str) -> None:
        """Send notifications whose parameters are JSON already, all at once."""
        self._door.protocol.send(method, *params)

    def news(self, folder: RunFolder) -> None:
        """The status of a run has changed: who shows it is told."""
        self.tell("bugLsp/runChanged", {"debugRunId": folder.run_id})
        self.diagnostics.look(folder.workspace)
        if self.client.has_lens_refresh:
            self.background(self.client.refresh_lenses)

    def touch(self, uri: str, *, last: bool = False) -> None:
        """A live document has more to show; `last`: for the last time."""
        self._documents.touch(uri, last=last)

    # The workspaces of this editor.

    def folders(self) -> list[Path]:
        """The editor's workspace folders, real paths."""
        # A list first: commands ask in threads, while the client may change its folders.
        found = [path_of(uri) for uri in list(self.workspace.folders)]
        root = path_of(self.workspace.root_uri or "")
        return [path.resolve() for path in (found or [root]) if path is not None]

    def workspace_for(self, path: Path | None) -> Path:
        """The workspace folder that holds the path; the first one for no path."""
        folders = self.folders()
        if path is not None:
            holding = [folder for folder in folders if path.resolve().is_relative_to(folder)]
            if holding:
                return max(holding, key=lambda folder: len(folder.parts))
        if folders:
            return folders[0]
        if path is not None:
            return path.resolve().parent
        raise Refused("no folder is open in the editor; open the project's folder first")

    def watch(self, workspace: Path) -> WorkspaceFolder:
        """Make sure that this workspace's runs are heard of."""
        folder = WorkspaceFolder.of(workspace)
        if workspace not in self._watches:
            watch = Watch(folder, lambda run, session: self._changed(folder, run, session))
            watch.__enter__()
            self._watches[workspace] = watch
            self._announce_open_tasks()
        return folder

    def attend(self, folder: RunFolder) -> None:
        """Hear of the death of this run's session processes."""
        for workspace, watch in self._watches.items():
            if WorkspaceFolder.of(workspace).path == folder.workspace.path:
                watch.attend(folder)

    async def close(self) -> None:
        """Let go of everything. The runs go on."""
        for watch in self._watches.values():
            watch.__exit__()
        self._watches.clear()

    # The runs.

    def _changed(self, workspace: WorkspaceFolder, run_id: str, session_id: str) -> None:
        follower = self._followers.get(run_id)
        if follower is None:
            self.follow(workspace.run(run_id), mine=False)
            self.diagnostics.look(workspace)  # a finding was dismissed, a run deleted
            return
        follower.tell(run_level=not session_id)
        if session_id:
            self._documents.touch(f"bug-lsp:/runs/{run_id}/{session_id}.md")

    def follow(self, folder: RunFolder, *, mine: bool) -> None:
        """Keep the editor up to date on this run, to its end."""
        known = self._followers.get(folder.run_id)
        if known is not None:
            known.mine = known.mine or mine
            known.tell(run_level=True)
            return
        if not mine and not (folder.workspace.active / folder.run_id).exists():
            return
        self._followers[folder.run_id] = Follower(self, self._progress, folder, mine=mine)
        self.background(self._follow, folder.run_id)

    async def _follow(self, run_id: str) -> None:
        try:
            await self._followers[run_id].follow()
        finally:
            del self._followers[run_id]

    async def advance(self, folder: RunFolder) -> None:
        """Do what the run needs now, as any other who may be the last one to see it."""
        left: tuple[Deliver, ...] = await run_sync(gate.advance, folder)
        for item in left:
            await delivery.deliver(self, folder, item.session_id)
        if left:
            await run_sync(gate.advance, folder)

    async def apply(self, session_id: str) -> None:
        """Bring a session's proven patch into the code, and show what it has changed first."""
        from .patching import apply_patch

        done = await apply_patch(self, wire.ApplyPatch(session_id=session_id))
        for file in done["files"][:1]:
            await self.client.show(file["uri"], focus=True)

    def run(self, run_id: str | None) -> RunFolder:
        """The run of this id; the newest of the current task file for none."""
        if run_id is None:
            return self._newest_run()
        if not is_run_id(run_id):
            raise BadInput("debugRunId", f"{run_id!r} is not the id of a run (16 hex digits)")
        for workspace in self.folders():
            folder = WorkspaceFolder.of(workspace).run(run_id)
            if folder.run.exists():
                return folder
        raise Refused(f"there is no debug run {run_id} here; listDebugRuns tells which there are")

    def _newest_run(self) -> RunFolder:
        task = self.current_task
        folder = WorkspaceFolder.of(self.workspace_for(task))
        found = runs.of_task(folder, task) if task else []
        found = found or [run for run in runs.newest(folder) if run.run.exists()][:1]
        if not found:
            raise Refused("there is no debug run yet; start one with debugWithAgents")
        return found[0]

    def session(self, session_id: str) -> SessionFolder:
        """The session of this id."""
        if not is_session_id(session_id):
            raise BadInput(
                "sessionId", f"{session_id!r} is not the id of a session (12 hex digits)"
            )
        for workspace in self.folders():
            found = runs.find_session(WorkspaceFolder.of(workspace), session_id)
            if found is not None:
                return found
        raise Refused(f"there is no session {session_id} here; getTaskSessions tells which")

    def address(self, session: Session, folder: RunFolder) -> str:
        """Where this client can read the session: its live document, or the real file."""
        if self.client.has_virtual_documents:
            return session.uri
        return folder.session(session.session_id).output.as_uri()

    # The open files.

    def open_document(self, path: Path | str) -> TextDocument | None:
        """The document of this file, if the editor has it open."""
        wanted = Path(path)
        documents: dict[str, TextDocument] = self.workspace.text_documents
        for text in documents.values():
            found = path_of(text.uri)
            if found is not None and (found == wanted or found.resolve() == wanted):
                return text
        return None

    def document(self, uri: str) -> TextDocument | None:
        """The open document of this address."""
        documents: dict[str, TextDocument] = self.workspace.text_documents
        return documents.get(uri)

    def uri_of(self, path: Path) -> str:
        """The address of a file, under the workspace folder as the editor names it."""
        if self._named != list(self.workspace.folders):
            self._named = list(self.workspace.folders)
            named = filter(None, map(path_of, self._named))
            self._roots = [(folder, folder.resolve()) for folder in named]
        for folder, real in self._roots:
            if folder != real and path.is_relative_to(real):
                return (folder / path.relative_to(real)).as_uri()
        return path.as_uri()

    @staticmethod
    def task_path(uri: str) -> Path:
        """The path in a task file's URI."""
        path = path_of(uri)
        if path is None:
            raise BadInput("taskUri", f"{uri!r} is not the URI of a file; use file:///...")
        return path

    def touched(self, uri: str) -> None:
        """A file was opened or changed: the last Markdown file of these is the current task."""
        path = path_of(uri)
        if path is not None and path.suffix.lower() in MARKDOWN:
            self.current_task = path.resolve()

    def _announce_open_tasks(self) -> None:
        # What is announced here is left to us; without edits all we could do is what others can.
        if not self.client.has_edits:
            return
        paths = (path_of(text.uri) for text in self.workspace.text_documents.values())
        tasks = {str(path.resolve()) for path in paths if path and path.suffix.lower() in MARKDOWN}
        for watch in self._watches.values():
            watch.announce(tuple(sorted(tasks)))

    # What LSP tells.

    def opened_or_closed(self, uri: str) -> None:
        """The set of open task files has changed; a delivery may have waited for that."""
        path = path_of(uri)
        if path is not None and path.suffix.lower() in MARKDOWN:
            self._announce_open_tasks()

    def released(self, uri: str) -> None:
        """A task file was saved or closed: what could not be delivered may go in now."""
        path = path_of(uri)
        if path is not None and path.suffix.lower() in MARKDOWN:
            for follower in self._followers.values():
                follower.tell(run_level=True)

    async def read_settings(self) -> None:
        """The user's file, `initializationOptions`, then what the client says now. Programs to run
        are never taken from the last: a workspace may have put them there.
        """
        answer = await self.client.configuration("bugLsp", None)
        if isinstance(answer, dict):
            self._layers[1] = self._withheld.sift(answer)
        self.apply_settings()
        for news in self._withheld.news(self.settings):
            self.client.say(news, types.MessageType.Warning)
        self.settings_read.set()

    def apply_settings(self) -> None:
        """Take the settings; wrong ones are said and the last good ones stay."""
        try:
            self.settings = user_settings.load(*self._layers)
        except BugLspError as error:
            self.client.say(f"bug-lsp settings: {error.message}", types.MessageType.Warning)

    def check_trusted(self, *agent_types: str) -> None:
        """Refuse agents that only a workspace's settings may have named."""
        self._withheld.check(agent_types, self.settings.agents)

    async def attach(self) -> None:
        """Find the runs that are still going, or that somebody left half done."""
        await self.read_settings()
        for workspace in self.folders():
            folder = self.watch(workspace)
            self.diagnostics.look(folder)
            for run in await run_sync(runs.active, folder):
                self.follow(run, mine=False)

    async def content(self, uri: str) -> str:
        """The text of a live document, of a patch, or of a file before or after it."""
        of_patch = parse_patch_uri(uri)
        if of_patch is not None:
            return await run_sync(patch.document, self.run(of_patch[0]).session(of_patch[1]))
        of_side = parse_side_uri(uri)
        if of_side is not None:
            run_id, session_id, side, path = of_side
            return await run_sync(sides.text, self.run(run_id).session(session_id), side, path)
        ids = parse_session_uri(uri)
        if ids is None:
            raise refuse(f"{uri} is not the address of a session's document")
        session = self.run(ids[0]).session(ids[1])
        if not session.spec.exists():
            raise refuse(f"there is no session {ids[1]} in run {ids[0]}")
        facts = await run_sync(runs.facts, session)
        shown = materialise_session(ids[0], facts)
        text = await run_sync(document, session, shown)
        self._documents.was_read(uri, text)
        return text


def _section(options: Any) -> dict[str, Any]:
    """The settings that came with `initialize`: the section itself, or under its name."""
    section = options.get("bugLsp", options) if isinstance(options, dict) else None
    return section if isinstance(section, dict) else {}

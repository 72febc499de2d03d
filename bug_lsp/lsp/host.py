"""What the parts of the language server need of the whole: so that they do not know it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from pygls.workspace import TextDocument

from bug_lsp.domain.run import Session
from bug_lsp.store.layout import RunFolder

from .client import Client


class Host(Protocol):
    """The server, as its parts see it."""

    client: Client

    @property
    def backlog(self) -> Callable[[], int]:
        """Bytes that the client has not taken yet."""

    def background(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        """Do something meanwhile."""

    def tell(self, method: str, params: object) -> None:
        """Send a notification that is not of LSP."""

    def send(self, method: str, *params: str) -> None:
        """Send notifications whose parameters are JSON already, all at once."""

    def news(self, folder: RunFolder) -> None:
        """The status of a run has changed."""

    def touch(self, uri: str, *, last: bool = False) -> None:
        """A live document has more to show."""

    def attend(self, folder: RunFolder) -> None:
        """Hear of the death of this run's session processes."""

    async def advance(self, folder: RunFolder) -> None:
        """Do what the run needs now."""

    async def apply(self, session_id: str) -> None:
        """Bring a session's proven patch into the code."""

    def open_document(self, path: Path | str) -> TextDocument | None:
        """The document of this file, if the editor has it open."""

    def document(self, uri: str) -> TextDocument | None:
        """The open document of this address."""

    def uri_of(self, path: Path) -> str:
        """The address of a file, under the workspace folder as the editor names it."""

    def address(self, session: Session, folder: RunFolder) -> str:
        """Where this client can read the session."""

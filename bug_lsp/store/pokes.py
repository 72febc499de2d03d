"""How a reader learns that something changed: the writer drops a line into the reader's pipe.

A named pipe, unlike a socket, has no limit on the length of its path, costs nothing while idle and
is part of the standard library on every Unix. A poke is only a hint that there is something to
read: what is on disk stays the truth.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from bug_lsp.domain.model import StoredValue

from . import files
from .damage import stored
from .layout import WorkspaceFolder
from .processes import alive, me

_PIPE_FULL = 32_768
"""With this much unread, pokes may have been dropped: the reader looks at everything."""


class Card(StoredValue):
    """Who a reader is, and which task files its editor has open."""

    pid: int
    birth: str
    open_tasks: tuple[str, ...] = ()


class Bell:
    """A reader's own pipe. Use as a context manager; `fileno` is for the event loop."""

    def __init__(self, workspace: WorkspaceFolder, name: str) -> None:
        self._pipe = workspace.servers / f"{name}.pipe"
        self._card = workspace.servers / f"{name}.json"
        self._descriptor = -1

    def __enter__(self) -> Self:
        # Under another name until it is open: a writer removes a pipe that nobody reads.
        unopened = self._pipe.with_suffix(".new")
        unopened.unlink(missing_ok=True)
        os.mkfifo(unopened, files.FILE_MODE)
        # Read and write: with one end of our own the pipe never reports end of file.
        self._descriptor = os.open(unopened, os.O_RDWR | os.O_NONBLOCK)
        self.announce(())
        unopened.rename(self._pipe)
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._descriptor)
        self._card.unlink(missing_ok=True)
        self._pipe.unlink(missing_ok=True)

    def fileno(self) -> int:
        """Readable when there is something to hear."""
        return self._descriptor

    def announce(self, open_tasks: tuple[str, ...]) -> None:
        """Tell the writers which task files are open here, so that they leave those to us."""
        pid, born = me()
        files.replace(self._card, Card(pid=pid, birth=born, open_tasks=open_tasks).to_json())

    def hear(self) -> tuple[set[str], bool]:
        """(what was poked, whether some may have been missed). Never waits."""
        heard = b""
        while True:
            try:
                piece = os.read(self._descriptor, 65_536)
            except BlockingIOError:
                break
            heard += piece
        return set(heard.decode(errors="replace").split()), len(heard) >= _PIPE_FULL


def poke(workspace: WorkspaceFolder, run_id: str, session_id: str = "") -> None:
    """Tell every live reader of this workspace. Never waits and never fails."""
    line = f"{run_id}/{session_id}\n".encode()
    for pipe in _pipes(workspace):
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:  # its reader is gone without a word
                pipe.unlink(missing_ok=True)
                pipe.with_suffix(".json").unlink(missing_ok=True)
            continue
        try:
            os.write(descriptor, line)
        except OSError:
            pass  # full: the reader knows that it must look at everything
        finally:
            os.close(descriptor)


def readers(workspace: WorkspaceFolder) -> Iterator[Card]:
    """The live readers of this workspace."""
    for pipe in _pipes(workspace):
        card = stored(pipe.with_suffix(".json"), Card)
        if card is not None and alive(card.pid, card.birth):
            yield card


def _pipes(workspace: WorkspaceFolder) -> list[Path]:
    try:
        return sorted(path for path in workspace.servers.iterdir() if path.suffix == ".pipe")
    except FileNotFoundError:
        return []

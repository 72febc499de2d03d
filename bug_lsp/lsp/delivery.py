"""Delivery through the editor: where the task file is open, its buffer is edited, not the disk."""

from __future__ import annotations

import anyio
from anyio.to_thread import run_sync

from bug_lsp.domain.transcript import one_line
from bug_lsp.session import delivery
from bug_lsp.session.delivery import Delivery
from bug_lsp.store.layout import RunFolder

from .edits import Edits, TextEdits
from .host import Host

_TRIES = 5
_LABELLED = 30
"""Characters of the title in an edit's label: Neovim shows it, and wants a long one confirmed."""
_PAUSE = 0.3
"""Seconds until the next try: a version that was refused is a keystroke old."""


async def deliver(server: Host, folder: RunFolder, session_id: str) -> None:
    """Bring a session's conclusion into the task file, unless somebody else does."""
    prepared = await run_sync(delivery.prepare, folder, session_id)
    if server.open_document(prepared.task) is None or not server.client.has_edits:
        if not await run_sync(delivery.open_elsewhere, folder, prepared.task):
            await run_sync(delivery.to_disk, folder, session_id)
        return
    if not await run_sync(delivery.claim, folder, session_id):
        return
    try:
        done = await _in_buffer(server, prepared)
    except BaseException:
        delivery.give_back(folder, session_id)
        raise
    if done:
        await run_sync(delivery.settle, folder, session_id, "editor")
        return
    delivery.give_back(folder, session_id)
    await _otherwise(server, prepared)


async def _in_buffer(server: Host, prepared: Delivery) -> bool:
    for _ in range(_TRIES):
        document = server.open_document(prepared.task)
        if document is None:
            return False
        edit = prepared.edit(document.source)
        if edit is None:
            return True
        label = f"bug-lsp: synthesis of {one_line(prepared.run.title, _LABELLED)}"
        made = await server.client.edit(Edits((TextEdits.of(document, edit),)), label)
        if made.applied:
            return True
        await anyio.sleep(_PAUSE)
    return False


async def _otherwise(server: Host, prepared: Delivery) -> None:
    """The editor would not: the disk, unless that would hide unsaved text under a conflict."""
    document = server.open_document(prepared.task)
    try:
        same = document is None or prepared.task.read_bytes() == document.source.encode()
    except OSError:
        same = False
    if same:
        await run_sync(delivery.to_disk, prepared.folder, prepared.session_id)
        return
    server.client.say(
        f"The synthesis of '{prepared.run.title}' is ready, but the editor did not let it into "
        f"{prepared.task.name}, which has unsaved changes. Save or close the file to receive it."
    )

"""Brings a conclusion into the task file, once.

Whoever delivers claims it first. A server that has the file open delivers through its editor
(versioned, undoable); everyone else writes the file, atomically, and only while no live editor has
it open. A claim whose owner died is taken over: the same conclusion merged twice changes nothing.
"""

from __future__ import annotations

import errno
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.ids import created_at
from bug_lsp.domain.region import Edit, merge, region_of
from bug_lsp.domain.run import Run
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.store.pokes import poke, readers
from bug_lsp.workspace import task_file

from . import findings, gate
from .conclusion import Conclusion

log = logging.getLogger(__name__)

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
"""Errors that may be gone when somebody looks again."""
_PATIENCE = 20.0
_LOOK_AGAIN = 0.1


@dataclass(frozen=True, slots=True)
class Delivery:
    """A conclusion, ready to be merged into whatever the task file's text is by now."""

    folder: RunFolder
    session_id: str
    run: Run
    body: str

    def edit(self, text: str) -> Edit | None:
        """The edit for this text; None where the conclusion is in it already."""
        found = region_of(text)
        label = f"run {found[0]}, {created_at(found[0]):%Y-%m-%d %H:%M} UTC" if found else ""
        return merge(text, self.run.debug_run_id, self.body, replaced_label=label)

    @property
    def task(self) -> Path:
        """The task file."""
        return Path(self.run.task_path)


def prepare(folder: RunFolder, session_id: str) -> Delivery:
    """Render what is to be delivered: the session's conclusion, or the digest in its place."""
    concluded = Conclusion.of(folder, session_id)
    return Delivery(folder, session_id, concluded.run, concluded.region())


def claim(folder: RunFolder, session_id: str) -> bool:
    """Take the delivery. True for one caller, as long as that one lives."""
    path = folder.delivery_claim(session_id)
    with runs.turn(folder):
        if runs.delivered(folder, session_id) is not None:
            return False
        if files.create_once(path, runs.claim_for(session_id)):
            return True
        held = runs.claim(path)
        if held is not None and held.held:
            return False
        files.replace(path, runs.claim_for(session_id))
        return True


def give_back(folder: RunFolder, session_id: str) -> None:
    """Let go of a claim without having delivered, so that another may."""
    files.remove(folder.delivery_claim(session_id))


def settle(folder: RunFolder, session_id: str, how: str, problem: str | None = None) -> None:
    """Say that it is done, or that it cannot be, and let the readers know. Its findings can be
    shown from then on.
    """
    findings.keep(folder, session_id)
    record = runs.Delivered(how=how, at=runs.now(), problem=problem)
    with runs.turn(folder):
        files.create_once(folder.delivered(session_id), record.to_json())
        runs.save_snapshot(folder)
    poke(folder.workspace, folder.run_id)


def open_elsewhere(folder: RunFolder, task: Path) -> bool:
    """Whether a live editor has the task file open."""
    return any(str(task) in reader.open_tasks for reader in readers(folder.workspace))


def to_disk(folder: RunFolder, session_id: str) -> bool:
    """Deliver by writing the file. False if somebody else has the delivery."""
    if not claim(folder, session_id):
        return False
    delivery = prepare(folder, session_id)
    try:
        # One of our writers at a time: two that read the same text would undo each other.
        with files.locked(folder.workspace.task_lock):
            while True:
                text = task_file.read(delivery.task, "task file")
                if task_file.edit(delivery.task, delivery.edit(text), text):
                    break
    except (BadInput, OSError) as error:
        if isinstance(error, OSError) and error.errno in _PASSING:
            give_back(folder, session_id)
            log.warning("the conclusion of %s waits: %s", folder.run_id, error)
            return False
        # Asked again it would be the same: who wants it elsewhere finds it in the session.
        settle(folder, session_id, "none", str(error))
    else:
        settle(folder, session_id, "disk")
    return True


def move_on(folder: RunFolder) -> None:
    """Move a run on as far as it goes without an editor: start what is due, deliver the rest."""
    for left in gate.advance(folder):
        if not open_elsewhere(folder, Path(runs.load(folder).task_path)):
            to_disk(folder, left.session_id)
            gate.advance(folder)


def from_session_process(folder: RunFolder, session_id: str) -> None:
    """Deliver, but leave it to a live editor that has the task file open, for a while."""
    task = Path(runs.load(folder).task_path)
    until = time.monotonic() + _PATIENCE
    while open_elsewhere(folder, task) and time.monotonic() < until:
        held = runs.claim(folder.delivery_claim(session_id))
        if runs.delivered(folder, session_id) or (held is not None and held.held):
            return
        time.sleep(_LOOK_AGAIN)
    # Still open and not taken: the user said no there, or is still asked. The file must not change
    # behind unsaved text; whoever saves or closes it, or starts a server, brings it in.
    if not open_elsewhere(folder, task):
        to_disk(folder, session_id)

"""Brings a conclusion into the task file, once.

Whoever delivers claims it first. A server that has the file open delivers through its editor
(versioned, undoable); everyone else writes the file, atomically, and only while no live editor has
it open. A claim whose owner died is taken over: the same conclusion merged twice changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.ids import created_at
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.region import Edit, merge, region_of
from bug_lsp.domain.rendering import render_region
from bug_lsp.domain.report import Synthesis
from bug_lsp.domain.run import Facts, Kind, Run, Status
from bug_lsp.domain.synthesis import digest, from_single
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.store.pokes import poke, readers
from bug_lsp.workspace import task_file

from . import gate
from .prove import checked

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
    run = runs.load(folder)
    status = runs.status(folder)
    debug = [runs.facts(folder.session(spec.session_id)) for spec in run.standing]
    source = runs.facts(folder.session(session_id))
    proof = runs.proof_of(folder, [facts.spec.session_id for facts in debug])
    synthesis, by = _conclusion(debug, source, proof)
    result = source.result
    cites = (
        source.spec.kind is Kind.ORCHESTRATOR
        and source.spec.agent_type != "digest"
        and result is not None
        and result.status is Status.COMPLETED
    )
    known = checked(run, folder, debug, synthesis, cites=cites)
    body = render_region(status, synthesis, by, known)
    return Delivery(folder, session_id, run, body)


def _conclusion(
    debug: Sequence[Facts], source: Facts, proof: Proof | None
) -> tuple[Synthesis, str]:
    result = source.result
    assert result is not None  # noqa: S101 - only ended sessions are delivered
    agent = source.spec.agent_type
    when = f"{result.ended_at:%Y-%m-%d %H:%M} UTC"
    if len(debug) == 1 and debug[0].spec.session_id == source.spec.session_id:
        return from_single(source, proof.evidence if proof else ()), f"By {agent} alone, {when}."
    if result.status is Status.COMPLETED and result.synthesis is not None:
        if agent == "digest":
            return result.synthesis, f"By digest, {when}: findings merged by rule, without a model."
        note = f" Its closing block was not valid ({result.report_problem}), so its text is shown "
        shown = f"{note}as it stands." if result.report_problem else ""
        return result.synthesis, f"By {agent}, {when}.{shown}"
    why = result.failure.message if result.failure else "it ended without an answer"
    return digest(debug, proof), (
        f"By digest, {when}: findings merged by rule, because the orchestrator {agent} failed: "
        f"{why.rstrip('.')}. To try {agent} again, run `orchestrateDebugRun` with `force`."
    )


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
    folder.delivery_claim(session_id).unlink(missing_ok=True)


def settle(folder: RunFolder, session_id: str, how: str, problem: str | None = None) -> None:
    """Say that it is done, or that it cannot be, and let the readers know."""
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

"""Reading and writing runs: create one, find some, gather what the disk says of one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.events import Record
from bug_lsp.domain.model import StoredValue
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.run import (
    Additions,
    Facts,
    Kind,
    Process,
    Result,
    Run,
    RunStatus,
    Spec,
    materialise,
)
from bug_lsp.domain.transcript import activity

from . import files
from .damage import damaged, holds, stored
from .layout import RunFolder, SessionFolder, WorkspaceFolder
from .processes import alive, me

_TAIL = 65_536
"""Bytes of `events.jsonl` that are read to know what a session is doing."""


class Claim(StoredValue):
    """Who took a step that must happen once, and for which session."""

    pid: int
    birth: str
    session_id: str = ""

    @property
    def held(self) -> bool:
        """Whether the claimant is still alive."""
        return alive(self.pid, self.birth)


class Delivered(StoredValue):
    """What became of a conclusion: in the task file (`problem` is None), or why it cannot be."""

    how: str
    at: datetime
    problem: str | None = None


def now() -> datetime:
    """The present moment, UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def claim_for(session_id: str) -> bytes:
    """A claim of the running process."""
    pid, born = me()
    return Claim(pid=pid, birth=born, session_id=session_id).to_json()


def create(workspace: WorkspaceFolder, run: Run, prompts: dict[str, str]) -> RunFolder:
    """Put a run on disk, whole or not at all, with its roster and its prompts."""
    workspace.create()
    building = workspace.runs / f".{run.debug_run_id}"
    try:
        for spec in run.roster:
            session = SessionFolder(building / "sessions" / spec.session_id)
            files.make_private(session.path)
            files.replace(session.spec, spec.to_json())
            files.replace(session.prompt, prompts[spec.session_id].encode())
        files.replace(building / "run.json", run.to_json())
        files.replace(workspace.active / run.debug_run_id, b"")
        index = files.make_private(workspace.task_index(Path(run.task_path)))
        files.replace(index / run.debug_run_id, b"")
        files.move(building, workspace.run(run.debug_run_id).path)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        files.remove(workspace.active / run.debug_run_id)
        raise
    folder = workspace.run(run.debug_run_id)
    save_snapshot(folder)
    return folder


def load(folder: RunFolder) -> Run:
    """The run as it was asked for, with what the user added since."""
    try:
        data, added = files.read(folder.run), files.read(folder.additions)
    except OSError as error:
        raise Refused(
            f"debug run {folder.run_id} cannot be read ({error.filename}: {error.strerror}); "
            f"delete it"
        ) from error
    if data is None:
        raise _unknown(folder)
    try:
        run = Run.model_validate_json(data)
        return Additions.model_validate_json(added).to(run) if added is not None else run
    except ValidationError as error:
        raise Refused(
            f"debug run {folder.run_id} cannot be read ({error.error_count()} problems in "
            f"run.json); delete it, or open it with the version of bug-lsp that wrote it"
        ) from error


def _unknown(folder: RunFolder) -> Refused:
    return Refused(f"there is no debug run {folder.run_id} in this workspace")


@contextmanager
def turn(folder: RunFolder) -> Iterator[None]:
    """Hold the run's lock. Refused where the run is gone, be it while waiting for the lock."""
    with ExitStack() as stack:
        try:
            stack.enter_context(files.locked(folder.lock))
        except FileNotFoundError as error:
            raise _unknown(folder) from error
        if not folder.run.exists():
            raise _unknown(folder)
        yield


def newest(workspace: WorkspaceFolder) -> Iterator[RunFolder]:
    """All runs, newest first, none of them opened."""
    yield from (workspace.run(name) for name in newest_ids(workspace))


def newest_ids(workspace: WorkspaceFolder) -> list[str]:
    """The ids of all runs, newest first: there may be thousands."""
    return _names(workspace.runs)


def of_task(workspace: WorkspaceFolder, task: Path) -> list[RunFolder]:
    """The runs of one task file, newest first."""
    return list(each_of_task(workspace, task))


def each_of_task(workspace: WorkspaceFolder, task: Path) -> Iterator[RunFolder]:
    """The same, found as they are asked for."""
    found = (workspace.run(name) for name in _names(workspace.task_index(task)))
    yield from (folder for folder in found if folder.run.exists())


def active(workspace: WorkspaceFolder) -> list[RunFolder]:
    """The runs that are not finished."""
    found = (workspace.run(name) for name in _names(workspace.active))
    return [folder for folder in found if folder.run.exists()]


def is_finished(folder: RunFolder) -> bool:
    """Whether the run is there and nothing of it runs or is left to do."""
    return folder.run.exists() and not (folder.workspace.active / folder.run_id).exists()


def _names(folder: Path) -> list[str]:
    try:
        # Not Path.iterdir: there may be thousands of runs, and only their names are wanted.
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208
    except FileNotFoundError:
        return []


def find_session(workspace: WorkspaceFolder, session_id: str) -> SessionFolder | None:
    """The session of this name, newest runs first."""
    for folder in newest(workspace):
        session = folder.session(session_id)
        if session.spec.exists():
            return session
    return None


def is_complete(folder: SessionFolder) -> bool:
    """Whether it says what the session is to do: what is claimed and not complete is made anew."""
    return stored(folder.spec, Spec) is not None


def spec(folder: SessionFolder) -> Spec:
    """What the session is to do."""
    found = stored(folder.spec, Spec)
    if found is None:
        raise Refused(f"session {folder.session_id} cannot be read; delete its debug run")
    return found


def result(folder: SessionFolder) -> Result | None:
    """How the session ended, None while it has not."""
    return stored(folder.result, Result)


def process(folder: SessionFolder) -> Process | None:
    """The session's process, dead or alive; None before its start."""
    return stored(folder.process, Process)


def claim(path: Path) -> Claim | None:
    """Who claimed this, None where nobody has."""
    return stored(path, Claim)


def last_record(folder: SessionFolder) -> Record | None:
    """The last event of a session. Reads the end of the file alone, however long it is."""
    try:
        with folder.events.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return None
    for line in reversed(tail.split(b"\n")[:-1]):
        try:
            return Record.model_validate_json(line)
        except ValidationError:
            continue  # the first line of the tail is cut, a last one may be torn
    return None


def facts(folder: SessionFolder) -> Facts:
    """What the disk says of one session."""
    ended = result(folder)
    record = None if ended else last_record(folder)
    return Facts(
        spec=spec(folder),
        process=process(folder),
        result=ended,
        activity=activity(record) if record else "",
        usage=record.usage if record else None,
    )


def orchestrators(folder: RunFolder) -> list[SessionFolder]:
    """The run's orchestrators, the latest last."""
    return _claimed(folder, folder.orchestrator_claim, Kind.ORCHESTRATOR)


def latest_orchestrator(folder: RunFolder) -> SessionFolder | None:
    """The orchestrator that counts: the latest one whose folder is complete."""
    return _latest(orchestrators(folder))


def proofs(folder: RunFolder) -> list[SessionFolder]:
    """The run's proof sessions, the latest last."""
    return _claimed(folder, folder.proof_claim, Kind.PROOF)


def latest_proof(folder: RunFolder) -> SessionFolder | None:
    """The proof session that counts: the latest one whose folder is complete."""
    return _latest(proofs(folder))


def proof_of(folder: RunFolder, covers: Sequence[str]) -> Proof | None:
    """What was found out about just these debug sessions, None where nothing was."""
    for session in reversed(proofs(folder)):
        ended = result(session)
        if ended is not None and ended.proof is not None:
            about = spec(session).covers or ()
            return ended.proof if set(about) == set(covers) else None
    return None


def _claimed(folder: RunFolder, path: Callable[[int], Path], kind: Kind) -> list[SessionFolder]:
    found: list[SessionFolder] = []
    while True:
        claimed = path(len(found) + 1)
        held = claim(claimed)
        if held is not None:
            found.append(folder.session(held.session_id))
        elif damaged(claimed).exists() and (lost := _unclaimed(folder, kind, found)):
            found.append(lost)
        else:
            return found


def _unclaimed(
    folder: RunFolder, kind: Kind, known: Sequence[SessionFolder]
) -> SessionFolder | None:
    """The session of this kind whose claim is damaged: it must not be claimed a second time."""
    for path in sorted(folder.sessions.iterdir(), key=lambda path: path.stat().st_ctime_ns):
        session = folder.session(path.name)
        kept = stored(session.spec, Spec)
        if kept is not None and kept.kind is kind and session not in known:
            return session
    return None


def _latest(sessions: Sequence[SessionFolder]) -> SessionFolder | None:
    complete = [session for session in sessions if is_complete(session)]
    return complete[-1] if complete else None


def source(folder: RunFolder, run: Run) -> str:
    """The session whose conclusion belongs into the task file; "" while there is none, or only one
    from before the roster grew.
    """
    latest = latest_orchestrator(folder)
    if latest is not None:
        return latest.session_id if covers(latest, run) else ""
    return run.standing[0].session_id if len(run.standing) == 1 else ""


def delivered(folder: RunFolder, session_id: str) -> Delivered | None:
    """What became of this session's conclusion, None while nothing has."""
    return stored(folder.delivered(session_id), Delivered) if session_id else None


def status(folder: RunFolder) -> RunStatus:
    """The run as it is shown, from what is on disk now."""
    run = load(folder)
    latest = latest_orchestrator(folder)
    proof = latest_proof(folder)
    record = delivered(folder, source(folder, run))
    return materialise(
        run,
        [facts(folder.session(seat.session_id)) for seat in run.roster],
        facts(proof) if proof else None,
        facts(latest) if latest else None,
        delivered=record is not None and record.problem is None,
    )


def shown(folder: RunFolder) -> RunStatus:
    """The run as it is shown; of a finished run only its snapshot is opened."""
    if not (folder.workspace.active / folder.run_id).exists():
        kept = stored(folder.snapshot, RunStatus)
        if kept is not None:
            return kept
    return status(folder)  # the snapshot is derived from what this reads


def covers(session: SessionFolder, run: Run) -> bool:
    """Whether the session is about just those that are in the run now."""
    read = spec(session).covers
    return read is None or set(read) == {one.session_id for one in run.standing}


def save_snapshot(folder: RunFolder) -> None:
    """Write the materialised run, if it changed. It holds no output and no activity. The caller
    holds the run's lock: what was derived earlier must not replace what was derived later.
    """
    whole = status(folder).model_dump(mode="json", by_alias=True)
    after = [whole["proof"] or {}, whole["orchestrator"] or {}]
    sessions: Sequence[dict[str, object]] = [*whole["sessions"], *after]
    for session in sessions:
        session.pop("activity", None)
    data = json.dumps(whole, indent=1, ensure_ascii=False).encode() + b"\n"
    if not holds(folder.snapshot, data):
        files.replace(folder.snapshot, data)

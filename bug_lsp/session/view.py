"""A run as a reader follows it: cheap to look at again, however long its output is."""

from __future__ import annotations

from bug_lsp.domain.inert import inert
from bug_lsp.domain.run import Facts, RunStatus, Session, Status, materialise
from bug_lsp.domain.transcript import padded_status, status_line
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder

DOCUMENT_LIMIT = 200_000
"""Bytes of a live document: a longer one shows its head and its tail."""


class RunView:
    """Keeps what cannot change any more (ended sessions) and reads the rest anew."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.run = runs.load(folder)
        """As it was when looked at last: the user may add sessions."""
        self._ended: dict[str, Facts] = {}

    def status(self) -> RunStatus:
        """The run as it is now."""
        self.run = runs.load(self.folder)
        latest = runs.latest_orchestrator(self.folder)
        proof = runs.latest_proof(self.folder)
        record = runs.delivered(self.folder, runs.source(self.folder, self.run))
        return materialise(
            self.run,
            [self._facts(self.folder.session(spec.session_id)) for spec in self.run.roster],
            self._facts(proof) if proof else None,
            self._facts(latest) if latest else None,
            delivered=record is not None and record.problem is None,
        )

    def problem(self) -> str | None:
        """Why the conclusion cannot be in the task file; None while it can or is."""
        record = runs.delivered(self.folder, runs.source(self.folder, self.run))
        return record.problem if record else None

    def finished(self) -> bool:
        """Whether nothing runs and nothing is left to do."""
        return not (self.folder.workspace.active / self.folder.run_id).exists()

    def _facts(self, session: SessionFolder) -> Facts:
        known = self._ended.get(session.session_id)
        if known is not None:
            return known
        facts = runs.facts(session)
        if facts.result is not None:
            # The texts are for the orchestrator's prompt; a reader that stays need not hold them.
            slim = facts.result.model_copy(
                update={"head": "", "tail": "", "patch": "", "message": "", "proof": None}
            )
            facts = facts.model_copy(update={"result": slim})
            self._ended[session.session_id] = facts
        return facts


def tool_calls(session: SessionFolder) -> int:
    """How many tool calls the session has made so far."""
    record = runs.last_record(session)
    return record.tool_calls if record else 0


def document(session: SessionFolder, shown: Session) -> str:
    """The text of a session's live document: its status now, and a window on its output."""
    elapsed = None
    if shown.started_at is not None:
        elapsed = ((shown.ended_at or runs.now()) - shown.started_at).total_seconds()
    line = status_line(shown, tool_calls(session), elapsed)
    body = _window(session)
    if not body:
        waiting = "waiting to be started" if shown.status is Status.PENDING else "starting"
        body = f"\n# {inert(shown.title)}\n\n{waiting}\n" if not shown.status.terminal else "\n"
    return line + "\n" + body


def _window(session: SessionFolder) -> str:
    """`output.md` without its status line; a long one as head and tail with a link to the whole."""
    skip = len(padded_status(""))
    try:
        with session.output.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(skip)
            if size - skip <= DOCUMENT_LIMIT:
                return file.read().decode(errors="replace")
            head = file.read(DOCUMENT_LIMIT // 4)
            file.seek(size - DOCUMENT_LIMIT * 3 // 4)
            tail = file.read()
    except FileNotFoundError:
        return ""
    left_out = size - skip - len(head) - len(tail)
    uri = session.output.as_uri()
    mark = (
        f"\n\n---\n\n*{left_out:,} bytes are left out here; [the whole output]({uri})*\n\n---\n\n"
    )
    first = head[: head.rfind(b"\n") + 1] or head
    last = tail[tail.find(b"\n") + 1 :]
    return first.decode(errors="replace") + mark + last.decode(errors="replace")

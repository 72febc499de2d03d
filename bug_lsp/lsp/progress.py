"""Work-done progress: one for each session, each with its own cancel."""

from __future__ import annotations

from lsprotocol import types

from bug_lsp.domain.run import Kind, RunStatus, Session
from bug_lsp.domain.transcript import one_line, outcome

from .host import Host

_PREFIX = "bug-lsp/"
_MAX_BACKLOG = 500_000


def token_of(session_id: str) -> str:
    """The progress token of a session."""
    return _PREFIX + session_id


def session_of(token: str | int) -> str | None:
    """The session of a progress token; None if it is not one of ours."""
    text = str(token)
    return text.removeprefix(_PREFIX) if text.startswith(_PREFIX) else None


class Progress:
    """The progress of all sessions that this server follows."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._latest: dict[str, Session] = {}
        self._shown: dict[str, str] = {}
        """What each token was told last; not there before it has begun and after its end."""

    def update(self, status: RunStatus) -> None:
        """Bring every session's progress up to date: begin, report, end."""
        for session in status.everyone:
            known = session.session_id in self._latest
            self._latest[session.session_id] = session
            if known:
                self._report(session)
            elif not session.status.terminal and self._server.client.has_progress:
                # Not waited for: a client that never answers must not hold up the run's news.
                self._server.background(self._begin, session.session_id, status.title)

    async def _begin(self, session_id: str, title: str) -> None:
        token = token_of(session_id)
        if not await self._server.client.create_progress(token):
            return
        session = self._latest[session_id]
        label = session.title.split(":")[0]
        agent = "by program" if session.kind is Kind.PROOF else session.agent_type
        begin = types.WorkDoneProgressBegin(
            title=one_line(f"{label} {agent}: {title}", 120),
            cancellable=True,
            message=_message(session),
        )
        self._shown[session_id] = _message(session)
        self._server.client.progress(token, begin)
        self._report(session)  # it may have ended while the client made the token

    def _report(self, session: Session) -> None:
        last = self._shown.get(session.session_id)
        if last is None:
            return
        token = token_of(session.session_id)
        if session.status.terminal:
            del self._shown[session.session_id]
            end = types.WorkDoneProgressEnd(message=one_line(outcome(session), 200))
            self._server.client.progress(token, end)
            return
        message = _message(session)
        if message != last and self._server.backlog() < _MAX_BACKLOG:
            self._shown[session.session_id] = message
            report = types.WorkDoneProgressReport(message=message, cancellable=True)
            self._server.client.progress(token, report)


def _message(session: Session) -> str:
    doing = session.activity or ("waiting" if session.started_at is None else "starting")
    if session.usage:
        tokens = session.usage.input_tokens + session.usage.output_tokens
        doing += f" ({tokens:,} tokens)"
    # Some clients show the message alone, so it says whose it is (lsp-mode drops titles).
    return f"{session.agent_type}: {doing}"

"""What an ACP agent writes on its standard error: the last words of one that has crashed, and the
requests that failed and that it makes again.

The protocol has no word for a request that is made again, so an agent that does so for minutes is
silent there. Pure, and of whatever length the log may be it keeps the end alone.
"""

from __future__ import annotations

import re

from bug_lsp.agents.base import Emit
from bug_lsp.agents.text import one_line
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error

from .failures import failure, kind_by_text
from .presets import AcpAgent

_KEEP = 4_000
_LONGEST_LINE = 16_000
_MAX_DETAIL = 300
_RETRY = re.compile(r"\b(attempt|retry|retrying|reconnecting)\b", re.IGNORECASE)
_CHATTER = re.compile(r"\[[^\]]+\] \[(DEBUG|LOG)\]|[\s)}\]]|$")
"""How a line begins that is no last word: debugging, and what lies inside of a longer entry."""
_VAIN = frozenset(
    {FailureKind.AUTH, FailureKind.QUOTA, FailureKind.RATE_LIMIT, FailureKind.PERMISSION}
)
_MAX_VAIN = 3
"""How often in a row such a request may be made again. The waits between them grow, so that a
service which is busy for a moment has been given some ten seconds by then.
"""


class Log:
    """The log of one running agent."""

    def __init__(self, agent: AcpAgent, emit: Emit) -> None:
        self._agent = agent
        self._emit = emit
        self._kept = ""
        self._rest = b""
        self._vain = 0
        self.hopeless: AgentFailure | None = None
        """Set when trying again, as the agent still does, does not help."""

    @property
    def tail(self) -> str:
        """The last words."""
        return self._kept + self._rest.decode(errors="replace")

    def feed(self, data: bytes) -> None:
        """Take what was written next."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        for line in lines:
            self._line(line.decode(errors="replace"))

    def answered(self) -> None:
        """The agent goes on with its work: whatever failed before is past."""
        self._vain = 0

    def _line(self, line: str) -> None:
        if not _CHATTER.match(line):
            self._kept = f"{self._kept}{line}\n"[-_KEEP:]
        why = self._failed_request(line)
        if why is None:
            return
        kind = kind_by_text(why)
        if kind in _VAIN:
            self._vain += 1
        if self._vain >= _MAX_VAIN and self.hopeless is None:
            self.hopeless = failure(self._agent, kind, why)

    def _failed_request(self, line: str) -> str | None:
        """Why a request failed that will be made again, None where the line is not about one.

        Of an agent whose log we do not know only what cannot be meant otherwise counts.
        """
        if self._agent.retry is None:
            known = _RETRY.search(line) and kind_by_text(line) in _VAIN
            return line if known else None
        found = self._agent.retry.search(line)
        if found is None:
            return None
        self._emit(Error(message=one_line(found[1], _MAX_DETAIL)))
        return found[1]

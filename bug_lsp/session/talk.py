"""What an agent is told after its prompt: what the user says, and what its answer still lacks.

It never starts or ends anything: an agent asks for it, while it works or when it has answered.
"""

from __future__ import annotations

from collections.abc import Callable

from bug_lsp.agents.base import Emit
from bug_lsp.domain.events import Said

from .inbox import Inbox
from .prompts import said_prompt


class Talk:
    """One session's side of the conversation. What is told is recorded when it is handed on."""

    def __init__(self, inbox: Inbox, repair: Callable[[str], str | None], emit: Emit) -> None:
        self._inbox = inbox
        self._repair = repair
        self._emit = emit

    async def listen(self) -> str:
        """Wait for what the user says next."""
        return self._tell(await self._inbox.next())

    def follow_up(self, answer: str) -> str | None:
        """What to say to this answer. After None nobody can say anything any more."""
        more = self._repair(answer)
        if more is not None:
            return more
        text = self._inbox.last_call()
        return None if text is None else self._tell(text)

    def _tell(self, text: str) -> str:
        self._emit(Said(text=text))
        return said_prompt(text)

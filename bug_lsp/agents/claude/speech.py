"""What the user says to Claude while it works.

Claude takes it in with the next result of a tool, in the same turn, or, where none comes, makes a
turn of it after this one. It says which by repeating the message, so nothing is left unanswered.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeSDKClient, Message


class Speech:
    """What was said to one Claude, and whether it has taken all of it in."""

    def __init__(self, client: ClaudeSDKClient) -> None:
        self.client = client
        self._waiting: set[str] = set()

    @property
    def waits(self) -> bool:
        """Whether something was said that Claude has not taken in yet."""
        return bool(self._waiting)

    async def hand_on(self, listen: Callable[[], Awaitable[str]]) -> None:
        """Say what the user says, as it comes; never returns but where Claude is gone."""
        with suppress(Exception):  # whoever reads what Claude says will hear that it is gone
            while True:
                message = _message(await listen())
                self._waiting.add(message["uuid"])
                await self.client.query(_stream(message))

    def taken_in(self, message: Message) -> None:
        """Claude repeats what it takes in, under the name that we gave it."""
        self._waiting.discard(getattr(message, "uuid", None) or "")


def _message(text: str) -> dict[str, Any]:
    return {
        "type": "user",
        "uuid": str(uuid.uuid4()),
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": None,
    }


async def _stream(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield message

"""A lock that many can hold together, or one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class SharedLock:
    """Holders together, or one alone. Whoever waits to be alone goes before new holders."""

    def __init__(self) -> None:
        self._changed = anyio.Condition()
        self._holders = 0
        self._is_alone = False
        self._waiting = 0

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Hold it beside others."""
        async with self._changed:
            while self._is_alone or self._waiting:
                await self._changed.wait()
            self._holders += 1
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                async with self._changed:
                    self._holders -= 1
                    self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold it with nobody beside."""
        async with self._changed:
            self._waiting += 1
            try:
                while self._is_alone or self._holders:
                    await self._changed.wait()
                self._is_alone = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                async with self._changed:
                    self._is_alone = False
                    self._changed.notify_all()

"""The scripted model in a thread of its own, for tests that are not asynchronous or that must not
share an event loop with it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .server import ScriptedModel


@contextmanager
def scripted_model(*, keep_bodies: bool = False) -> Iterator[ScriptedModel]:
    """A listening model; `load`, `url` and `requests` may be called from any thread."""
    model = ScriptedModel(keep_bodies=keep_bodies)
    loop = asyncio.new_event_loop()
    listening, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with model:
            listening.set()
            await over.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="scripted model")
    thread.start()
    try:
        assert listening.wait(timeout=10), "the scripted model did not start"
        yield model
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()

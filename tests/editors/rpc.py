"""Neovim's remote interface (msgpack-rpc over its standard input and output), every answer with a
deadline.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack

_REQUEST, _ANSWER, _TOLD = 0, 1, 2
_DEADLINE = 60.0
_CHUNK = 1 << 16


class Remote:
    """One process that is spoken to, and that tells what it draws on its screen."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], on_redraw: Callable[[list[Any]], None]
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self._unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        self._asked = 0
        self._on_redraw = on_redraw

    def request(self, method: str, *arguments: Any, deadline: float = _DEADLINE) -> Any:
        """The answer to a request."""
        self._asked += 1
        self.send(method, *arguments)
        until = time.monotonic() + deadline
        while True:
            for message in self._unpacker:
                if message[0] == _ANSWER and message[1] == self._asked:
                    assert message[2] is None, message[2]
                    return message[3]
                if message[0] == _TOLD and message[1] == "redraw":
                    self._on_redraw(message[2])
            self._read(until)

    def send(self, method: str, *arguments: Any) -> None:
        """Ask, and do not wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgpack.packb([_REQUEST, self._asked, method, arguments]))

    def _read(self, until: float) -> None:
        assert self._process.stdout is not None
        left = max(until - time.monotonic(), 0)
        if not select.select([self._process.stdout], [], [], left)[0]:
            raise TimeoutError
        read = self._process.stdout.read(_CHUNK)
        assert read, "it has ended"
        self._unpacker.feed(read)

    def wait(self, deadline: float = 10.0) -> None:
        """Wait for its end; where it does not come, it is made."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.stdin.close()
        try:
            self._process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """It dies at once, and with it what it has started in its own group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

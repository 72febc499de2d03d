"""Cutting what agents print down to what can be shown: one line, the last line, both ends.

Pure; shared by the adapters.
"""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def one_line(text: str, limit: int) -> str:
    """The text on one line, without colours and control characters, at most `limit` long."""
    plain = _COLOUR.sub("", text)
    plain = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def last_line(text: str, limit: int) -> str:
    """The last line that is not blank, as `one_line`; empty if there is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1], limit) if lines else ""


def clip(text: str, limit: int) -> str:
    """Both ends of a text that is too long, and how much is left out between them."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


class Ends:
    """The first and the last bytes of a stream of any length."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        room = self._keep - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._keep:
            excess = len(self._tail) - self._keep
            self._left_out += excess
            del self._tail[:excess]

    def text(self) -> str:
        """What was kept, with a mark where something was left out."""
        mark = b"\n[... %d bytes left out ...]\n" % self._left_out if self._left_out else b""
        return (self._head + mark + self._tail).decode(errors="replace").replace("\0", "\ufffd")

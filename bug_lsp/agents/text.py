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

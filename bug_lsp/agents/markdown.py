"""Pieces of Markdown around text that is not ours, so that it cannot break out of its place."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _longest_run_of_backticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def code_span(text: str) -> str:
    """One line of code within a sentence or a table cell."""
    flat = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (_longest_run_of_backticks(flat) + 1)
    pad = " " if not flat or "`" in (flat[0], flat[-1]) else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def code_block(text: str, language: str = "") -> str:
    """Lines of code."""
    fence = "`" * max(_longest_run_of_backticks(text) + 1, 3)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def plain(text: str) -> str:
    """Someone's words on one line, without a meaning in Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def counted(number: int, noun: str) -> str:
    """`1 test`, `2 tests`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(items: Sequence[str], most: int) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown

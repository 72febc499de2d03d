"""How much of each session's text the orchestrator gets to read.

30,000 characters a session and 100,000 in all are hard limits on the text that comes from agents,
the marks that say what was left out included. Shares are found by water-filling: a short session
gives what it does not need to the long ones, and none gets nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

SESSION_LIMIT = 30_000
TOTAL_LIMIT = 100_000
HEAD_KEPT = 12_000
TAIL_KEPT = SESSION_LIMIT - HEAD_KEPT
"""Conclusions are at the end, so the tail gets the larger part."""


def shares(demands: Sequence[int], total: int = TOTAL_LIMIT, cap: int = SESSION_LIMIT) -> list[int]:
    """Characters granted to each demand: at most the demand, at most `cap`, `total` in all, and the
    smallest grant as large as it can be.
    """
    granted = [0] * len(demands)
    left = max(0, total)
    # From the smallest demand up: each takes an equal part of what is left, or less.
    order = sorted(range(len(demands)), key=lambda index: (demands[index], index))
    for done, index in enumerate(order):
        level = left // (len(order) - done)
        granted[index] = max(0, min(demands[index], cap, level))
        left -= granted[index]
    return granted


def clip(text: str, limit: int) -> str:
    """The text within `limit` characters: head and tail, and between them a mark that says how
    much was left out. Cuts at line ends where one is near.
    """
    return join_excerpt(text, "", len(text), limit)


def join_excerpt(head: str, tail: str, total: int, limit: int) -> str:
    """An excerpt of a text of `total` characters of which only `head` and `tail` are kept."""
    kept = head + tail
    if total <= limit and len(kept) == total:
        return kept
    mark = f"\n[... {total:,} characters in all, the middle is left out ...]\n"
    room = limit - len(mark)
    if room < len(mark):
        return kept[len(kept) - limit :] if limit > 0 else ""
    if len(kept) == total:
        # Nothing is missing between them: the end of the head may be part of the conclusions.
        head, tail = kept, ""
    first = min(room * 2 // 5, len(head)) if tail else room * 2 // 5
    last = min(room - first, len(tail) if tail else len(kept) - first)
    return _cut_head(kept[:first]) + mark + _cut_tail(kept[len(kept) - last :])


def _cut_head(text: str) -> str:
    end = text.rfind("\n", len(text) * 4 // 5)
    return text if end < 0 else text[:end]


def _cut_tail(text: str) -> str:
    start = text.find("\n", 0, len(text) // 5)
    return text if start < 0 else text[start + 1 :]

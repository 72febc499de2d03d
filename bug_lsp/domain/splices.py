"""The change from one text to another as a few edits of whole lines: what stays the same is not
touched, so that cursors, breakpoints and folds stay where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TypeAlias

from .region import Edit

_Opcode: TypeAlias = tuple[int, int, int, int]
"""Lines `a[i1:i2]` become `b[j1:j2]`."""
_MOST_PAIRS = 4_000_000
"""Of lines that are the same. A text that has more of them, all blanks say, is one change: looking
at each would take minutes."""


def lines_of(text: str) -> list[str]:
    """The lines with their ends; as in git, a line ends at a line feed and nowhere else."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def splices(old: str, new: str) -> tuple[Edit, ...]:
    """The edits that make `new` of `old`: in order, apart from each other, offsets into `old`."""
    before, after = lines_of(old), lines_of(new)
    starts = [0, *accumulate(map(len, before))]
    return tuple(
        Edit(starts[i1], starts[i2], "".join(after[j1:j2]))
        for i1, i2, j1, j2 in _changed(before, after)
    )


def apply(edits: Sequence[Edit], text: str) -> str:
    """The text with all edits made; their offsets are those of the text as it is given."""
    for edit in reversed(edits):
        text = edit.apply(text)
    return text


def clashes(base: str, present: str, patched: str) -> list[tuple[int, int]]:
    """(first, last) line, counted from 1, of each place of `present` that was changed since `base`
    where `patched` changes it, or right beside it.
    """
    before = lines_of(base)
    theirs = list(_changed(before, lines_of(patched)))
    return [
        (j1 + 1, max(j1 + 1, j2))
        for i1, i2, j1, j2 in _changed(before, lines_of(present))
        if any(i1 <= k2 and k1 <= i2 for k1, k2, _, _ in theirs)
    ]


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[_Opcode]:
    shortest = min(len(before), len(after))
    head = next((n for n in range(shortest) if before[n] != after[n]), shortest)
    rest = shortest - head
    tail = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if _pairs(*middle) > _MOST_PAIRS:
        yield head, head + len(middle[0]), head, head + len(middle[1])
        return
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        if tag != "equal":
            yield head + i1, head + i2, head + j1, head + j2


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    counts = Counter(after)
    return sum(count * counts[line] for line, count in Counter(before).items())

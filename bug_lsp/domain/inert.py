"""Untrusted text in which no Markdown loads or starts anything: no image, no HTML, no link but to
the web or to a file beside it.

It is read as the most suspicious reader would, code or not, so it does not matter what stands
around it, nor where it is cut. What breaks a construct is one space, which code does not mind.
"""

from __future__ import annotations

import re

_IMAGE = re.compile(r"!(?=\[)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_TARGET = re.compile(
    r"\](?=[(:]"
    # Blanks, and what a quotation puts in front of the next line.
    r"[\s>]*"
    # Nothing yet, an address in angles, one with a scheme, or what may turn out to be one when
    # escapes are taken away. The web's are free.
    r"(?!https?://)(?:<|[A-Za-z0-9+.\-]*(?:[:&\\]|\Z)))"
)
_TICKS = re.compile(r"`+")
_READ_BEFORE_CODE = re.compile(r"[\\|$~\r]|\][(:\[]|://|www\.|mailto:|xmpp:", re.IGNORECASE)
"""What may take a backtick for itself, for one reader or another."""
_OPENS = frozenset("!]<")
"""What a construct that is broken here begins with."""


def inert(text: str) -> str:
    """The text with a space where an image, a tag or a link that could start something would be."""
    return _TARGET.sub("] ", _TAG.sub("< ", _IMAGE.sub("! ", text)))


def inert_prose(text: str) -> str:
    """The same for whole paragraphs; code in backticks keeps its `<` where every reader sees code.

    That is so where each line of a paragraph closes all the code that it opens, and nothing in the
    paragraph is read before backticks are: no escape, table, mathematics, link or bare address.
    """
    safe = _code_ranges(text)

    def broken(match: re.Match[str]) -> str:
        return "<" if any(start < match.start() < end for start, end in safe) else "< "

    return _TARGET.sub("] ", _IMAGE.sub("! ", _TAG.sub(broken, text)))


def _code_ranges(text: str) -> list[tuple[int, int]]:
    """Where code in backticks is, for every reader; nothing of a paragraph with a doubt."""
    found: list[tuple[int, int]] = []
    paragraph: list[tuple[int, int]] = []
    doubt, at = False, 0
    for line in [*text.split("\n"), ""]:
        if not line.strip(" \t"):  # blank for every reader: other spaces are text for some
            found += [] if doubt else paragraph
            paragraph, doubt = [], False
        elif (ranges := _code_in(line)) is None:
            doubt = True
        else:
            paragraph += [(at + start, at + end) for start, end in ranges]
        at += len(line) + 1
    return found


def _code_in(line: str) -> list[tuple[int, int]] | None:
    """Where code is in a line; None if there may be more of it, or less, for some reader."""
    if "`" not in line:
        return []
    if _READ_BEFORE_CODE.search(line):
        return None
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(line)]
    found: list[tuple[int, int]] = []
    while runs:
        start, end = runs.pop(0)
        closing = [n for n, one in enumerate(runs) if one[1] - one[0] == end - start]
        if not closing:
            return None
        found.append((start, runs[closing[0]][1]))
        runs = runs[closing[0] + 1 :]
    return found


class Inert:
    """The same for a text that comes in pieces, cut anywhere."""

    def __init__(self) -> None:
        self._last = ""

    def add(self, piece: str) -> str:
        """The next piece."""
        before, whole = self._last, self._last + piece
        self._last = whole[-1:] if whole[-1:] in _OPENS else ""
        return inert(whole)[len(before) :]

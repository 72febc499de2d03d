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
_OPENS = frozenset("!]<")
"""What a construct that is broken here begins with."""


def inert(text: str) -> str:
    """The text with a space where an image, a tag or a link that could start something would be."""
    return _TARGET.sub("] ", _TAG.sub("< ", _IMAGE.sub("! ", text)))


class Inert:
    """The same for a text that comes in pieces, cut anywhere."""

    def __init__(self) -> None:
        self._last = ""

    def add(self, piece: str) -> str:
        """The next piece."""
        before, whole = self._last, self._last + piece
        self._last = whole[-1:] if whole[-1:] in _OPENS else ""
        return inert(whole)[len(before) :]

"""Quotes that were changed on their way from the code to us: enough for a doubt, for no proof."""

from __future__ import annotations

import html
import re
from itertools import islice

from .source import key, squeeze

_MIN_LOOSE = 3
_NOTE = re.compile(r" (?:#|//|<-|\u2190|/\*)")
_MOST_NOTES = 20


def loose(quote: str) -> list[str]:
    """What may be left of a quote that was changed on its way, without blanks: good for a doubt,
    never for a proof.
    """
    stripped = quote.strip()
    forms = [
        html.unescape(quote),
        quote.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\'", "'"),
        quote.replace("\\\\", "\\"),
        _redecoded(quote),
    ]
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        forms.append(stripped[1:-1])
    found = dict.fromkeys(map(squeeze, forms))
    return [one for one in found if len(one) >= _MIN_LOOSE]


def without_note(quote: str) -> list[str]:
    """The quote without what the agent may have put behind it as a comment."""
    whole = key(quote)
    return [whole[: match.start()] for match in islice(_NOTE.finditer(whole), _MOST_NOTES)]


def _redecoded(text: str) -> str:
    """UTF-8 that was read as if it were a western encoding."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text

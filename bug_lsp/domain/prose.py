"""Where in Markdown the sentences are: code, headings and tables have none, and a file name, a
number or an abbreviation ends none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

CITATION = re.compile(
    r"(?:\[|(?<![^\W\d_])\()[ \t]*(?:[Ss]ee[ \t]+|[Ee]vidence:?[ \t]+)?"
    r"(?P<ids>E[0-9]{1,6}(?:[ \t]+\*\*\([^*\n]*\)\*\*)*"
    r"(?:[ \t]*(?:,|;|&|/|\+|-|\u2013|\.\.|,?[ \t]and|[ \t]to)[ \t]*"
    r"E[0-9]{1,6}(?:[ \t]+\*\*\([^*\n]*\)\*\*)*)*)[ \t]*[\])]"
)
"""Evidence named in brackets: `[E3]`, `[E1, E4]`, `(E2)`, `[E1-E3]`, our own marks in it or not."""
UNVERIFIED = "*(unverified)*"
"""What stands behind a sentence that names no evidence."""

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_QUOTATION = re.compile(r"(?:[ \t]{0,3}>[ \t]?)+")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]+(?:\[[ xX]\][ \t]+)?|$)")
_NO_PROSE = re.compile(r"[ \t]*(?:#{1,6}(?:[ \t]|$)|\||(?:[-*_=][ \t]*){3,}$|<[/!A-Za-z])")
_TICKS = re.compile(r"`+")
_OUR_MARK = re.compile(r"\*\*\([^*\n]*\)\*\*")
_END = re.compile(
    "(?:[.!?\u2026]+[\"'\u201d\u2019)\\]*_]*(?=\\s|$|\\[E[0-9])|[\u3002\uff01\uff1f]+[\u300d\u300f\uff09]*)"
)
_BEHIND = re.compile(
    rf"[ \t]*(?:{CITATION.pattern.replace('?P<ids>', '?:')}[.,;]?(?=\s|$|[\[(])"
    rf"|{re.escape(UNVERIFIED)})"
)
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|resp|approx|incl|excl|esp|viz|a\.k\.a|w\.r\.t|et al|Dr|Mrs?|Ms|Prof"
    r"|z\.B|d\.h|bzw)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\b(?:nos?|figs?|eqs?|secs?|ch|pp?|vol|ver|v|l|ll)$", re.IGNORECASE)
"""Ends no sentence where a number follows."""
_LOOK_BACK = 12
_OPENERS = "\"'\u201c\u2018([{*_<"
_NAME = re.compile(r"[^\W\d]\w*(?:_\w|[.(]\w|\()|_")
_MARK_CHARACTER = "\ue000"
"""A letter of nobody's, in the place of what is no prose."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; offsets are those in the whole text, without blanks around it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph or a list item, as its lines without what Markdown puts in front of them; or, as
    no prose, a heading or a line of a table.
    """

    lines: tuple[Span, ...]
    prose: bool = True

    @property
    def start(self) -> int:
        """Where its text begins."""
        return self.lines[0].start

    @property
    def end(self) -> int:
        """Where its text ends."""
        return self.lines[-1].end


def paragraphs(text: str) -> Iterator[Paragraph]:
    """All of a Markdown text but what stands in fences."""
    fence = ""
    lines: list[Span] = []
    for start, end in _lines(text):
        line = text[start:end]
        match = _FENCE.match(line)
        quotation = _QUOTATION.match(line)
        inner = quotation.end() if quotation else 0
        item = _ITEM.match(line, inner)
        apart = not line[inner:].strip() or bool(_NO_PROSE.match(line, inner))
        if lines and (fence or match or apart or item):
            yield Paragraph(tuple(lines))
            lines = []
        if fence:
            if match and match["fence"].startswith(fence) and not line[match.end() :].strip():
                fence = ""
        elif match:
            fence = match["fence"]
        elif apart:
            yield Paragraph((Span(start + inner, end),), prose=False)
        else:
            lines.append(Span(start + (item.end() if item else inner), end))
    if lines:
        yield Paragraph(tuple(lines))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in re.finditer(r"\r\n|\r|\n|\Z", text):
        yield start, match.start()
        start = match.end()


def code_spans(text: str) -> list[Span]:
    """Inline code, its backticks included."""
    runs = [Span(*match.span()) for match in _TICKS.finditer(text)]
    after: dict[int, int] = {}
    closing: dict[int, int] = {}
    for number in range(len(runs) - 1, -1, -1):
        width = runs[number].end - runs[number].start
        if width in after:
            closing[number] = after[width]
        after[width] = number
    found: list[Span] = []
    number = 0
    while number < len(runs):
        closed_by = closing.get(number)
        if closed_by is not None:
            found.append(Span(runs[number].start, runs[closed_by].end))
        number = (number if closed_by is None else closed_by) + 1
    return found


def sentences(text: str) -> list[Sentence]:
    """The sentences of a Markdown text, in their order. One that leads to a list or to code, and so
    ends with a colon, is none; what is cited behind the full stop belongs to what stands before it.
    """
    found: list[Sentence] = []
    for paragraph in paragraphs(text):
        if not paragraph.prose:
            continue
        whole = text[paragraph.start : paragraph.end]
        prose = _masked(whole, paragraph)
        start = 0
        for end in _ends(prose, whole):
            piece = whole[start:end]
            kept = prose[start:end].strip()
            if any(char.isalnum() or char == _MARK_CHARACTER for char in kept) and not (
                end == len(whole) and kept.endswith(":")
            ):
                lead = len(piece) - len(piece.lstrip())
                first = paragraph.start + start
                last = first + len(piece.rstrip())
                found.append(Sentence(first + lead, last, text[first + lead : last]))
            start = end
    return found


def _masked(whole: str, paragraph: Paragraph) -> str:
    """The paragraph with code and our marks as letters, and line ends and what Markdown puts in
    front of lines as blanks; as long as it was.
    """
    prose = list(whole)
    base = paragraph.start
    for one, two in pairwise(paragraph.lines):
        for at in range(one.end - base, two.start - base):
            prose[at] = " "
    marks = [Span(*match.span()) for match in _OUR_MARK.finditer(whole)]
    for span in [*code_spans(whole), *marks]:
        prose[span.start : span.end] = _MARK_CHARACTER * (span.end - span.start)
    return "".join(prose)


def _ends(prose: str, whole: str) -> Iterator[int]:
    at = 0
    for match in _END.finditer(prose):
        if match.start() < at:
            continue
        end = match.end()
        while behind := _BEHIND.match(whole, end):
            follows = whole[behind.end() :].lstrip()[:1]
            # `[E1] shows that ...` opens the next sentence.
            if follows.islower() and UNVERIFIED not in behind[0]:
                break
            end = behind.end()
        if end > match.end() or _ends_here(prose, match):
            yield end
            at = end
    yield len(prose)


def _ends_here(prose: str, match: re.Match[str]) -> bool:
    rest = prose[match.end() :].lstrip()
    before = prose[max(0, match.start() - _LOOK_BACK) : match.start()]
    if match[0] == "." and rest:
        counted = rest[0].isdigit() and _COUNTED.search(before)
        if counted or _ABBREVIATION.search(before):
            return False
    if not rest or ord(match[0][0]) > 0x3000:  # noqa: PLR2004 - where Chinese and Japanese begin
        return True
    first = rest.lstrip(_OPENERS)[:1] or rest[0]
    return not first.islower() or bool(_NAME.match(rest))

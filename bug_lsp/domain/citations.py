"""What a conclusion cites: evidence by its id, code by its place. Finds both in Markdown, and marks
in place what is not so; changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from .prose import (
    CITATION,
    UNVERIFIED,
    Span,
    code_spans,
    paragraphs,
    sentences,
)
from .transcript import one_line

_ID = re.compile(r"E(?P<number>[0-9]+)")
_RANGE = re.compile(r"[ \t]*(?:-|\u2013|\.\.|[ \t]to)[ \t]*")
_MOST_IN_RANGE = 50
_NUMBERS = r"(?P<first>[0-9]{1,9})(?:[-\u2013]L?(?P<last>[0-9]{1,9})|:[0-9]{1,9})?"
_PLACE = re.compile(
    r"(?<![\w/\\.:@+~-])(?P<path>(?:[\w.@+~-]*[/\\])*[\w.@+~-]*[\w+-])"
    rf"(?::|\#L){_NUMBERS}(?![\w/]|[.:][0-9])"
)
_WHOLE_PLACE = re.compile(rf"`+[ \t]*(?P<path>[^`\n]*[^`\n:\s]):{_NUMBERS}[ \t]*`+")
_FILE = re.compile(r"[/\\]|\.[A-Za-z_]\w*$|^(?:Make|Docker|Jenkins|Proc|Rake|Gem)file$")
_HOST = re.compile(r"\.(?:com|org|net|local|localhost)$")
_DESTINATION = re.compile(r"\]\([^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)|<[a-z]+:[^<>\s]*>|\b[a-z]+://\S+")
_MARKS = re.compile(r"(?: \*\*\([^*\n]*\)\*\*)*")
_SHOWN = 200
NO_SUCH_EVIDENCE = "no such evidence"


@dataclass(frozen=True, slots=True)
class _Cited:
    """An id or a place where it is cited; a mark for it goes to `at`."""

    at: int
    ids: tuple[str, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    span: Span | None = None
    """Of a place: where its path and line stand."""


def ids_in(text: str) -> tuple[str, ...]:
    """The ids of evidence that a text cites, each once, in their order."""
    return tuple(dict.fromkeys(name for one in _ids(text) for name in one.ids))


def places_in(text: str) -> tuple[tuple[str, int], ...]:
    """The places (path as written, line) that a text cites, each once; both ends of a range."""
    return tuple(dict.fromkeys(place for one in _places(text) for place in one.places))


def linked_places(text: str) -> tuple[tuple[Span, str, int], ...]:
    """Where a text cites places: offsets, path as written, (first) line."""
    found = ((one.span, *one.places[0]) for one in _places(text) if one.span)
    return tuple(sorted(found, key=lambda one: one[0].start))


def unknown_ids(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The cited ids that there are not."""
    return tuple(name for name in ids_in(text) if name not in known)


def sentences_without_evidence(text: str) -> tuple[str, ...]:
    """The sentences that cite no id, existing or not."""
    return tuple(
        sentence.text.removesuffix(UNVERIFIED).rstrip()
        for sentence in sentences(text)
        if not ids_in(sentence.text)
    )


def mark(
    text: str,
    known_ids: Collection[str],
    refuted: Mapping[str, str],
    wrong_places: Mapping[tuple[str, int], str],
    *,
    sentences_too: bool = True,
) -> str:
    """The text with ids that do not exist, refuted ones and wrong places marked where they are
    cited, and (`sentences_too`) sentences without an id followed by `*(unverified)*`. Reasons are
    clauses. Marking what is marked changes nothing.
    """
    marks: dict[int, list[str]] = {}
    for one in [*_ids(text), *_places(text)]:
        for reason in [
            *(_of_id(name, known_ids, refuted) for name in one.ids),
            *(_plain(wrong_places[place]) for place in one.places if place in wrong_places),
        ]:
            if reason:
                marks.setdefault(one.at, []).append(f" **({reason})**")
    for sentence in sentences(text) if sentences_too else ():
        if not ids_in(sentence.text) and not sentence.text.endswith(UNVERIFIED):
            marks.setdefault(sentence.end, []).append(f" {UNVERIFIED}")
    return _inserted(text, marks)


def _of_id(name: str, known: Collection[str], refuted: Mapping[str, str]) -> str:
    if name not in known:
        return NO_SUCH_EVIDENCE
    if name not in refuted:
        return ""
    reason = _plain(refuted[name])
    return f"refuted: {reason}" if reason else "refuted"


def _plain(reason: str) -> str:
    """A reason that cannot leave its mark."""
    return one_line(reason, _SHOWN).replace("*", "\u2217").replace("`", "'")


def _inserted(text: str, marks: Mapping[int, list[str]]) -> str:
    parts: list[str] = []
    end = 0
    for at in sorted(marks):
        parts.append(text[end:at])
        there = _MARKS.match(text, at)
        parts += [one for one in dict.fromkeys(marks[at]) if not there or one not in there[0]]
        end = at
    return "".join([*parts, text[end:]])


def _ids(text: str) -> Iterator[_Cited]:
    for block, base, spans, _ in _blocks(text):
        for match in CITATION.finditer(block):
            inside = _span_around(spans, match)
            # In code only what is all of it was meant as a citation.
            if inside and block[inside.start : inside.end].strip("` ") != match[0]:
                continue
            yield from _named(match, base, base + inside.end if inside else None)


def _named(match: re.Match[str], base: int, at: int | None) -> Iterator[_Cited]:
    names = list(_ID.finditer(_MARKS_INSIDE.sub(_blanked, match["ids"])))
    start = base + match.start("ids")
    for number, name in enumerate(names):
        ids = [name[0]]
        between = match["ids"][names[number - 1].end() : name.start()] if number else ""
        if number and _RANGE.fullmatch(_MARKS_INSIDE.sub("", between)):
            first, last = int(names[number - 1]["number"]), int(name["number"])
            between_them = range(first + 1, min(last, first + _MOST_IN_RANGE))
            ids = [*(f"E{one}" for one in between_them), name[0]]
        yield _Cited(start + name.end() if at is None else at, tuple(ids))


_MARKS_INSIDE = re.compile(r"[ \t]+\*\*\([^*\n]*\)\*\*")


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _places(text: str) -> Iterator[_Cited]:
    for block, base, spans, hidden in _blocks(text):
        wholes = {span: _WHOLE_PLACE.fullmatch(block[span.start : span.end]) for span in spans}
        for span, whole in wholes.items():
            if whole and _is_file(whole["path"]):
                start = base + span.start
                inner = Span(start + whole.start("path"), start + whole.end("first"))
                yield _Cited(base + span.end, places=_ends(whole), span=inner)
        for match in _PLACE.finditer(block):
            inside = _span_around(spans, match)
            taken = inside and (found := wholes[inside]) and _is_file(found["path"])
            if taken or _span_around(hidden, match) or not _is_file(match["path"]):
                continue
            at = inside.end if inside else match.end()
            place = Span(base + match.start("path"), base + match.end("first"))
            yield _Cited(base + at, places=_ends(match), span=place)


def _ends(match: re.Match[str]) -> tuple[tuple[str, int], ...]:
    numbers = dict.fromkeys(int(match[name]) for name in ("first", "last") if match[name])
    return tuple((match["path"], number) for number in numbers)


def _is_file(path: str) -> bool:
    return bool(_FILE.search(path)) and not _HOST.search(path)


def _blocks(text: str) -> Iterator[tuple[str, int, list[Span], list[Span]]]:
    """The paragraphs: text, offset, inline code, and what is a link's destination."""
    for paragraph in paragraphs(text):
        block = text[paragraph.start : paragraph.end]
        hidden = [Span(*match.span()) for match in _DESTINATION.finditer(block)]
        yield block, paragraph.start, code_spans(block), hidden


def _span_around(spans: list[Span], match: re.Match[str]) -> Span | None:
    found = (span for span in spans if span.start <= match.start() and match.end() <= span.end)
    return next(found, None)

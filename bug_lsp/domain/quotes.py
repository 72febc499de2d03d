"""Quotes as agents write them: the ways in which one can be meant, and whether a file's lines are
what it says. Strict: what is not said to be sure is a doubt, and a doubt proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from .source import Source, key, split_lines, squeeze

TELLING = 16
"""Characters that must be left of a shortened quote for its place to be sure."""
MOST_CHARACTERS = 20_000
MOST_LINES = 200
_MOST_DOTS = 50
_MOST_GAPS = 10
_MOST_SKIPPED = 300
"""Lines that an ellipsis on a line of its own can stand for."""
_MOST_PLACES = 500
_MOST_PLACES_OF_SEVERAL = 100

_DOTS = re.compile(r"\.{3,}|\u2026+")
_BRACKETED = re.compile(r"(?:(?<=\s)|^)[\[(<](?:\.{3,}|\u2026)[\])>](?=\s|$)")
_GAP = re.compile(
    r"(?:(?:#|//|--|/\*) ?)?(?P<open>[\[(<])?(?:\.{3,}|\u2026+)(?(open)[\])>])(?: ?\*/)?"
)
_OWN_DOTS = frozenset("([{,:=>\"'`|")
"""Behind one of these `...` can be the code's own: Ellipsis, a spread, a variadic, a text."""
_FENCE = re.compile(r"(?:`{3,}|~{3,})")
_NUMBER = r"[ \t]*(?:\S*?[\w/]:)?(?:L|[Ll]ine )?(?P<number>[0-9]{1,9})"
_NUMBERED = (
    re.compile(_NUMBER + r"(?:[ \t]*[:|\u2502\u2192]|[-.)](?![0-9]))[ \t]?(?P<rest>.*)"),
    re.compile(_NUMBER + r"(?:[ \t](?P<rest>.*)|$)"),
)
"""What tools put in front of a line: `41: `, `path:41:`, `41 | `, `41-`; or `41` and blanks."""
_MARKED = re.compile(r"[ \t]*(?P<mark>->|[-+>])(?P<rest>.*)")
_STATEMENT = re.compile(
    r"[ \t]*(?:@|(?:def|class|return|import|from|if|elif|else|for|while|with|try|except|finally"
    r"|raise|assert|async|del|pass|break|continue|global|nonlocal|const|let|var|function|export"
    r"|public|private|protected|static|switch|case|throw|fn|pub|impl|struct|package|func)\b)"
)
"""No operand begins with one of these words, so a mark in front of it is no sign."""

PART = "only a part of the line is quoted"
_DOTS_DOUBT = "its dots may be the code's own"


@dataclass(frozen=True, slots=True)
class _Shortened:
    """A line with an ellipsis."""

    pieces: tuple[str, ...]
    starts: bool
    ends: bool
    doubtful: bool

    def doubt(self, line: str) -> str | None:
        """None where the line is not what was shortened; why it may be; "" where it surely is."""
        if self._fits(line):
            return _DOTS_DOUBT if self.doubtful else ""
        at = 0
        for piece in self.pieces:
            at = line.find(piece, at)
            if at < 0:
                return None
            at += len(piece)
        return "its pieces stand in the line but are not all of it"

    def _fits(self, line: str) -> bool:
        at = 0
        for number, piece in enumerate(self.pieces):
            last = number == len(self.pieces) - 1
            if number == 0 and self.starts:
                found = 0 if line.startswith(piece) else -1
            elif last and self.ends:
                found = len(line) - len(piece) if line.endswith(piece) else -1
            else:
                found = line.find(piece, at)
                while found >= 0 and not line[at:found].strip():
                    found = line.find(piece, found + 1)
            # Where nothing was left out, the dots are a claim about the code.
            cut = not (number == 0 and self.starts)
            if found < at or (cut and not line[at:found].strip()):
                return False
            at = found + len(piece)
        return not line[at:].strip() if self.ends else bool(line[at:].strip())


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a quote."""

    raw: str
    exact: str
    shortened: tuple[_Shortened, ...] = ()
    gap: bool = False
    marked: bool = False

    @classmethod
    def of(cls, raw: str, *, marked: bool = False) -> _Line:
        exact = key(raw)
        forms = [exact] if _DOTS.search(exact) else []
        if forms and _BRACKETED.search(exact):
            forms.append(_BRACKETED.sub("\u2026", exact))
        shortened = tuple(filter(None, map(_shortened, forms)))
        return cls(raw, exact, shortened, bool(_GAP.fullmatch(exact)), marked)

    def doubt(self, source: Source, index: int) -> str | None:
        """None where it is not that line; why it may be; "" where it surely is."""
        line = source.keys[index]
        if self.exact == line:
            return self._mark_doubt(source.lines[index])
        doubts = [found for one in self.shortened if (found := one.doubt(line)) is not None]
        return min(doubts, key=len) if doubts else None

    def texts(self) -> tuple[str, ...]:
        """What of it is text: all, or the pieces between the ellipses."""
        return self.shortened[-1].pieces if self.shortened else (self.exact,)

    def _mark_doubt(self, line: str) -> str:
        if not self.marked or _STATEMENT.match(self.raw):
            return ""
        # A mark stands in front of the whole line, its indentation included; a sign does not.
        same = line.rstrip() in {self.raw.rstrip(), self.raw.removeprefix(" ").rstrip()}
        return "" if same and line[:1].isspace() else "what it begins with may be a sign or a mark"


def _shortened(text: str) -> _Shortened | None:
    marks = list(_DOTS.finditer(text))
    pieces = [piece.strip() for piece in _DOTS.split(text)]
    doubtful = any(
        mark[0][0] == "." and text[: mark.start()].rstrip()[-1:] in _OWN_DOTS
        for mark in marks
        if text[: mark.start()].strip()
    )
    kept = tuple(filter(None, pieces))
    return _Shortened(kept, bool(pieces[0]), bool(pieces[-1]), doubtful) if kept else None


@dataclass(frozen=True, slots=True)
class Match:
    """Where a quote stands: the indexes of its lines."""

    lines: tuple[int, ...]
    doubt: str = ""
    """Why it cannot be told; "" where it is sure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which a quote can be meant."""

    lines: tuple[_Line, ...]
    number: int | None = None
    """The line number that was in front of it."""

    def matches(self, source: Source, named: int) -> Iterator[Match]:
        """The places where it stands, sure or not; `named` is the line that the finding names."""
        if not self._can_stand(source):
            return
        starts, crowded = self._starts(source, named - 1)
        for index in starts:
            match = self._match_at(source, index)
            if match is None or match.doubt:
                yield from filter(None, [match])
            elif self.number not in {None, named, match.lines[0] + 1}:
                yield replace(match, doubt="the number in front of it is that of another line")
            elif crowded and named - 1 not in match.lines:
                yield replace(match, doubt="there are too many places like it to tell")
            else:
                yield match

    def _can_stand(self, source: Source) -> bool:
        """Whether all that was not shortened is somewhere: cheap, and rules out most."""
        kept = self._kept()
        return len(self.lines) - len(kept) <= _MOST_GAPS and all(
            line.shortened or line.exact in source.by_key for line in kept
        )

    def _starts(self, source: Source, named: int) -> tuple[list[int], bool]:
        """Where it can begin, near the named index first, and whether there are more places."""
        kept = self._kept()
        if not kept:  # nothing but an ellipsis
            only = self.lines[0].exact if len(self.lines) == 1 else ""
            found = source.by_key.get(only, [])
        else:
            found = list(source.by_key.get(kept[0].exact, ()))
            for one in kept[0].shortened:
                found += source.holding(max(one.pieces, key=len), _MOST_PLACES + 1)
        most = _MOST_PLACES if len(self.lines) == 1 else _MOST_PLACES_OF_SEVERAL
        near = range(max(0, named - len(self.lines) + 1), min(named + 1, len(source.keys)))
        likely = [*near, *found[: most + 1]] if kept else found
        return list(dict.fromkeys(likely)), len(found) > most

    def _match_at(self, source: Source, start: int) -> Match | None:
        if len(self.lines) == 1:
            doubt = self.lines[0].doubt(source, start)
            if doubt is None:
                return None
            whole = self.lines[0].exact == source.keys[start]
            return Match((start,), doubt or ("" if whole else self._untelling()))
        return self._block_at(source, start)

    def _block_at(self, source: Source, start: int) -> Match | None:
        """Where several lines stand, of which the first that is no ellipsis is at `start`."""
        matched: list[int] = []
        doubts: list[str] = []
        at, skip = start, 0
        for number, run in enumerate(_runs(self.lines)):
            found = _run_after(source, run, at, skip)
            if found is None:
                return None
            behind_gap = number > 0 and found[0][0] == at
            matched += [index for index, _ in found]
            doubts += [doubt for _, doubt in found]
            if behind_gap:
                doubts.append("nothing is left out where it says so")
            at, skip = matched[-1] + 1, _MOST_SKIPPED
        if not matched:
            return None
        if self.lines[-1].gap and self.lines[-2].exact.endswith(":"):
            doubts.append(_DOTS_DOUBT)
        cut = any(line.gap for line in self.lines)
        cut = cut or any(
            line.shortened and line.exact != source.keys[index]
            for line, index in zip(self._kept(), matched, strict=True)
        )
        doubt = next(filter(None, doubts), "")
        return Match(tuple(matched), doubt or (self._untelling() if cut else ""))

    def _kept(self) -> list[_Line]:
        return [line for line in self.lines if not line.gap]

    def _untelling(self) -> str:
        """Why a shortened quote that fits is not enough."""
        if len(self.text()) < TELLING:
            return "too little of it is left to tell"
        held = any(
            not line.shortened or any(one.starts or one.ends for one in line.shortened)
            for line in self._kept()
        )
        return "" if held else PART

    def text(self) -> str:
        """What it says, without ellipses and blanks; "" for nothing."""
        return "".join(map(squeeze, self._texts()))

    def squeezed(self) -> str:
        """All of it, without blanks."""
        return squeeze("".join(line.exact for line in self.lines))

    def pieces(self) -> list[tuple[str, list[str]]]:
        """Each line without blanks, as a whole and in pieces; [] where nothing is left out."""
        if not any(line.gap or line.shortened for line in self.lines):
            return []
        return [
            (squeeze(line.exact), [squeeze(piece) for piece in line.texts()])
            for line in self._kept()
        ]

    def tokens(self, kind: re.Pattern[str]) -> list[str]:
        """What of it is of this kind."""
        return [token for text in self._texts() for token in kind.findall(text)]

    def _texts(self) -> list[str]:
        return [piece for line in self._kept() for piece in line.texts()]


def _runs(lines: tuple[_Line, ...]) -> list[list[_Line]]:
    """The lines between ellipses."""
    return [list(run) for gap, run in groupby(lines, key=lambda line: line.gap) if not gap]


def _run_after(
    source: Source, run: list[_Line], at: int, skip: int
) -> list[tuple[int, str]] | None:
    """Where these lines stand one after the other, over at most `skip` others: (index, doubt)."""
    for start in range(at, min(at + skip + 1, len(source.keys))):
        found: list[tuple[int, str]] = []
        after = start
        for line in run:
            one = _next(source, line, after)
            if one is None or (not found and one[0] != start):
                break
            found.append(one)
            after = one[0] + 1
        else:
            return found
    return None


def _next(source: Source, line: _Line, at: int) -> tuple[int, str] | None:
    """The next line that is not blank, where it is this one: (index, doubt)."""
    while at < len(source.keys) and not source.keys[at]:
        at += 1
    doubt = line.doubt(source, at) if at < len(source.keys) else None
    return None if doubt is None else (at, doubt)


def too_long(quote: str) -> bool:
    """Whether it is too much to be looked for."""
    return (
        len(quote) > MOST_CHARACTERS
        or len(split_lines(quote)) > MOST_LINES
        or len(_DOTS.findall(quote)) > _MOST_DOTS
    )


def read(quote: str) -> list[Reading]:
    """The ways in which a quote can be meant, as it stands first; [] where it says nothing."""
    bodies = [quote]
    for body in (_unfence(quote), _untick(quote)):
        if body is not None and body not in bodies:
            bodies.append(body)
    found: list[Reading] = []
    for body in bodies:
        lines = [line for line in split_lines(body) if line.strip()]
        numbered = [_numbered(lines, form) for form in _NUMBERED]
        found += filter(None, [_plain(lines), *numbered, _marked(lines)])
    return list(dict.fromkeys(found))


def _unfence(text: str) -> str | None:
    """What stands in a fence, where the text is nothing but one."""
    lines = split_lines(text.strip())
    match = _FENCE.match(lines[0])
    if match is None or len(lines) < 3 or lines[-1].strip() != match[0]:  # noqa: PLR2004
        return None
    return "\n".join(lines[1:-1])


def _untick(text: str) -> str | None:
    """What stands in backticks, where the text is nothing but one code span."""
    body = text.strip()
    count = len(body) - len(body.lstrip("`"))
    ticks, inner = body[:count], body[count : len(body) - count]
    return inner if count and inner.strip() and body.endswith(ticks) else None


def _plain(lines: list[str], number: int | None = None) -> Reading | None:
    read_lines = tuple(line for raw in lines if (line := _Line.of(raw)).exact)
    return Reading(read_lines, number) if read_lines else None


def _numbered(lines: list[str], form: re.Pattern[str]) -> Reading | None:
    """Without line numbers, which all lines must have, each more than the one before."""
    rests, numbers = [], []
    for line in lines:
        match = form.fullmatch(line)
        if match is None:
            if _GAP.fullmatch(line.strip()):
                rests.append(line)
                continue
            return None
        numbers.append(int(match["number"]))
        rests.append(match["rest"] or "")
    if not numbers or any(one >= two for one, two in pairwise(numbers)):
        return None
    kept = [rest for rest in rests if rest.strip()]
    return _unwrapped(kept, numbers[0])


def _unwrapped(lines: list[str], number: int) -> Reading | None:
    """Numbered lines, which can have a diff's marks or backticks behind their numbers."""
    inner = _untick(lines[0]) if len(lines) == 1 else None
    return _plain([inner] if inner else lines, number)


def _marked(lines: list[str]) -> Reading | None:
    """Without the marks of a diff or of a quotation. What a diff adds does not stand there."""
    matches = [_MARKED.fullmatch(line) for line in lines]
    marks = {match["mark"] for match in matches if match}
    if not marks or any(
        match is None and not line[:1].isspace() for match, line in zip(matches, lines, strict=True)
    ):
        return None
    kept = []
    for match, line in zip(matches, lines, strict=True):
        if match is None:
            kept.append(_Line.of(line[1:]))
        elif match["rest"].strip() and not (match["mark"] == "+" and "-" in marks):
            kept.append(_Line.of(match["rest"], marked=True))
    return Reading(tuple(kept)) if kept else None

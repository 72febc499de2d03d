"""What the code says of the agents' findings: each quote looked for in the snapshot that all
sessions were given. Never verifies what it is not sure of, never contradicts what may be true.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from . import altered, quotes
from .functions import Function, function_at, functions
from .places import Outside, Places
from .proof import Evidence, Verdict
from .report import Finding
from .run import Facts
from .source import Source, readings, squeeze
from .transcript import clean

MOST_FINDINGS = 40
"""Findings of one session that are checked."""
ACTUAL_SHOWN = 200
_PATH_SHOWN = 300
_LINES_SHOWN = 5
_MOST_ELSEWHERE = 200
"""Files that one quote is looked for in beyond those that its path can mean."""
_TELLING_ELSEWHERE = 8
"""Characters without blanks that a quote needs to be looked for in other files."""
_TOKEN = re.compile(r"[!-~]{4,}")
_SOURCES_KEPT = 16


@dataclass(frozen=True, slots=True)
class Unread:
    """A file whose text is not to be had; the reason is a clause."""

    reason: str


class Snapshot(Protocol):
    """The state that all sessions were given."""

    @property
    def places(self) -> Places:
        """Which files there are."""

    def texts(self, names: Collection[str]) -> Mapping[str, str | Unread]:
        """The texts of these files (see `source.decode`); each name has an entry."""

    def holding(self, fragments: Collection[str]) -> Collection[str] | None:
        """The text files that hold one of these ASCII fragments; None where it is not known."""


class _Stands(IntEnum):
    """Whether a quote stands in a file: what says most comes last."""

    ABSENT = 0
    UNTOLD = 1
    SEVERAL = 2
    ONCE = 3
    THERE = 4


@dataclass(frozen=True, slots=True)
class _Look:
    stands: _Stands
    line: int | None = None
    """Where, counted from 1."""
    reason: str = ""
    name: str = ""
    actual: str = ""


def ids(debug: Sequence[Facts]) -> list[tuple[str, str, Finding]]:
    """(`E1`, session id, finding), ...: sessions in the order of the roster, findings in theirs, at
    most 40 of a session.
    """
    handed_in = [
        (facts.spec.session_id, finding)
        for facts in debug
        if facts.result and facts.result.report
        for finding in facts.result.report.findings[:MOST_FINDINGS]
    ]
    return [(f"E{number}", *one) for number, one in enumerate(handed_in, 1)]


def unchecked(debug: Sequence[Facts]) -> tuple[str, ...]:
    """A sentence for each session that handed in more findings than are checked."""
    return tuple(
        f"Session {facts.spec.session_id} handed in {count} findings; the first {MOST_FINDINGS} "
        "were checked."
        for facts in debug
        if facts.result and facts.result.report
        if (count := len(facts.result.report.findings)) > MOST_FINDINGS
    )


def check(debug: Sequence[Facts], snapshot: Snapshot) -> tuple[Evidence, ...]:
    """Every finding of `ids`, checked. Reads each file once, and at most a few hundred others."""
    claims = ids(debug)
    files = _Files(snapshot)
    asked = [_Asked.of(finding) for _, _, finding in claims]
    files.want([name for one in asked for name in one.wanted(snapshot.places)])
    looks = [one.verdict(files) for one in asked]
    _elsewhere(asked, looks, files)
    return tuple(
        _evidence(claim, verdict, look, files)
        for claim, (verdict, look) in zip(claims, looks, strict=True)
    )


def _evidence(
    claim: tuple[str, str, Finding], verdict: Verdict, look: _Look, files: _Files
) -> Evidence:
    id_, session_id, finding = claim
    found = verdict is not Verdict.UNKNOWN and bool(look.name)
    function = files.function(look.name, look.line) if found and look.line else ""
    return Evidence(
        id=id_,
        session_id=session_id,
        path=clean(finding.path)[:_PATH_SHOWN],
        line=finding.line,
        verdict=verdict,
        found_path=clean(look.name) if found else None,
        found_line=look.line if found else None,
        actual=clean(look.actual[: ACTUAL_SHOWN * 2]).rstrip()[:ACTUAL_SHOWN],
        reason=clean(look.reason),
        function=function[:_PATH_SHOWN],
    )


@dataclass
class _Files:
    """The snapshot's files as they are asked for, a few kept ready to be searched."""

    snapshot: Snapshot
    _texts: dict[str, str | Unread] = field(default_factory=dict)
    _sources: dict[str, list[Source]] = field(default_factory=dict)
    _functions: dict[str, list[Function]] = field(default_factory=dict)

    def function(self, name: str, line: int) -> str:
        """The function at a line of a file."""
        if name not in self._functions:
            self.want([name])
            text = self._texts[name]
            self._functions[name] = functions(name, text) if isinstance(text, str) else []
        return function_at(self._functions[name], line)

    def want(self, names: Collection[str]) -> None:
        """Read these at once."""
        missing = [name for name in dict.fromkeys(names) if name not in self._texts]
        if missing:
            self._texts.update(self.snapshot.texts(missing))

    def holds(self, name: str, fragments: Collection[str]) -> bool:
        """Whether it is a text with one of them."""
        self.want([name])
        text = self._texts[name]
        return isinstance(text, str) and any(fragment in text for fragment in fragments)

    def sources(self, name: str) -> list[Source] | Unread:
        """What the file can be read as."""
        self.want([name])
        text = self._texts[name]
        if isinstance(text, Unread):
            return text
        found = self._sources.pop(name, None) or readings(text)
        self._sources[name] = found
        while len(self._sources) > _SOURCES_KEPT:
            del self._sources[next(iter(self._sources))]
        return found


@dataclass
class _Asked:
    """One finding and the ways in which its quote can be meant."""

    finding: Finding
    quote: list[quotes.Reading]

    @classmethod
    def of(cls, finding: Finding) -> _Asked:
        long = quotes.too_long(finding.quote)
        return cls(finding, [] if long else quotes.read(finding.quote))

    def wanted(self, places: Places) -> list[str]:
        """The files that its path can mean."""
        try:
            named = places.named(self.finding.path)
        except Outside:
            return []
        return named or [name for group in places.like(self.finding.path) for name in group]

    def verdict(self, files: _Files) -> tuple[Verdict, _Look]:
        """What the files say that its path can mean."""
        places = files.snapshot.places
        try:
            named = places.named(self.finding.path)
        except Outside as outside:
            return Verdict.UNKNOWN, _Look(_Stands.UNTOLD, reason=str(outside))
        if not named:
            return self._in_like_files(files, places.like(self.finding.path))
        looks = [self.look(files, name) for name in named]
        best = max(looks, key=lambda look: look.stands)
        if best.stands is _Stands.ONCE and [look.stands for look in looks].count(best.stands) > 1:
            return Verdict.UNKNOWN, _Look(
                _Stands.SEVERAL, reason="its path can mean two files, and it stands in both"
            )
        if best.stands is _Stands.ABSENT:
            return Verdict.CONTRADICTED, _Look(best.stands, reason=best.reason, actual=best.actual)
        verdicts = {_Stands.THERE: Verdict.VERIFIED, _Stands.ONCE: Verdict.MOVED}
        return verdicts.get(best.stands, Verdict.UNKNOWN), best

    def _in_like_files(self, files: _Files, groups: list[list[str]]) -> tuple[Verdict, _Look]:
        """The path names no file: it may be relative to another folder, or from another time."""
        if not squeeze(self.finding.quote) and groups:
            return Verdict.UNKNOWN, _Look(
                _Stands.UNTOLD, reason="no text is quoted, and there is no file of that path"
            )
        for group in groups:
            looks = [self.look(files, name) for name in group]
            standing = [look for look in looks if look.stands >= _Stands.SEVERAL]
            if len(standing) > 1:
                names = _listed([look.name for look in standing])
                reason = f"there is no such file; it stands in several of that name: {names}"
                return Verdict.UNKNOWN, _Look(_Stands.SEVERAL, reason=reason)
            if standing and standing[0].stands >= _Stands.ONCE:
                one = standing[0]
                reason = f"it stands in {one.name} at line {one.line}"
                return Verdict.MOVED, _Look(one.stands, one.line, reason, one.name, one.actual)
            doubts = standing or [look for look in looks if look.stands is _Stands.UNTOLD]
            if doubts:
                reason = f"there is no such file; in {doubts[0].name}, {doubts[0].reason}"
                return Verdict.UNKNOWN, _Look(_Stands.UNTOLD, reason=reason)
        reason = "there is no such file in the state that the sessions were given"
        return Verdict.CONTRADICTED, _Look(_Stands.ABSENT, reason=reason)

    def look(self, files: _Files, name: str) -> _Look:
        """Whether the quote stands in this file."""
        sources = files.sources(name)
        if isinstance(sources, Unread):
            return _Look(_Stands.UNTOLD, reason=sources.reason, name=name)
        found = max(
            (_look(source, self.quote, self.finding) for source in sources),
            key=lambda look: look.stands,
        )
        at = found.line if found.line is not None else self.finding.line
        # The last reading keeps every character that the bytes can stand for.
        actual = sources[0].line(at) or ""
        return _Look(found.stands, found.line, found.reason, name, actual)

    def fragments(self) -> list[str]:
        """What a text must hold one of for the quote to stand in it; [] where it is too little."""
        if len(squeeze(self.finding.quote)) < _TELLING_ELSEWHERE:
            return []
        found = [max(reading.tokens(_TOKEN), key=len, default="") for reading in self.quote]
        return list(dict.fromkeys(filter(None, found)))


def _look(source: Source, quote: list[quotes.Reading], finding: Finding) -> _Look:
    """Whether a quote stands in a file."""
    if quotes.too_long(finding.quote):
        return _Look(_Stands.UNTOLD, reason="too much is quoted to be looked for")
    if not quote:
        return _Look(_Stands.UNTOLD, reason="no text is quoted")
    sure: list[int] = []
    doubts: list[quotes.Match] = []
    for reading in quote:
        matches = list(reading.matches(source, finding.line))
        if any(not one.doubt and finding.line - 1 in one.lines for one in matches):
            return _Look(_Stands.THERE, finding.line)
        doubts += [one for one in matches if one.doubt]
        sure = sure or [one.lines[0] + 1 for one in matches if not one.doubt]
    if not sure:
        return _doubtful(source, quote, finding, doubts)
    part = any(source.squeezed_in(one.squeezed(), finding.line - 1) for one in quote)
    here = any(finding.line - 1 in one.lines for one in doubts)
    if part or here:
        reason = f"{quotes.PART} (it is the whole of {_lines(sure)})"
        return _Look(_Stands.UNTOLD, reason=reason)
    if len(sure) > 1:
        reason = f"it stands at several places, none of them the line named: {_lines(sure)}"
        return _Look(_Stands.SEVERAL, reason=reason)
    return _Look(_Stands.ONCE, sure[0], f"it stands at line {sure[0]}")


def _doubtful(
    source: Source, quote: list[quotes.Reading], finding: Finding, doubts: list[quotes.Match]
) -> _Look:
    if doubts:
        best = min(doubts, key=lambda one: abs(one.lines[0] + 1 - finding.line))
        reason = f"it may be line {best.lines[0] + 1}, but {best.doubt}"
        return _Look(_Stands.UNTOLD, reason=reason)
    if not any(one.text() for one in quote):
        return _Look(_Stands.UNTOLD, reason="nothing but an ellipsis is quoted")
    wholes = [one.squeezed() for one in quote]
    if any(source.squeezed_in(whole, finding.line - 1) for whole in wholes):
        same = squeeze(source.keys[finding.line - 1]) in wholes
        reason = "it differs from the line in blanks or look-alike characters" if same else ""
        return _Look(_Stands.UNTOLD, reason=reason or quotes.PART)
    for whole in [*wholes, *altered.loose(finding.quote)]:
        place = source.squeezed_at(whole) if whole else None
        if place:
            return _Look(_Stands.UNTOLD, reason=_not_verbatim(place))
    for pieces in (one.pieces() for one in quote):
        if _in_order(source, pieces):
            return _Look(_Stands.UNTOLD, reason="its pieces stand there, but not on one line")
    bare = altered.without_note(finding.quote)
    if noted := next((found for one in bare if one and (found := source.by_key.get(one))), None):
        reason = f"it is {_lines([at + 1 for at in noted])} with a remark that is not in the file"
        return _Look(_Stands.UNTOLD, reason=reason)
    if source.lossy and source.squeezed_ascii(finding.quote):
        return _Look(_Stands.UNTOLD, reason="the file is not in UTF-8")
    count = len(source)
    short = f", which has {count} line{'' if count == 1 else 's'}" if finding.line > count else ""
    return _Look(_Stands.ABSENT, reason=f"it does not stand in this file{short}")


def _not_verbatim(place: tuple[int, int, int]) -> str:
    first, last, _ = place
    if first != last:
        return f"it is not verbatim: nearest to it are lines {first + 1} to {last + 1}"
    return f"it is not verbatim, or only a part: nearest to it is line {first + 1}"


def _in_order(source: Source, lines: list[tuple[str, list[str]]]) -> bool:
    """Whether all lines stand in the file, as wholes or in pieces, one after the other."""
    at = 0
    for whole, pieces in lines:
        for piece in [whole] if source.squeezed_at(whole, at) else pieces:
            place = source.squeezed_at(piece, at)
            if place is None:
                return False
            at = place[2]
    return bool(lines)


def _elsewhere(asked: list[_Asked], looks: list[tuple[Verdict, _Look]], files: _Files) -> None:
    """For what is contradicted: the one other file that it stands in."""
    pending = {
        at: fragments
        for at, (verdict, _) in enumerate(looks)
        if verdict is Verdict.CONTRADICTED and (fragments := asked[at].fragments())
    }
    every = sorted({fragment for fragments in pending.values() for fragment in fragments})
    names = files.snapshot.holding(every) if every else ()
    if names is None or len(names) > _MOST_ELSEWHERE:
        return
    files.want(sorted(names))
    for at, fragments in pending.items():
        look = looks[at][1]
        found = [
            other
            for name in sorted(names)
            if files.holds(name, fragments)
            if (other := asked[at].look(files, name)).stands >= _Stands.SEVERAL
        ]
        looks[at] = Verdict.CONTRADICTED, _told(look, found)


def _told(look: _Look, found: list[_Look]) -> _Look:
    if not found:
        return _Look(look.stands, reason=look.reason, actual=look.actual)
    if len(found) > 1:
        reason = f"{look.reason}; it stands in others: {_listed([one.name for one in found])}"
        return _Look(look.stands, reason=reason, actual=look.actual)
    one = found[0]
    where = f" at line {one.line}" if one.line else ", more than once"
    reason = f"{look.reason}; it stands in {one.name}{where}"
    return _Look(look.stands, one.line, reason, one.name, look.actual)


def _lines(numbers: Sequence[int]) -> str:
    word = "line" if len(numbers) == 1 else "lines"
    return f"{word} {_listed([str(number) for number in sorted(numbers)])}"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _LINES_SHOWN
    return ", ".join(items[:_LINES_SHOWN]) + (f" and {more} more" if more > 0 else "")

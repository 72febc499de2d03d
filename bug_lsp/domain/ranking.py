"""Weighs the evidence for each place: by what it rests on, not by how many agents say it.

Two findings that rest on one measurement are one voice. Places in which no bug of the code can be
(documents, tests, lock files, comments) come last and are never the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import TypeAlias

from .agreement import NEAR, Vote
from .hunks import Hunk
from .line_roles import NOT_A_CAUSE, Role, role_of
from .report import Basis

_WEIGHTS: Mapping[Basis, float] = {
    Basis.PATCH: 0.7,
    Basis.COMMIT: 0.6,
    Basis.CONDITION: 0.55,
    Basis.COVERAGE: 0.55,
    Basis.TRACE: 0.35,
    Basis.WORDS: 0.25,
    Basis.STATEMENT: 0.6,
}
"""How much a finding of full confidence says."""
_PROVEN = 0.97
_LEAST_CONFIDENCE = 0.2
_REPORTS = 0.4
"""What is left of the weight of a line that only reports a failure."""
_LIKELY = 0.5
"""The weight from which two voices make a place a likely one."""
_TWO = 2
WORDS = "words"
"""The voice of the task's words, too weak to make a place a likely one."""


class Certainty(StrEnum):
    """How sure it is that the bug is at a place."""

    PROVEN = "proven"
    """With a patch there the failing tests pass, and no other fails."""
    LIKELY = "likely"
    """Two voices that rest on different things name it, and not by the task's words."""
    PLACE_TO_BEGIN = "a place to begin"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class RankedPlace:
    """A place, and what says that the bug is there."""

    path: str
    line: int
    function: str
    """The function around it; "" where it is not known."""
    votes: tuple[Vote, ...]
    """The weightiest first."""
    weight: float
    """0 to 1; to compare places of one run."""
    voices: frozenset[str]
    """What the findings rest on: measurements, and sessions that give their word alone."""
    is_proven: bool
    role: Role

    @property
    def best(self) -> Vote:
        """The weightiest finding at its line."""
        return next((vote for vote in self.votes if vote.line == self.line), self.votes[0])

    @property
    def certainty(self) -> Certainty:
        """What can be said of it."""
        if self.role in NOT_A_CAUSE:
            return Certainty.NOT_FOUND
        if self.is_proven:
            return Certainty.PROVEN
        if len(self.voices - {WORDS}) >= _TWO and self.weight >= _LIKELY:
            return Certainty.LIKELY
        return Certainty.PLACE_TO_BEGIN

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions that name it."""
        return tuple(dict.fromkeys(vote.session_id for vote in self.votes))


Proven: TypeAlias = Mapping[str, Collection[Hunk]]
"""What each patch that holds changes, by its session."""


def rank(cast: Sequence[Vote], proven: Proven) -> list[RankedPlace]:
    """Return the places, the best first."""
    ranked = [_ranked(group, proven) for group in _grouped(cast)]
    return sorted(
        ranked,
        key=lambda place: (
            place.role in NOT_A_CAUSE,
            not place.is_proven,
            -round(place.weight, 6),
            place.path,
            place.line,
        ),
    )


def certainty_of(places: Sequence[RankedPlace]) -> Certainty:
    """Return what can be said of the first place."""
    return places[0].certainty if places else Certainty.NOT_FOUND


def _grouped(cast: Iterable[Vote]) -> list[list[Vote]]:
    """The votes by function; outside of functions and where it is not known, by nearness."""
    functions: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    others: dict[str, list[Vote]] = defaultdict(list)
    for vote in cast:
        function = vote.evidence.function if vote.evidence else ""
        if function:
            functions[vote.path, function].append(vote)
        else:
            others[vote.path].append(vote)
    return [*functions.values(), *(group for near in others.values() for group in _near(near))]


def _near(votes: list[Vote]) -> list[list[Vote]]:
    groups: list[list[Vote]] = []
    for vote in sorted(votes, key=lambda vote: vote.line):
        if not groups or vote.line - groups[-1][-1].line > NEAR:
            groups.append([])
        groups[-1].append(vote)
    return groups


def _ranked(group: list[Vote], proven: Proven) -> RankedPlace:
    # The words are about a function as a whole: which line of it is for the others to say.
    telling = [vote for vote in group if vote.finding.basis is not Basis.WORDS] or group
    by_line: dict[int, list[Vote]] = defaultdict(list)
    for vote in telling:
        by_line[vote.line].append(vote)
    line = min(by_line, key=lambda number: (-_weight(by_line[number], proven), number))
    votes = sorted(
        group,
        key=lambda vote: (
            vote.finding.basis is Basis.WORDS,
            -_weight_of(vote, proven),
            vote.line != line,
            vote.line,
        ),
    )
    text = _text(by_line[line][0])
    return RankedPlace(
        path=group[0].path,
        line=line,
        function=next((vote.evidence.function for vote in votes if vote.evidence), ""),
        votes=tuple(votes),
        weight=_weight(group, proven),
        voices=frozenset(voice for vote in group for voice in voices_of(vote)),
        is_proven=any(_is_proven(vote, proven) for vote in group),
        role=role_of(group[0].path, text),
    )


def voices_of(vote: Vote) -> Sequence[str]:
    """Return what a finding rests on: its measurements, else the session's own word."""
    measured = vote.finding.measurement
    return measured.split(",") if measured else [vote.session_id]


def _weight(votes: Iterable[Vote], proven: Proven) -> float:
    """Return the weight of findings together: each voice counts once, by its best one."""
    best: dict[str, float] = defaultdict(float)
    for vote in votes:
        for voice in voices_of(vote):
            best[voice] = max(best[voice], _weight_of(vote, proven))
    return 1 - prod(1 - weight for weight in best.values())


def _weight_of(vote: Vote, proven: Proven) -> float:
    finding = vote.finding
    if _is_proven(vote, proven):
        return _PROVEN + (1 - _PROVEN) * finding.confidence / 2
    weight = _WEIGHTS[finding.basis] * max(finding.confidence, _LEAST_CONFIDENCE)
    role = role_of(vote.path, _text(vote))
    if role in NOT_A_CAUSE:
        return weight / 100
    return weight * _REPORTS if role is Role.REPORT else weight


def _is_proven(vote: Vote, proven: Proven) -> bool:
    return vote.finding.basis in {Basis.PATCH, Basis.STATEMENT} and any(
        hunk.path == vote.path and hunk.first <= vote.line <= hunk.last
        for hunk in proven.get(vote.session_id, ())
    )


def _text(vote: Vote) -> str:
    return (vote.evidence.actual if vote.evidence else "") or vote.finding.quote

"""Who agrees with whom: the sessions' findings grouped by the place that they name, as votes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .evidence import ids
from .proof import Evidence, Verdict
from .report import Finding
from .run import Facts

NEAR = 3
"""Findings of the same file within this many lines are about the same place."""
_NO_VOTE = Verdict.CONTRADICTED
_BEST_FIRST = (Verdict.VERIFIED, Verdict.MOVED, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Vote:
    """One finding, and the place that it is about in truth."""

    session_id: str
    finding: Finding
    path: str
    line: int
    evidence: Evidence | None = None
    """None where it was not checked."""

    @classmethod
    def of(cls, session_id: str, finding: Finding, evidence: Evidence | None = None) -> Vote:
        """The vote of a finding: for where its quote stands, else for what it names."""
        if evidence and evidence.found_path and evidence.found_line:
            return cls(session_id, finding, evidence.found_path, evidence.found_line, evidence)
        path = finding.path.removeprefix("./")
        return cls(session_id, finding, path, finding.line, evidence)

    def as_finding(self) -> Finding:
        """The finding at its true place, as it came where that is what it named."""
        if self.evidence is None or not self.evidence.found_path:
            return self.finding
        return self.finding.model_copy(update={"path": self.path, "line": self.line})


@dataclass(frozen=True, slots=True)
class Cluster:
    """A place, and what the sessions say of it. Sessions are in the order of the roster."""

    path: str
    line: int
    """The line that most of them name."""
    sessions: tuple[str, ...]
    """Who names it."""
    against: tuple[str, ...]
    """Who names other places and not this one."""
    evidence: tuple[str, ...]
    """The ids of their findings here."""
    verdict: Verdict
    """Of the best of it."""
    confidence: float
    """The sum of what each session says of its surest finding here."""


def votes(debug: Sequence[Facts], evidence: Sequence[Evidence] = ()) -> list[Vote]:
    """All findings as votes, but those that the code contradicts. The evidence is that of the same
    sessions in the same order.
    """
    by_id = {one.id: one for one in evidence}
    checked: dict[str, list[Evidence | None]] = defaultdict(list)
    for name, session_id, _ in ids(debug):
        checked[session_id].append(by_id.get(name))
    found = [
        Vote.of(facts.spec.session_id, finding, proof)
        for facts in debug
        if facts.result and facts.result.report
        for finding, proof in zip_longest(
            facts.result.report.findings, checked[facts.spec.session_id]
        )
    ]
    return [one for one in found if not one.evidence or one.evidence.verdict is not _NO_VOTE]


def places(cast: Sequence[Vote]) -> list[list[Vote]]:
    """The votes grouped by place: each group's first is its surest at the line that most of its
    sessions name; groups with most sessions first, then the surest.
    """
    by_path: dict[str, list[Vote]] = defaultdict(list)
    for vote in cast:
        by_path[vote.path].append(vote)
    groups: list[list[Vote]] = []
    for near in by_path.values():
        group: list[Vote] = []
        for vote in sorted(near, key=lambda vote: vote.line):
            if group and vote.line - group[-1].line > NEAR:
                groups.append(group)
                group = []
            group.append(vote)
        groups.append(group)
    return sorted((_by_line(group) for group in groups), key=_weight)


def clusters(debug: Sequence[Facts], evidence: Sequence[Evidence]) -> tuple[Cluster, ...]:
    """The places that the sessions name, by how many name them, then by their confidence. What the
    code contradicts supports nothing, and whoever handed in nothing else is against nothing.
    """
    cast = votes(debug, evidence)
    order = [facts.spec.session_id for facts in debug]
    voters = {vote.session_id for vote in cast}
    return tuple(_cluster(group, order, voters) for group in places(cast))


def _cluster(group: list[Vote], order: Sequence[str], voters: set[str]) -> Cluster:
    named_by = {vote.session_id for vote in group}
    evidence = [vote.evidence for vote in group if vote.evidence]
    verdicts = {one.verdict for one in evidence}
    return Cluster(
        path=group[0].path,
        line=group[0].line,
        sessions=tuple(one for one in order if one in named_by),
        against=tuple(one for one in order if one in voters - named_by),
        evidence=tuple(one.id for one in sorted(evidence, key=lambda one: int(one.id[1:]))),
        verdict=next((one for one in _BEST_FIRST if one in verdicts), Verdict.UNKNOWN),
        confidence=sum(_surest(group).values()),
    )


def _by_line(group: list[Vote]) -> list[Vote]:
    """The group with its most named line first: of a commit's ten lines the one that another
    session names too is the one to look at.
    """
    named: dict[int, set[str]] = defaultdict(set)
    for vote in group:
        named[vote.line].add(vote.session_id)
    return sorted(
        group, key=lambda vote: (-len(named[vote.line]), -vote.finding.confidence, vote.line)
    )


def _surest(group: list[Vote]) -> dict[str, float]:
    surest: dict[str, float] = defaultdict(float)
    for vote in group:
        surest[vote.session_id] = max(surest[vote.session_id], vote.finding.confidence)
    return surest


def _weight(group: list[Vote]) -> tuple[int, float, str, int]:
    surest = _surest(group)
    return -len(surest), -sum(surest.values()), group[0].path, group[0].line

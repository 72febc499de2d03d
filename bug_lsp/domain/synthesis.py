"""Conclusions without a model: the rule-based `digest` that stands in where no orchestrator could
speak, a single session's findings, and what is left of an answer whose closing block is not valid.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from . import evidence
from .related import sections
from .rendering import CAUSE, CONFLICTS, SOLUTION, STEPS
from .proof import Proof, Verdict
from .report import Finding, SessionNote, Synthesis, without_last_json_block
from .run import Facts, Spec, Status
from .transcript import code, one_line

NEAR = 3
"""Findings of the same file within this many lines are about the same place."""
_MOST_PLACES = 5


def digest(debug: Sequence[Facts], proof: Proof | None = None) -> Synthesis:
    """Merges the sessions' findings by place and counts votes. No model, no opinion: the place
    that most sessions name comes first, what is not agreed is listed as a conflict, what the code
    contradicts is left out, and a patch that was proven is the one to take.
    """
    refuted = _refuted(proof)
    places = _places(debug, refuted)
    proven = [
        facts.spec for facts in debug if proof is not None and proof.proven(facts.spec.session_id)
    ]
    reports = [
        (facts, facts.result.report)
        for facts in debug
        if facts.result and facts.result.status is Status.COMPLETED and facts.result.report
    ]
    causes = [
        f"- {facts.spec.title.split(':')[0]} ({facts.spec.agent_type}): {report.root_cause}"
        for facts, report in reports
        if report.root_cause
    ]
    fixes = [
        f"- {facts.spec.title.split(':')[0]} ({facts.spec.agent_type}): {report.fix}"
        for facts, report in reports
        if report.fix
    ]
    names = {(session_id, finding): name for name, session_id, finding in evidence.ids(debug)}
    lines = [_vote(place, names) for place in places[:_MOST_PLACES]]
    cause = "\n".join(["The places that the sessions name, most votes first:", "", *lines])
    if not lines:
        cause = "No session handed in a finding; its text is in the sessions' documents."
    if causes:
        cause += "\n\nIn the sessions' words:\n\n" + "\n".join(causes)
    return Synthesis(
        root_cause=cause,
        recommended_solution=_recommended(proven, fixes),
        recommended_session=proven[0].session_id if proven else None,
        implementation_steps=_steps(places),
        session_notes=tuple(
            SessionNote(session_id=facts.spec.session_id, note=_note(facts)) for facts in debug
        ),
        conflicts=_conflicts(places),
        findings=tuple(place[0][1] for place in places[:_MOST_PLACES]),
    )


def _refuted(proof: Proof | None) -> frozenset[str]:
    found = proof.evidence if proof is not None else ()
    return frozenset(one.id for one in found if one.verdict is Verdict.CONTRADICTED)


def _recommended(proven: Sequence[Spec], fixes: Sequence[str]) -> str:
    if not proven:
        return "\n".join(fixes) or "No session proposed a fix."
    best = proven[0]
    named = f"{best.title.partition(':')[0]} ({best.agent_type})"
    return "\n\n".join(
        [f"Take the patch of {named}: it was tried, and it holds.", "\n".join(fixes)]
    ).strip()


_Vote = tuple[str, Finding]


def _places(debug: Sequence[Facts], refuted: frozenset[str]) -> list[list[_Vote]]:
    """Findings grouped by place; each group's first is its surest, groups by votes."""
    by_path: dict[str, list[_Vote]] = defaultdict(list)
    for name, session_id, finding in evidence.ids(debug):
        if name not in refuted:
            by_path[finding.path.removeprefix("./")].append((session_id, finding))
    groups: list[list[_Vote]] = []
    for votes in by_path.values():
        group: list[_Vote] = []
        for vote in sorted(votes, key=lambda vote: vote[1].line):
            if group and vote[1].line - group[-1][1].line > NEAR:
                groups.append(group)
                group = []
            group.append(vote)
        groups.append(group)
    return sorted((_by_line(group) for group in groups), key=_weight)


def _by_line(group: list[_Vote]) -> list[_Vote]:
    """The group with its most named line first: of a commit's ten lines the one that another
    session names too is the one to look at.
    """
    named: dict[int, set[str]] = defaultdict(set)
    for session, finding in group:
        named[finding.line].add(session)
    return sorted(
        group, key=lambda vote: (-len(named[vote[1].line]), -vote[1].confidence, vote[1].line)
    )


def _weight(group: list[_Vote]) -> tuple[int, float, str, int]:
    surest: dict[str, float] = defaultdict(float)
    for session, finding in group:
        surest[session] = max(surest[session], finding.confidence)
    return -len(surest), -sum(surest.values()), group[0][1].path, group[0][1].line


def _vote(place: list[_Vote], names: Mapping[_Vote, str] | None = None) -> str:
    best = place[0][1]
    claims: dict[str, str] = {}
    for session, finding in place:
        claims.setdefault(session, one_line(finding.claim, 300))
    said = "; ".join(dict.fromkeys(claims.values()))
    quote = f" {code(best.quote.strip())}" if best.quote.strip() else ""
    count = len(claims)
    ids = list(dict.fromkeys(name for vote in place if (name := (names or {}).get(vote))))
    cited = f" [{', '.join(ids)}]" if ids else ""
    return (
        f"- `{best.path}:{best.line}`{quote} ({count} session{'' if count == 1 else 's'}): "
        f"{said}{cited}"
    )


def _steps(places: list[list[_Vote]]) -> tuple[str, ...]:
    if not places:
        return ("Read the sessions' documents and decide by hand.",)
    best = places[0][0][1]
    return (
        f"Look at `{best.path}:{best.line}` first.",
        "Make the fix and run the failing test again, then the whole suite.",
    )


def _conflicts(places: list[list[_Vote]]) -> tuple[str, ...]:
    if len(places) < 2:  # noqa: PLR2004 - a conflict needs two
        return ()
    first, second = ({session for session, _ in place} for place in places[:2])
    if first & second or len(first) > len(second):
        return ()
    one, two = places[0][0][1], places[1][0][1]
    return (f"Sessions disagree on the place: `{one.path}:{one.line}` or `{two.path}:{two.line}`.",)


def _note(facts: Facts) -> str:
    report = facts.result.report if facts.result else None
    if report is None:
        return ""
    return one_line(report.root_cause or f"{len(report.findings)} findings", 300)


def from_answer(answer: str) -> Synthesis | None:
    """A synthesis from an answer whose closing block is not valid: its own `##` sections, or all of
    it as the root cause. None only where there is no text.
    """
    text = without_last_json_block(answer)
    if not text:
        return None
    found = sections(text + "\n")
    steps = (line.lstrip(" -*[]x0123456789.") for line in found.get(STEPS, "").splitlines())
    return Synthesis(
        root_cause=found.get(CAUSE) or text,
        recommended_solution=found.get(SOLUTION) or "See above.",
        implementation_steps=tuple(step for step in steps if step),
        conflicts=tuple(filter(None, [found.get(CONFLICTS, "").strip()])),
    )


def from_single(facts: Facts) -> Synthesis:
    """What a run of one agent found, in the shape of a synthesis."""
    result = facts.result
    report = result.report if result else None
    message = result.message if result else ""
    if report is None:
        return Synthesis(
            root_cause=message or "The session ended without an answer.",
            recommended_solution="See above.",
            implementation_steps=(),
        )
    names = {(session, finding): name for name, session, finding in evidence.ids([facts])}
    found = [_vote([(facts.spec.session_id, finding)], names) for finding in report.findings]
    cause = report.root_cause or ("" if found else message) or "The session names no cause."
    return Synthesis(
        root_cause="\n".join([cause, "", *found]).strip(),
        recommended_solution=report.fix or "The session proposed no fix.",
        implementation_steps=tuple(filter(None, [report.fix, report.verification]))
        or _steps([[(facts.spec.session_id, finding)] for finding in report.findings]),
        findings=report.findings,
    )

"""Conclusions without a model: the rule-based `digest` that stands in where no orchestrator could
speak, a single session's findings, and what is left of an answer whose closing block is not valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from . import agreement
from .agreement import Vote
from .proof import Evidence, Proof
from .related import sections
from .rendering import CAUSE, CONFLICTS, SOLUTION, STEPS
from .report import SessionNote, Synthesis, without_last_json_block
from .run import Facts, Spec, Status
from .transcript import code, one_line
from .untried import untried

_MOST_PLACES = 5


def digest(debug: Sequence[Facts], proof: Proof | None = None) -> Synthesis:
    """Merges the sessions' findings by place and counts votes. No model, no opinion: the place
    that most sessions name comes first, and what is not agreed is listed as a conflict. Of what
    was checked, a finding that the code contradicts has no vote, and a patch that holds is the one
    to take.
    """
    if (nothing := untried(debug, proof)) is not None:
        return nothing
    proof = proof or Proof()
    places = agreement.places(agreement.votes(debug, proof.evidence))
    proven = [facts.spec for facts in debug if proof.proven(facts.spec.session_id)]
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
    lines = [_vote(place) for place in places[:_MOST_PLACES]]
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
        findings=tuple(place[0].as_finding() for place in places[:_MOST_PLACES]),
    )


def _recommended(proven: Sequence[Spec], fixes: Sequence[str]) -> str:
    if not proven:
        return "\n".join(fixes) or "No session proposed a fix."
    best = proven[0]
    named = f"{best.title.partition(':')[0]} ({best.agent_type})"
    taken = f"Take the patch of {named}: it was tried, and it holds."
    return "\n\n".join([taken, "\n".join(fixes)]).strip()


def _vote(place: list[Vote]) -> str:
    best = place[0]
    claims: dict[str, str] = {}
    for vote in place:
        claims.setdefault(vote.session_id, one_line(vote.finding.claim, 300))
    said = "; ".join(dict.fromkeys(claims.values()))
    quote = f" {code(best.finding.quote.strip())}" if best.finding.quote.strip() else ""
    count = len(claims)
    ids = [vote.evidence.id for vote in place if vote.evidence is not None]
    cited = f" [{', '.join(ids)}]" if ids else ""
    return (
        f"- `{best.path}:{best.line}`{quote} ({count} session{'' if count == 1 else 's'}): "
        f"{said}{cited}"
    )


def _steps(places: list[list[Vote]]) -> tuple[str, ...]:
    if not places:
        return ("Read the sessions' documents and decide by hand.",)
    best = places[0][0]
    return (
        f"Look at `{best.path}:{best.line}` first.",
        "Make the fix and run the failing test again, then the whole suite.",
    )


def _conflicts(places: list[list[Vote]]) -> tuple[str, ...]:
    if len(places) < 2:  # noqa: PLR2004 - a conflict needs two
        return ()
    first, second = ({vote.session_id for vote in place} for place in places[:2])
    if first & second or len(first) > len(second):
        return ()
    one, two = places[0][0], places[1][0]
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


def from_single(facts: Facts, evidence: Sequence[Evidence] = ()) -> Synthesis:
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
    votes = [
        Vote.of(facts.spec.session_id, finding, checked)
        for finding, checked in zip_longest(
            report.findings, evidence[: len(report.findings)], fillvalue=None
        )
        if finding is not None
    ]
    found = [_vote([vote]) for vote in votes]
    cause = report.root_cause or ("" if found else message) or "The session names no cause."
    return Synthesis(
        root_cause="\n".join([cause, "", *found]).strip(),
        recommended_solution=report.fix or "The session proposed no fix.",
        implementation_steps=tuple(filter(None, [report.fix, report.verification]))
        or _steps([[vote] for vote in votes]),
        findings=report.findings,
    )

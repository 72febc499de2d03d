"""The synthesis as the task file shows it, and the rule-based `digest` that stands in where no
orchestrator could speak.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import agreement
from .agreement import Vote
from .events import TokenUsage
from .proof import Evidence
from .region import FENCE, defuse
from .related import sections
from .report import SessionNote, Synthesis, without_last_json_block
from .run import Facts, RunStatus, Session, Status
from .transcript import clean, code, one_line, outcome

_MOST_PLACES = 5
_HEADING_MARK = re.compile(r"^( {0,3})(#)")
_UNDERLINE = re.compile(r"^( {0,3})((?:=+|-+)[ \t]*$)")


def digest(debug: Sequence[Facts], evidence: Sequence[Evidence] = ()) -> Synthesis:
    """Merges the sessions' findings by place and counts votes. No model, no opinion: the place
    that most sessions name comes first, and what is not agreed is listed as a conflict. Where the
    findings were checked, what the code contradicts has no vote.
    """
    places = agreement.places(agreement.votes(debug, evidence))
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
        recommended_solution="\n".join(fixes) or "No session proposed a fix.",
        implementation_steps=_steps(places),
        session_notes=tuple(
            SessionNote(session_id=facts.spec.session_id, note=_note(facts)) for facts in debug
        ),
        conflicts=_conflicts(places),
        findings=tuple(place[0].as_finding() for place in places[:_MOST_PLACES]),
    )


def _vote(place: list[Vote]) -> str:
    best = place[0]
    claims: dict[str, str] = {}
    for vote in place:
        claims.setdefault(vote.session_id, one_line(vote.finding.claim, 300))
    said = "; ".join(dict.fromkeys(claims.values()))
    quote = f" {code(best.finding.quote.strip())}" if best.finding.quote.strip() else ""
    count = len(claims)
    return (
        f"- `{best.path}:{best.line}`{quote} ({count} session{'' if count == 1 else 's'}): {said}"
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
    steps = (line.lstrip(" -*[]x0123456789.") for line in found.get(_STEPS, "").splitlines())
    return Synthesis(
        root_cause=found.get(_CAUSE) or text,
        recommended_solution=found.get(_SOLUTION) or "See above.",
        implementation_steps=tuple(step for step in steps if step),
        conflicts=tuple(filter(None, [found.get(_CONFLICTS, "").strip()])),
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
    votes = [Vote.of(facts.spec.session_id, finding) for finding in report.findings]
    found = [_vote([vote]) for vote in votes]
    cause = report.root_cause or ("" if found else message) or "The session names no cause."
    return Synthesis(
        root_cause="\n".join([cause, "", *found]).strip(),
        recommended_solution=report.fix or "The session proposed no fix.",
        implementation_steps=tuple(filter(None, [report.fix, report.verification]))
        or _steps([[vote] for vote in votes]),
        findings=report.findings,
    )


_CAUSE, _SOLUTION = "Root cause", "Recommended solution"
_STEPS, _NOTES, _CONFLICTS = "Implementation steps", "Session notes", "Conflicts to resolve"


def render_region(status: RunStatus, synthesis: Synthesis, by: str) -> str:
    """The body of the task file's region. `by` says who concluded, and why if as a stand-in."""
    notes = {note.session_id: note.note for note in synthesis.session_notes}
    steps = [f"- [ ] {item}" for item in map(_item, synthesis.implementation_steps) if item]
    conflicts = [f"- {item}" for item in map(_item, synthesis.conflicts) if item]
    parts = [
        f"## {_heading(status)}\n\n{_item(by)}",
        f"## {_CAUSE}\n\n{_body(synthesis.root_cause)}",
        f"## {_SOLUTION}\n\n{_body(synthesis.recommended_solution)}",
        f"## {_STEPS}\n\n" + ("\n".join(steps) or "None given."),
        f"## {_NOTES}\n\n"
        + "\n".join(_session_note(session, notes) for session in status.sessions),
        f"## {_CONFLICTS}\n\n" + ("\n".join(conflicts) or "None."),
    ]
    return "\n\n".join(parts) + "\n"


def _heading(status: RunStatus) -> str:
    word = "Synthesis" if status.orchestrator else "Findings"
    if status.completed_count == status.total_count:
        return word
    missing = [
        f"{count} {name}"
        for count, name in (
            (status.failed_count, "failed"),
            (status.cancelled_count, "cancelled"),
        )
        if count
    ]
    return (
        f"{word} (degraded: {status.completed_count} of {status.total_count} sessions completed, "
        f"{', '.join(missing)})"
    )


def _session_note(session: Session, notes: dict[str, str]) -> str:
    agent = session.agent_type + (f" ({session.model})" if session.model else "")
    note = notes.get(session.session_id, "")
    said = f". {_item(note)}" if note else ""
    label = session.title.split(":")[0]
    ended = one_line(defuse(outcome(session)), 300) + _used(session.usage)
    if session.retried_by:
        return f"- **{label}**, {_item(agent)}: {ended}; retried"
    return f"- **{label}**, {_item(agent)}: {ended}{said}"


def _used(usage: TokenUsage | None) -> str:
    if usage is None:
        return ""
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.2f}"
    return f" ({usage.input_tokens + usage.output_tokens:,} tokens, {cost})"


def _item(text: str) -> str:
    return _HEADING_MARK.sub(r"\1\\\2", one_line(defuse(text), 2_000))


def _body(text: str) -> str:
    """Untrusted Markdown that cannot pass for one of our headings. Code in fences stays as it is; a
    fence that is left open is closed, else it would swallow what comes after it.
    """
    lines: list[str] = []
    fence = ""
    for line in defuse(clean(text)).strip().splitlines():
        match = FENCE.match(line)
        if fence:
            closes = match and match["fence"].startswith(fence) and not match["info"].strip()
            fence = "" if closes else fence
        elif match:
            fence = match["fence"]
        under_text = bool(lines and lines[-1].strip())
        mark = _UNDERLINE if under_text and _UNDERLINE.match(line) else _HEADING_MARK
        lines.append(line if fence else mark.sub(r"\1\\\2", line))
    return "\n".join([*lines, *filter(None, [fence])])

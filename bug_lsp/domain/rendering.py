"""The body of the task file's region: what was concluded, and what of it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import citations
from .checked import Labels, for_people, patch_facts, verdict
from .errors import FailureKind
from .events import TokenUsage
from .inert import inert, inert_prose
from .proof import Proof, Verdict
from .ranking import Certainty, RankedPlace, certainty_of
from .region import FENCE, defuse
from .report import Basis, Synthesis
from .run import RunStatus, Session
from .transcript import clean, one_line, outcome
from .untried import why_untried

CAUSE, SOLUTION = "Root cause", "Recommended solution"
PLACE_TO_BEGIN, NOTHING = "A place to begin", "Nothing was found"
"""What stands instead of the cause where only measurements speak, and say little, or nothing."""
CAUSES = (CAUSE, PLACE_TO_BEGIN, NOTHING)
STEPS, CHECKED, NOTES = "Implementation steps", "Checked by program", "Session notes"
CONFLICTS = "Conflicts to resolve"
_HEADING_MARK = re.compile(r"^( {0,3})(#)")
_UNDERLINE = re.compile(r"^( {0,3})((?:=+|-+)[ \t]*$)")
_DEBUG = re.compile(r"\bDebug \((\d+)\)")


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a conclusion besides itself."""

    proof: Proof = field(default_factory=Proof)
    """Of what the debug sessions handed in."""
    labels: Labels = field(default_factory=dict)
    evidence_ids: frozenset[str] = frozenset()
    """All that there are."""
    cites: bool = False
    """Whether whoever concluded was asked to cite them."""
    places: Sequence[RankedPlace] = ()
    """Those that the debug sessions name, the one with the best evidence first."""
    is_nothing_found: bool = False
    """Whether no session found anything, and nobody else has said anything since."""
    wrong_places: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Places that the conclusion cites and that there are not, with the reason."""


def render_region(
    status: RunStatus, synthesis: Synthesis, by: str, checked: Checked | None = None
) -> str:
    """The body of the region. `by` says who concluded, and why if as a stand-in."""
    checked = checked or Checked()
    notes = {note.session_id: note.note for note in synthesis.session_notes}
    steps = [f"- [ ] {item}" for item in map(_item, synthesis.implementation_steps) if item]
    conflicts = [f"- {item}" for item in map(_item, synthesis.conflicts) if item]
    tried = checked.proof != Proof()
    proven = inert(for_people(checked.proof, checked.labels)) if tried else ""
    parts = [
        f"## {_heading(status, synthesis, checked)}\n\n{_item(by)}",
        f"## {_cause_heading(synthesis, checked)}\n\n" + _cause(synthesis, checked),
        f"## {SOLUTION}\n\n" + _solution(synthesis, checked),
        f"## {STEPS}\n\n" + ("\n".join(steps) or "None given."),
        *([f"## {CHECKED}\n\n{proven}"] if proven else []),
        f"## {NOTES}\n\n"
        + "\n".join(
            [
                *(_session_note(session, notes, checked) for session in status.sessions),
                *_absent(status),
            ]
        ),
        f"## {CONFLICTS}\n\n" + ("\n".join(conflicts) or "None."),
    ]
    return "\n\n".join(parts) + "\n"


def _cause_heading(synthesis: Synthesis, checked: Checked) -> str:
    """Weak measurements do not stand under a heading that calls them the cause."""
    if checked.is_nothing_found:
        return NOTHING
    certainty = certainty_of(checked.places)
    is_stated = checked.cites or any(
        vote.finding.basis is Basis.STATEMENT for place in checked.places for vote in place.votes
    )
    if is_stated or certainty in {Certainty.PROVEN, Certainty.LIKELY}:
        return CAUSE
    if certainty is Certainty.PLACE_TO_BEGIN and synthesis.findings:
        return PLACE_TO_BEGIN
    return NOTHING if checked.proof != Proof() and not synthesis.findings else CAUSE


def _cause(synthesis: Synthesis, checked: Checked) -> str:
    all_of_it = checked.cites and bool(checked.evidence_ids)
    return _body(_marked(synthesis.root_cause, checked, sentences_too=all_of_it))


def _solution(synthesis: Synthesis, checked: Checked) -> str:
    body = _body(_marked(synthesis.recommended_solution, checked, sentences_too=False))
    said = [
        f"- {_item(checked.labels.get(name, name))}: {inert(facts)}"
        for name in _spoken_of(synthesis, checked)
        if (facts := patch_facts(checked.proof, name))
    ]
    return "\n\n".join(
        [body, *(["What its patches did when they were tried:", "\n".join(said)] * bool(said))]
    )


def _marked(text: str, checked: Checked, *, sentences_too: bool) -> str:
    refuted = {
        one.id: verdict(one).replace("**", "")
        for one in checked.proof.evidence
        if one.verdict is Verdict.CONTRADICTED
    }
    return citations.mark(
        text,
        checked.evidence_ids,
        refuted,
        checked.wrong_places,
        sentences_too=sentences_too,
    )


def _spoken_of(synthesis: Synthesis, checked: Checked) -> list[str]:
    """The sessions whose patch is recommended, by id or by name; else the proven ones."""
    text = synthesis.recommended_solution
    numbers = {f"Debug ({number})" for number in _DEBUG.findall(text)}
    found = [
        name
        for name, label in checked.labels.items()
        if name == synthesis.recommended_session
        or name in text
        or any(label == number or label.startswith(f"{number} ") for number in numbers)
    ]
    return found or [name for name in checked.labels if checked.proof.proven(name)]


def _heading(status: RunStatus, synthesis: Synthesis, checked: Checked) -> str:
    word = "Synthesis" if status.orchestrator else "Findings"
    if lacking := _lacking(status, checked.proof):
        return f"{word} (nothing could be tried: {_item(lacking)})"
    sure = _certainty(synthesis, checked)
    said = ["nothing was found"] if checked.is_nothing_found else sure
    said = [*said, *_missing(status)]
    return f"{word} ({'; '.join(said)})" if said else word


def _lacking(status: RunStatus, proof: Proof) -> str:
    """What the copies lack, where nothing was tried for want of it; "" where something was."""
    failures = [session.failure for session in status.sessions if session.retried_by is None]
    return why_untried(proof, failures)


def _certainty(synthesis: Synthesis, checked: Checked) -> list[str]:
    """How sure the place is that the conclusion rests on."""
    if not checked.places:
        return []
    cited = citations.ids_in(synthesis.root_cause)
    found = (place for name in cited for place in checked.places if name in _ids(place))
    rests_on = next(found, None if cited else checked.places[0])
    if rests_on is None:
        return ["none of the evidence that it cites holds"]
    if rests_on.certainty is Certainty.NOT_FOUND:
        return [Certainty.NOT_FOUND]
    place = inert(one_line(defuse(f"{rests_on.path}:{rests_on.line}"), 120))
    if rests_on.certainty is Certainty.PROVEN:
        return [f"proven: with a patch at {place} the failing tests pass, and no other fails"]
    return [f"{rests_on.certainty}: {place}"]


def _ids(place: RankedPlace) -> set[str]:
    return {vote.evidence.id for vote in place.votes if vote.evidence is not None}


def _missing(status: RunStatus) -> list[str]:
    if status.completed_count == status.total_count:
        return []
    kinds = [
        session.failure.kind
        for session in status.sessions
        if session.retried_by is None and session.failure is not None
    ]
    late = kinds.count(FailureKind.TIMEOUT)
    unfit = kinds.count(FailureKind.NOT_APPLICABLE)
    missing = {
        "failed": status.failed_count - late - unfit,
        "timed out": late,
        "cancelled": status.cancelled_count,
    }
    lead = "degraded: " if any(missing.values()) else ""
    missing["not applicable"] = unfit
    counted = ", ".join(f"{count} {name}" for name, count in missing.items() if count)
    completed = f"{status.completed_count} of {status.total_count} sessions completed"
    return [f"{lead}{completed}, {counted}"]


def _session_note(session: Session, notes: Mapping[str, str], checked: Checked) -> str:
    agent = session.agent_type + (f" ({session.model})" if session.model else "")
    note = notes.get(session.session_id, "")
    said = f". {_item(note)}" if note else ""
    label = session.title.split(":")[0]
    ended = inert(one_line(defuse(outcome(session)), 300)) + _used(session.usage)
    if session.retried_by:
        return f"- **{label}**, {_item(agent)}: {ended}; retried"
    facts = patch_facts(checked.proof, session.session_id)
    tried = f". Its patch: {inert(facts)}" if facts else ""
    return f"- **{label}**, {_item(agent)}: {ended}{said.rstrip('.')}{tried}"


def _absent(status: RunStatus) -> Iterator[str]:
    """Who did not take part, and why: nothing that the conclusion lacks by an accident."""
    if status.left_out:
        left = "; ".join(f"{one.agent_type}, {one.reason}" for one in status.left_out)
        yield f"- Left out: {_item(left)}"
    if (one := status.stands_in_for) is not None:
        told = any(one == other for other in status.left_out)
        why = "" if told else f" ({_item(one.reason)})"
        yield f"- {_item(one.agent_type)} cannot orchestrate here{why}, so this is by rule."


def _used(usage: TokenUsage | None) -> str:
    if usage is None:
        return ""
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.2f}"
    return f" ({usage.input_tokens + usage.output_tokens:,} tokens, {cost})"


def _item(text: str) -> str:
    return _HEADING_MARK.sub(r"\1\\\2", inert(one_line(defuse(text), 2_000)))


def _body(text: str) -> str:
    """Untrusted Markdown that cannot pass for one of our headings and in which nothing is active.
    Code in fences stays as it is: each begins at the margin, where no list that ends can end it
    too. One that is left open is closed, else it would swallow what comes after it.
    """
    lines: list[str] = []
    prose: list[str] = []
    fence, indent = "", 0
    for line in defuse(clean(text)).strip().splitlines():
        match = FENCE.match(line)
        if fence:
            closes = match and match["fence"].startswith(fence) and not match["info"].strip()
            lines.append(line.lstrip(" ") if closes else _dedented(line, indent))
            fence = "" if closes else fence
        elif match:
            lines += _prose(prose)
            prose = []
            fence, indent = match["fence"], match.start("fence")
            lines.append(line.lstrip(" "))
        else:
            prose.append(line)
    return "\n".join([*lines, *_prose(prose), *filter(None, [fence])])


def _dedented(line: str, most: int) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return line[min(most, blanks) :]


def _prose(lines: list[str]) -> list[str]:
    """Lines that are no code, without active content and headings."""
    found: list[str] = []
    for line in inert_prose("\n".join(lines)).split("\n") if lines else []:
        under_text = bool(found and found[-1].strip())
        mark = _UNDERLINE if under_text and _UNDERLINE.match(line) else _HEADING_MARK
        found.append(mark.sub(r"\1\\\2", line))
    return found

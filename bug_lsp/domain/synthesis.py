"""Conclusions without a model: the rule-based `digest` that stands in where no orchestrator could
speak, a single session's findings, and what is left of an answer whose closing block is not valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from . import agreement
from .agreement import Vote
from .hunks import hunks
from .proof import Evidence, Proof, Verdict, WordMatch
from .ranking import WORDS, Certainty, RankedPlace, rank, voices_of
from .related import sections
from .rendering import CAUSE, CONFLICTS, SOLUTION, STEPS
from .report import Basis, Finding, SessionNote, Synthesis, without_last_json_block
from .run import Facts, Spec, Status
from .transcript import code_of_prose, one_line
from .untried import untried

_MOST_PLACES = 5
_MOST_CITED = 4
_TIED = 0.005
_TASK = "task"
"""Who names a place by the task's words: no session."""
_MOST_BY_WORDS = 3
_CONFLICTS = 0.8
"""The share of the first place's weight from which the second one contradicts it."""
_BASES: Mapping[Basis, str] = {
    Basis.PATCH: "an edit that was tried",
    Basis.COMMIT: "the history",
    Basis.CONDITION: "a branch that was switched",
    Basis.COVERAGE: "the coverage of the tests",
    Basis.TRACE: "the traceback",
    Basis.WORDS: "the words of the task",
}


def digest(debug: Sequence[Facts], proof: Proof | None = None) -> Synthesis:
    """Merge the sessions' findings by rule, without a model: evidence is weighed by what it rests
    on. A finding that the code contradicts counts nothing, and a patch that holds is the one to
    take.
    """
    if (nothing := untried(debug, proof)) is not None:
        return nothing
    proof = proof or Proof()
    ranked = ranked_places(debug, proof)
    named = [place for place in ranked if place.certainty is not Certainty.NOT_FOUND]
    proven = [facts.spec for facts in debug if proof.proven(facts.spec.session_id)]
    reports = [
        (facts.spec, facts.result.report)
        for facts in debug
        if facts.result and facts.result.status is Status.COMPLETED and facts.result.report
    ]
    causes = [f"- {_name(spec)}: {one.root_cause}" for spec, one in reports if one.root_cause]
    fixes = [f"- {_name(spec)}: {one.fix}" for spec, one in reports if one.fix]
    return Synthesis(
        root_cause=_root_cause(named, _names(debug), causes),
        recommended_solution=_recommended(proven, fixes),
        recommended_session=proven[0].session_id if proven else None,
        implementation_steps=_steps(named, proven),
        session_notes=tuple(
            SessionNote(session_id=facts.spec.session_id, note=_note(facts)) for facts in debug
        ),
        conflicts=_conflicts(named),
        findings=tuple(place.best.as_finding() for place in named[:_MOST_PLACES]),
    )


def ranked_places(debug: Sequence[Facts], proof: Proof) -> list[RankedPlace]:
    """Return the places that the sessions name, the one with the best evidence first."""
    changed = {
        facts.spec.session_id: tuple(hunks(facts.result.patch))
        for facts in debug
        if facts.result is not None and proof.proven(facts.spec.session_id)
    }
    cast = agreement.votes(debug, proof.evidence)
    ranked = rank([*cast, *map(_by_words, proof.words)], changed)
    named = [place for place in ranked if place.sessions != (_TASK,)]
    # The words alone are worth a look where nothing else is known.
    return named or ranked[:_MOST_BY_WORDS]


def _by_words(match: WordMatch) -> Vote:
    claim = f"has words of the task: {', '.join(match.words)}"
    finding = Finding(
        claim=claim,
        path=match.path,
        line=match.line,
        quote=match.quote,
        confidence=match.score,
        basis=Basis.WORDS,
        measurement=WORDS,
    )
    evidence = Evidence(
        id="",
        session_id=_TASK,
        path=match.path,
        line=match.line,
        verdict=Verdict.VERIFIED,
        actual=match.quote[:200],
        function=match.function,
    )
    return Vote(_TASK, finding, match.path, match.line, evidence)


def _name(spec: Spec) -> str:
    return f"{spec.title.partition(':')[0]} ({spec.agent_type})"


def _names(debug: Sequence[Facts]) -> dict[str, str]:
    return {facts.spec.session_id: facts.spec.agent_type for facts in debug}


def _root_cause(
    places: Sequence[RankedPlace], names: Mapping[str, str], causes: Sequence[str]
) -> str:
    lines = [_place(place, names) for place in places[:_MOST_PLACES]]
    parts = [_verdict(places, names)]
    if lines:
        parts += ["The places with the best evidence first:\n\n" + "\n".join(lines)]
    if causes:
        parts += ["In the sessions' words:\n\n" + "\n".join(causes)]
    return "\n\n".join(parts)


def _verdict(places: Sequence[RankedPlace], names: Mapping[str, str]) -> str:
    """What can be said of the first place, and what cannot."""
    if not places:
        return "Nothing was found that says where the bug is."
    best = places[0]
    where = _where(best)
    if best.certainty is Certainty.PROVEN:
        who = names.get(best.votes[0].session_id, "a session")
        return (
            f"With the patch of {who} at {where} the failing tests pass and no other test fails. "
            "Whether it is the right fix is for you to judge."
        )
    if best.certainty is Certainty.LIKELY:
        return f"It is likely {where}: {_basis(best, names)} speak for it."
    tied = [place for place in places if abs(place.weight - best.weight) < _TIED]
    others = f", and for {len(tied) - 1} other places as much" if len(tied) > 1 else ""
    verb = "speak" if len(best.voices) > 1 else "speaks"
    return (
        f"No cause was proven. A place to begin is {where}: only {_basis(best, names)} {verb} for"
        f" it{others}."
    )


def _where(place: RankedPlace) -> str:
    return f"`{place.path}:{place.line}`" + (f" in `{place.function}`" if place.function else "")


def _basis(place: RankedPlace, names: Mapping[str, str]) -> str:
    """What a place rests on, in words, each voice once."""
    said = {
        voice: _BASES[vote.finding.basis]
        if vote.finding.basis is not Basis.STATEMENT
        else f"the word of {names.get(vote.session_id, 'a session')}"
        for vote in reversed(place.votes)
        for voice in voices_of(vote)
    }
    *rest, last = dict.fromkeys(reversed(said.values()))
    return f"{', '.join(rest)} and {last}" if rest else last


def _recommended(proven: Sequence[Spec], fixes: Sequence[str]) -> str:
    if not proven:
        return "\n".join(fixes) or "No session proposed a fix."
    best = proven[0]
    named = f"{best.title.partition(':')[0]} ({best.agent_type})"
    taken = f"Take the patch of {named}: it was tried, and it holds."
    return "\n\n".join([taken, "\n".join(fixes)]).strip()


def _place(place: RankedPlace, names: Mapping[str, str]) -> str:
    """One place as an item of a list: the line, what says so, and in which words."""
    claims: dict[str, str] = {}
    for vote in place.votes:
        claims.setdefault(vote.session_id, one_line(vote.finding.claim, 300))
    said = "; ".join(dict.fromkeys(claims.values()))
    quote = place.best.finding.quote.strip()
    shown = f" {code_of_prose(quote)}" if quote else ""
    ids = [vote.evidence.id for vote in place.votes if vote.evidence and vote.evidence.id]
    cited = f" [{', '.join(ids[:_MOST_CITED])}]" if ids else ""
    return f"- {_where(place)}{shown} ({_basis(place, names)}): {said}{cited}"


def _steps(places: Sequence[RankedPlace], proven: Sequence[Spec] = ()) -> tuple[str, ...]:
    if proven:
        return (
            f"Look at the patch of {_name(proven[0])}, and apply it if it is what you want.",
            "Run the whole suite.",
        )
    if not places:
        return ("Read the sessions' documents and decide by hand.",)
    best = places[0]
    return (
        f"Look at `{best.path}:{best.line}` first.",
        "Make the fix and run the failing test again, then the whole suite.",
    )


def _conflicts(places: Sequence[RankedPlace]) -> tuple[str, ...]:
    """Two places for which different voices have about as much to say."""
    if len(places) < 2 or places[0].is_proven:  # noqa: PLR2004 - a conflict needs two
        return ()
    one, two = places[:2]
    if one.voices & two.voices or two.weight < one.weight * _CONFLICTS:
        return ()
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
    places = rank(votes, {})
    found = [_place(place, _names([facts])) for place in places]
    cause = report.root_cause or ("" if found else message) or "The session names no cause."
    return Synthesis(
        root_cause="\n".join([cause, "", *found]).strip(),
        recommended_solution=report.fix or "The session proposed no fix.",
        implementation_steps=tuple(filter(None, [report.fix, report.verification]))
        or _steps(places),
        findings=report.findings,
    )

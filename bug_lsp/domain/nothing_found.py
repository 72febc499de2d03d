"""Concludes a run in which no session found anything: "I don't know" is an outcome, too.

It says why each session has nothing, those with one reason together, and what would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import FailureKind
from .proof import Proof, WordMatch
from .report import SessionNote, Synthesis
from .run import Facts, Status
from .transcript import code_of_prose

_HAD_NOTHING_TO_GO_BY = {
    FailureKind.NOT_APPLICABLE,
    FailureKind.COPY_DIFFERS,
    FailureKind.TIMEOUT,
}

_TELL_MORE = (
    "Say more in this file: what was done, what happened, since when, and which code it is about."
)
_NAME_PLACES = frozenset(("spectrum", "repair", "bisect"))
"""Agents of ours that say where: without a place, what they say is why they have none."""
_MOST_ALIKE = 3
_WRITE_A_TEST = (
    "Write a test that fails while the bug is there, and name it in this file or in the test"
    " command."
)


def is_nothing_found(debug: Sequence[Facts]) -> bool:
    """Whether no session has named a place, a cause or a fix, or changed anything."""
    return all(facts.result is not None and not _says_something(facts) for facts in debug)


def is_not_known(debug: Sequence[Facts]) -> bool:
    """Whether nothing was found by sessions that worked, not because all of them broke down."""
    return is_nothing_found(debug) and any(map(_has_looked, debug))


def nothing_found(debug: Sequence[Facts], proof: Proof | None) -> Synthesis | None:
    """Return the conclusion of a run in which nothing was found; None if something was."""
    if not is_nothing_found(debug):
        return None
    reasons: dict[str, list[Facts]] = {}
    for facts in debug:
        reasons.setdefault(_reason(facts, "each"), []).append(facts)
    lines = [f"- {_names(group)}: {_shared(group)}." for group in reasons.values()]
    return Synthesis(
        root_cause="\n\n".join(
            [
                "No session found a place to begin:",
                "\n".join(lines),
                *_alike(proof.words if proof else ()),
            ]
        ),
        recommended_solution="None. What would help stands with each reason above.",
        implementation_steps=(_first_step(debug), "Start a new run."),
        session_notes=tuple(
            SessionNote(session_id=facts.spec.session_id, note="") for facts in debug
        ),
    )


def _first_step(debug: Sequence[Facts]) -> str:
    failures = [facts.result.failure for facts in debug if facts.result is not None]
    idle = any(one is not None and one.kind is FailureKind.NOT_APPLICABLE for one in failures)
    return _WRITE_A_TEST if idle else _TELL_MORE


def _says_something(facts: Facts) -> bool:
    result = facts.result
    if result is None or result.patch:
        return result is not None
    if result.status is not Status.COMPLETED:
        return False
    report = result.report
    if report is None:  # it has said what it has to say in its text
        return True
    says_why = report.root_cause and facts.spec.agent_type not in _NAME_PLACES
    return bool(report.findings or report.fix or says_why)


def _has_looked(facts: Facts) -> bool:
    result = facts.result
    if result is None or result.status is Status.CANCELLED:
        return False
    return result.failure is None or result.failure.kind in _HAD_NOTHING_TO_GO_BY


def _alike(words: Sequence[WordMatch]) -> Iterator[str]:
    """The places whose names are most like the task's words: a guess, and told as one."""
    places = [
        f"- {code_of_prose(f'{one.path}:{one.line}')}: {', '.join(one.words)}"
        for one in words[:_MOST_ALIKE]
    ]
    if places:
        yield "Nothing but their names speaks for these places, which have words of the task:"
        yield "\n".join(places)


def _names(group: Sequence[Facts]) -> str:
    labels = (f"{one.spec.title.partition(':')[0]} ({one.spec.agent_type})" for one in group)
    return ", ".join(labels)


def _shared(group: Sequence[Facts]) -> str:
    """The reason in their own words, or one for all: it differs in the agents' names alone."""
    return _reason(group[0], "each" if len(group) > 1 else group[0].spec.agent_type)


def _reason(facts: Facts, called: str) -> str:
    failure = facts.result.failure if facts.result is not None else None
    if facts.status is Status.CANCELLED:
        return "it was cancelled"
    if failure is None:
        report = facts.result.report if facts.result is not None else None
        return (report.root_cause if report else "").rstrip(".") or "it names no place"
    return failure.message.replace(facts.spec.agent_type, called).rstrip(".")

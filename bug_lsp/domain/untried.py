"""Concludes a run in which nothing could be tried, because the copies lack what the checkout has.

It names no cause and counts no vote: a session may have seen a failure of its copy alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .errors import FailureKind
from .proof import Proof
from .report import SessionNote, Synthesis
from .run import Facts, Failure


def why_untried(proof: Proof, failures: Iterable[Failure | None]) -> str:
    """Return what the copies lack, where nothing was tried for want of it; "" if something was."""
    if not proof.says_nothing():
        return ""
    told = [*proof.copies_lack]
    told += [one.message for one in failures if one and one.kind is FailureKind.COPY_DIFFERS]
    return next(iter(told), "")


def untried(debug: Sequence[Facts], proof: Proof | None) -> Synthesis | None:
    """Return the conclusion of a run in which nothing could be tried; None if something was."""
    failures = [facts.result.failure for facts in debug if facts.result is not None]
    why = why_untried(proof or Proof(), failures)
    if not why:
        return None
    return Synthesis(
        root_cause=(
            f"Nothing could be tried, so none is named: {why}.\n\nA session may have seen a failure"
            " of its copy alone; what it says is in its document."
        ),
        recommended_solution="First make the copies equal to the checkout, then start a new run.",
        implementation_steps=(f"{why[:1].upper()}{why[1:]}.",),
        session_notes=tuple(
            SessionNote(session_id=facts.spec.session_id, note="") for facts in debug
        ),
    )

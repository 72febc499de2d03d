"""What a run concluded: the synthesis of its orchestrator, or what stands in for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bug_lsp.domain.nothing_found import is_nothing_found, nothing_found
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.rendering import render_region
from bug_lsp.domain.report import Synthesis
from bug_lsp.domain.run import Facts, Kind, Run, RunStatus, Status
from bug_lsp.domain.synthesis import digest, from_single
from bug_lsp.domain.untried import untried
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder

from .prove import checked


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is to be brought into the task file."""

    folder: RunFolder
    session_id: str
    """Whose it is."""
    run: Run
    status: RunStatus
    debug: Sequence[Facts]
    """The sessions that it is about."""
    synthesis: Synthesis
    by: str
    """A sentence that says who concluded, and why if as a stand-in."""
    proof: Proof
    """Of what the debug sessions handed in."""
    own: Proof | None
    """Of the synthesis' own findings, where its session has checked them."""
    cites: bool
    """Whether whoever concluded was asked to cite evidence."""

    @property
    def is_nothing_found(self) -> bool:
        """Whether no session found anything; an orchestrator with a model may know all the same."""
        return not self.cites and is_nothing_found(self.debug)

    @classmethod
    def of(cls, folder: RunFolder, session_id: str) -> Conclusion:
        """That of a session that has ended: its own, or the digest in its place."""
        run = runs.load(folder)
        debug = [runs.facts(folder.session(spec.session_id)) for spec in run.standing]
        source = runs.facts(folder.session(session_id))
        proof = runs.proof_of(folder, [facts.spec.session_id for facts in debug])
        synthesis, by = _conclusion(debug, source, proof, folder.run_id)
        result = source.result
        orchestrated = (
            source.spec.kind is Kind.ORCHESTRATOR
            and result is not None
            and result.status is Status.COMPLETED
        )
        return cls(
            folder=folder,
            session_id=session_id,
            run=run,
            status=runs.status(folder),
            debug=debug,
            synthesis=synthesis,
            by=by,
            proof=proof or Proof(),
            own=result.proof if orchestrated and result is not None else None,
            cites=orchestrated and source.spec.agent_type != "digest",
        )

    def region(self) -> str:
        """The body of the task file's region."""
        known = checked(self.run, self.folder, self.debug, self.synthesis, cites=self.cites)
        known = replace(known, is_nothing_found=self.is_nothing_found)
        return render_region(self.status, self.synthesis, self.by, known)


def _conclusion(
    debug: Sequence[Facts], source: Facts, proof: Proof | None, run_id: str
) -> tuple[Synthesis, str]:
    result = source.result
    assert result is not None  # noqa: S101 - only ended sessions are delivered
    agent = source.spec.agent_type
    when = f"{result.ended_at:%Y-%m-%d %H:%M} UTC"
    if len(debug) == 1 and debug[0].spec.session_id == source.spec.session_id:
        nothing = untried(debug, proof) or nothing_found(debug, proof)
        single = from_single(source, proof.evidence if proof else ())
        return nothing or single, f"By {agent} alone, {when}."
    if result.status is Status.COMPLETED and result.synthesis is not None:
        if agent == "digest":
            nothing = untried(debug, proof) or nothing_found(debug, proof)
            return (
                nothing or result.synthesis,
                f"By digest, {when}: findings merged by rule, without a model.",
            )
        note = f" Its closing block was not valid ({result.report_problem}), so its text is shown "
        shown = f"{note}as it stands." if result.report_problem else ""
        return result.synthesis, f"By {agent}, {when}.{shown}"
    return _stand_in(debug, proof), f"By digest, {when}: {_why_it_stands_in(source, run_id)}"


def _stand_in(debug: Sequence[Facts], proof: Proof | None) -> Synthesis:
    return untried(debug, proof) or nothing_found(debug, proof) or digest(debug, proof)


def _why_it_stands_in(source: Facts, run_id: str) -> str:
    failure = source.result.failure if source.result is not None else None
    why = failure.message if failure else "it ended without an answer"
    agent = source.spec.agent_type
    return (
        f"findings merged by rule, because the orchestrator {agent} failed: {why.rstrip('.')}. "
        f"To try {agent} again, run `orchestrateDebugRun` with `force` (in a terminal: "
        f"`bug-lsp orchestrate {run_id} --force`)."
    )

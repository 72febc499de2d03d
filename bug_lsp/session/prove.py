"""A proof session: everything that the debug sessions handed in is checked by program."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path

import anyio.to_thread

from bug_lsp.agents.base import Answer, Emit
from bug_lsp.domain import citations
from bug_lsp.domain.checked import for_people
from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.events import Text
from bug_lsp.domain.evidence import ids, unchecked
from bug_lsp.domain.proof import Proof, WordMatch
from bug_lsp.domain.region import without_regions
from bug_lsp.domain.rendering import Checked
from bug_lsp.domain.report import Report, Synthesis
from bug_lsp.domain.run import Facts, Result, Run, Status
from bug_lsp.domain.synthesis import ranked_places
from bug_lsp.proof import Bench, Candidate, Snapshot, Trial, check, lines_of, match_words
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.workspace import git, task_file
from bug_lsp.workspace.extras import Source

from .set_up import SetUpFailed, sources_of

MOST_SLOTS = 8
_WHOLE_SHARE = 0.9
"""Of the session's time: what is left is for writing down what was found out."""


async def prove(
    run: Run, session: SessionFolder, debug: list[Facts], confine: tuple[str, ...], emit: Emit
) -> tuple[Answer, Proof]:
    """Compare the quotes with the code, and try the patches. The answer says it to people."""
    copies = {facts.spec.session_id: _copy(run, session, facts.spec.session_id) for facts in debug}
    evidence = await anyio.to_thread.run_sync(check, run.base, debug, Path(run.workspace), copies)
    words = await anyio.to_thread.run_sync(_words, run)
    labels = labels_of(run)
    candidates = [
        Candidate(
            session_id=facts.spec.session_id,
            label=labels[facts.spec.session_id],
            patch=session.run.session(facts.spec.session_id).patch,
        )
        for facts in debug
        if facts.result is not None and facts.result.patch
    ]
    trial, left_out = Trial(), tuple[str, ...]()
    if candidates or run.test_command is not None:  # else there is nobody to be tried
        # Here: each session would import what runs tests, and the next one would start the later.
        from bug_lsp.proof.matrix import try_patches

        try:
            sources = await sources_of(run, session, emit)
        except SetUpFailed as failure:
            said = f"the set-up command did not succeed: {failure}; nothing was run"
            trial = Trial(notes=(said,))
        else:
            left_out = tuple(reduce(add, (source.contents for source in sources)).lacking())
            bench = bench_of(run, session, confine, sources)
            trial = await try_patches(bench, candidates, emit)
    proof = Proof(
        evidence=evidence,
        reproductions=trial.reproductions,
        suite=trial.suite,
        patches=trial.patches,
        cells=trial.cells,
        notes=(*trial.notes, *left_out, *unchecked(debug)),
        copies_lack=trial.copies_lack,
        words=words,
    )
    text = for_people(proof, labels) + "\n"
    emit(Text(text=text))
    return Answer(text), proof


def _words(run: Run) -> tuple[WordMatch, ...]:
    return match_words(Snapshot(run.base, None, ()), _task(run))


def _task(run: Run) -> str:
    """What the task file says besides our conclusion; its title where it cannot be read."""
    try:
        return without_regions(task_file.read(Path(run.task_path), "task file"))
    except BugLspError:  # moved or deleted meanwhile
        return run.title


def check_synthesis(run: Run, session: SessionFolder, synthesis: Synthesis) -> Proof:
    """What the code says of the findings that an orchestrator vouches for."""
    spec = runs.spec(session)
    own = Report(findings=synthesis.findings)
    result = Result(
        session_id=spec.session_id, status=Status.COMPLETED, ended_at=runs.now(), report=own
    )
    copies = {spec.session_id: session.copy / run.base.name}
    facts = Facts(spec=spec, result=result)
    return Proof(evidence=check(run.base, [facts], Path(run.workspace), copies))


def checked(
    run: Run, folder: RunFolder, debug: Sequence[Facts], synthesis: Synthesis, *, cites: bool
) -> Checked:
    """What is known of a conclusion besides itself, when it is brought into the task file."""
    covers = [facts.spec.session_id for facts in debug]
    proof = runs.proof_of(folder, covers) or Proof()
    text = f"{synthesis.root_cause}\n{synthesis.recommended_solution}"
    return Checked(
        proof=proof,
        labels={name: label for name, label in labels_of(run).items() if name in covers},
        evidence_ids=frozenset(found[0] for found in ids(debug)),
        cites=cites,
        places=ranked_places(debug, proof),
        wrong_places=_wrong(run, citations.places_in(text)),
    )


def _wrong(run: Run, cited: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
    try:
        found = lines_of(run.base, cited)
    except git.GitError:  # the snapshot is gone: then there is no telling
        return {}
    return {place: "no such line" for place, text in found.items() if text is None}


def labels_of(run: Run) -> dict[str, str]:
    """The short name of each debug session: `Debug (1) codex`."""
    return {
        spec.session_id: f"{spec.title.partition(':')[0]} {spec.agent_type}" for spec in run.roster
    }


def slots(run: Run) -> int:
    """How many patches are tried at the same time."""
    return max(1, min(run.max_parallel_agents, os.cpu_count() or 1, MOST_SLOTS))


def _copy(run: Run, session: SessionFolder, session_id: str) -> Path:
    return session.run.session(session_id).copy / run.base.name


def bench_of(
    run: Run, session: SessionFolder, confine: tuple[str, ...], sources: tuple[Source, ...]
) -> Bench:
    """Return what a session of the run tries patches and tests with."""
    return Bench(
        base=run.base,
        workspace=Path(run.workspace),
        scratch=session.scratch,
        logs=files.make_private(session.logs),
        confine=confine,
        slots=slots(run),
        first_copy=len(run.roster) + 1,
        cell_seconds=run.cell_timeout_seconds,
        whole_seconds=run.session_timeout_seconds * _WHOLE_SHARE,
        task=_task(run),
        test_command=run.test_command,
        sources=sources,
        python=run.python,
        selected_python=run.selected_python,
        tests_near=run.tests_near,
        suite_command=run.suite_command,
    )

"""A run's report: what was concluded, what of it holds, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.findings import OfferedPatch, TaskFindings, VerifiedFinding
from bug_lsp.domain.model import StoredValue
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.report import Synthesis
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder

from . import findings
from .conclusion import Conclusion


class ReportedFinding(VerifiedFinding):
    """A verified finding, and what the user said of it."""

    dismissed: bool = False


class RunReport(StoredValue):
    """What is known of a run besides its status."""

    debug_run_id: str
    title: str
    session_id: str | None = None
    """Whose conclusion it is; None while there is none."""
    by: str = ""
    synthesis: Synthesis | None = None
    markdown: str = ""
    """What stands, or would stand, in the task file's region."""
    checked: Proof | None = None
    """What was checked by program."""
    findings: tuple[ReportedFinding, ...] = ()
    patches: tuple[OfferedPatch, ...] = ()
    root: str = ""
    """The folder that the paths are relative to."""


def report(folder: RunFolder) -> RunReport:
    """The report of a run, as far as there is one yet. Raises `Refused`, `GitError`."""
    run = runs.load(folder)
    name = runs.source(folder, run)
    so_far = RunReport(
        debug_run_id=run.debug_run_id,
        title=run.title,
        root=str(findings.root_of(run)),
        checked=runs.proof_of(folder, [spec.session_id for spec in run.standing]),
    )
    if not name or runs.result(folder.session(name)) is None:
        return so_far
    concluded = Conclusion.of(folder, name)
    found = _found(folder, concluded)
    gone = findings.dismissed_in(folder.workspace)
    return so_far.model_copy(
        update={
            "session_id": name,
            "by": concluded.by,
            "synthesis": concluded.synthesis,
            "markdown": concluded.region(),
            "findings": tuple(
                ReportedFinding(**one.model_dump(), dismissed=one.id in gone)
                for one in found.findings
            ),
            "patches": found.patches,
        }
    )


def _found(folder: RunFolder, concluded: Conclusion) -> TaskFindings:
    kept = findings.of_task(folder.workspace, Path(concluded.run.task_path))
    if kept is not None and kept.session_id == concluded.session_id:
        return kept
    return findings.found_by(concluded)

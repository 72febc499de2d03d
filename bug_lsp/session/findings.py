"""The verified findings of each task's latest synthesis: kept in a file of their own when it is
delivered, so that a server that attaches opens no run; and which of them the user has dismissed.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bug_lsp.domain.agreement import NEAR, votes
from bug_lsp.domain.checked import patch_verdict
from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.evidence import Unread
from bug_lsp.domain.findings import (
    AROUND,
    Hunk,
    OfferedPatch,
    TaskFindings,
    VerifiedFinding,
    bounded,
    finding_id,
    hunks_of,
)
from bug_lsp.domain.proof import Evidence, Verdict
from bug_lsp.domain.report import Finding
from bug_lsp.domain.run import Facts, Run
from bug_lsp.domain.source import Source, decode, digest, key, split_lines
from bug_lsp.proof import Candidate, Snapshot, Workshop
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder, WorkspaceFolder
from bug_lsp.store.pokes import poke
from bug_lsp.workspace import git

from .conclusion import Conclusion
from .prove import check_synthesis, labels_of

log = logging.getLogger(__name__)

_MOST_HUNKS_OF = 3
"""Proven patches that are looked for in the code."""


def keep(folder: RunFolder, session_id: str) -> None:
    """Keep what this session's conclusion found as that of its task, unless a newer run's is kept.
    Where it cannot be found out there is nothing to show, and the delivery goes on.
    """
    try:
        found = found_by(Conclusion.of(folder, session_id))
        path = folder.workspace.findings_of(Path(found.task_path))
        files.make_private(path.parent)
        with files.locked(folder.workspace.task_lock):
            known = _read(path)
            # The newest run sorts first by its id.
            if known is None or found.debug_run_id <= known.debug_run_id:
                files.replace(path, found.to_json())
    except (BugLspError, git.GitError, OSError) as error:
        log.warning("the findings of run %s are not shown: %s", folder.run_id, error)


def forget(folder: RunFolder, task: Path | None) -> None:
    """The run is deleted: its findings are shown no more, but those of the task's run before it.
    Where the task is not known, those of all tasks are looked at.
    """
    if task is not None:
        kept = [one for one in [of_task(folder.workspace, task)] if one is not None]
    else:
        kept = Kept(folder.workspace).read()
    for one in kept:
        if one.debug_run_id == folder.run_id:
            about = Path(one.task_path)
            files.remove(folder.workspace.findings_of(about))
            _fall_back(folder, about)


def _fall_back(gone: RunFolder, task: Path) -> None:
    for earlier in runs.of_task(gone.workspace, task):
        try:
            source = runs.source(earlier, runs.load(earlier))
        except BugLspError:
            continue
        if earlier.run_id != gone.run_id and runs.delivered(earlier, source):
            keep(earlier, source)
            return


class Kept:
    """What is kept of all tasks of a workspace, read again only where it has changed."""

    def __init__(self, workspace: WorkspaceFolder) -> None:
        self.workspace = workspace
        self._read: dict[Path, tuple[tuple[int, int], TaskFindings]] = {}

    def read(self) -> list[TaskFindings]:
        """Those of the newest run first."""
        found: dict[Path, tuple[tuple[int, int], TaskFindings]] = {}
        for path in self.workspace.findings.glob("*.json"):
            try:
                info = path.stat()
            except FileNotFoundError:
                continue
            look = info.st_mtime_ns, info.st_ino
            known = self._read.get(path)
            made = known[1] if known and known[0] == look else _read(path)
            if made is not None:
                found[path] = look, made
        self._read = found
        return sorted((one for _, one in found.values()), key=lambda one: one.debug_run_id)


def of_task(workspace: WorkspaceFolder, task: Path) -> TaskFindings | None:
    """What is kept of one task."""
    return _read(workspace.findings_of(task))


def _read(path: Path) -> TaskFindings | None:
    data = files.read(path)
    try:
        return TaskFindings.model_validate_json(data) if data is not None else None
    except ValidationError as error:
        log.warning("%s cannot be read (%d problems)", path, error.error_count())
        return None


def dismiss(workspace: WorkspaceFolder, finding_id: str, *, dismissed: bool) -> None:
    """Show a finding no more, in no later run either; or again."""
    path = files.make_private(workspace.dismissed) / finding_id
    if dismissed:
        files.create_once(path, b"")
    else:
        files.remove(path)
    for one in Kept(workspace).read():
        if any(finding.id == finding_id for finding in one.findings):
            poke(workspace, one.debug_run_id)


def dismissed_in(workspace: WorkspaceFolder) -> frozenset[str]:
    """The findings that were dismissed."""
    try:
        return frozenset(os.listdir(workspace.dismissed))  # noqa: PTH208 - names alone
    except FileNotFoundError:
        return frozenset()


def found_by(concluded: Conclusion) -> TaskFindings:
    """The verified findings of a conclusion, and the patches that there are.

    Raises `GitError` where the snapshot cannot be read.
    """
    run = concluded.run
    own = concluded.own
    if own is None:
        session = concluded.folder.session(concluded.session_id)
        own = check_synthesis(run, session, concluded.synthesis)
    held = _held(concluded, own.evidence)
    texts = _texts(run, held)
    return TaskFindings(
        debug_run_id=run.debug_run_id,
        session_id=concluded.session_id,
        task_path=run.task_path,
        title=run.title,
        root=str(root_of(run)),
        findings=tuple(_verified(concluded, held, texts)),
        patches=tuple(_patches(concluded)),
        digests={path: digest(text) for path, text in texts.items()},
    )


def root_of(run: Run) -> Path:
    """The folder of the user's that was captured."""
    count = len(Path(run.base.prefix).parts) if run.base.prefix else 0
    workspace = Path(run.workspace)
    return workspace.parents[count - 1] if count else workspace


def _held(
    concluded: Conclusion, evidence: Sequence[Evidence]
) -> Sequence[tuple[Finding, Evidence]]:
    """The findings whose quote stands in the code."""
    return [
        (finding, one)
        for finding, one in zip(concluded.synthesis.findings, evidence, strict=False)
        if one.verdict in {Verdict.VERIFIED, Verdict.MOVED} and one.found_path and one.found_line
    ]


def _texts(run: Run, held: Sequence[tuple[Finding, Evidence]]) -> Mapping[str, str]:
    """Of their files, in the snapshot."""
    texts = Snapshot(run.base, None, ()).texts({str(one.found_path) for _, one in held})
    return {path: text for path, text in texts.items() if not isinstance(text, Unread)}


def _verified(
    concluded: Conclusion, held: Sequence[tuple[Finding, Evidence]], texts: Mapping[str, str]
) -> Iterator[VerifiedFinding]:
    run = concluded.run
    sources = {path: Source(split_lines(text)) for path, text in texts.items()}
    cast = votes(concluded.debug, concluded.proof.evidence)
    named: dict[tuple[str, int], set[str]] = defaultdict(set)
    for vote in cast:
        for line in range(vote.line - NEAR, vote.line + NEAR + 1):
            named[vote.path, line].add(vote.session_id)
    labels = labels_of(run)
    seen: set[str] = set()
    for finding, one in held:
        source = sources.get(str(one.found_path))
        if source is None:
            continue
        sessions = named.get((str(one.found_path), one.found_line or 0), set())
        names = tuple(label for session_id, label in labels.items() if session_id in sessions)
        made = _finding(run, finding, one, source, names)
        if made is not None and made.id not in seen:
            seen.add(made.id)
            yield made


def _finding(
    run: Run, finding: Finding, evidence: Evidence, source: Source, labels: tuple[str, ...]
) -> VerifiedFinding | None:
    path, line = evidence.found_path, evidence.found_line
    text = source.line(line) if line else None
    if path is None or line is None or text is None or not key(text):
        return None
    occurrence = source.by_key[key(text)].index(line - 1)
    return VerifiedFinding(
        id=finding_id(run.task_path, path, text, occurrence),
        claim=finding.claim,
        path=path,
        line=line,
        text=text,
        before=tuple(source.lines[max(0, line - 1 - AROUND) : line - 1]),
        after=tuple(source.lines[line : line + AROUND]),
        confidence=finding.confidence,
        labels=labels,
    )


def _patches(concluded: Conclusion) -> list[OfferedPatch]:
    proof, labels = concluded.proof, labels_of(concluded.run)
    with_patch = [facts for facts in concluded.debug if facts.result and facts.result.patch]
    proven = [facts for facts in with_patch if proof.proven(facts.spec.session_id)]
    hunks = _hunks(concluded, proven[:_MOST_HUNKS_OF])
    names = {patch.session_id: patch.files for patch in proof.patches}
    best = concluded.synthesis.recommended_session
    offered = [
        OfferedPatch(
            session_id=(name := facts.spec.session_id),
            label=labels[name],
            proven=proof.proven(name),
            facts=patch_verdict(proof, name),
            files=names.get(name, ()),
            hunks=hunks.get(name, ()),
        )
        for facts in with_patch
    ]
    return sorted(offered, key=lambda one: (not one.proven, one.session_id != best))


def _hunks(concluded: Conclusion, proven: Sequence[Facts]) -> Mapping[str, tuple[Hunk, ...]]:
    folder = concluded.folder
    with tempfile.TemporaryDirectory(dir=folder.path, prefix="hunks-") as temporary:
        return {
            facts.spec.session_id: _pieces(
                Workshop(concluded.run.base, Path(temporary, facts.spec.session_id)),
                folder.session(facts.spec.session_id),
            )
            for facts in proven
        }


def _pieces(workshop: Workshop, session: SessionFolder) -> tuple[Hunk, ...]:
    """What the patch makes of its files; nothing where one of them is no text."""
    patched = workshop.prepare(Candidate(session.session_id, "", session.patch)).files
    originals = workshop.originals(list(patched))
    pieces: list[Hunk] = []
    for path, kept_file in patched.items():
        before = decode(originals[path].path.read_bytes()) if path in originals else ""
        after = decode(kept_file.path.read_bytes()) if kept_file else ""
        if before is None or after is None:
            return ()
        pieces += hunks_of(path, before, after if kept_file else None)
    return bounded(pieces)

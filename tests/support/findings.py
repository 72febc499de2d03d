"""Findings kept for a workspace as if runs had found them, without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bug_lsp.domain.findings import AROUND, OfferedPatch, TaskFindings, VerifiedFinding, finding_id
from bug_lsp.domain.source import decode, digest
from bug_lsp.store import files
from bug_lsp.store.layout import WorkspaceFolder


def found_at(root: Path, path: str, line: int, task: Path, **more: Any) -> VerifiedFinding:
    """A finding at a line of a file as it is now."""
    lines = (root / path).read_text().split("\n")
    text = lines[line - 1]
    occurrence = [index for index, one in enumerate(lines) if one == text].index(line - 1)
    said: dict[str, Any] = {
        "claim": f"{path}:{line} is wrong",
        "confidence": 0.9,
        "labels": ("Debug (1) right",),
        **more,
    }
    return VerifiedFinding(
        id=finding_id(str(task), path, text, occurrence),
        path=path,
        line=line,
        text=text,
        before=tuple(lines[max(0, line - 1 - AROUND) : line - 1]),
        after=tuple(lines[line : line + AROUND]),
        **said,
    )


def keep(
    root: Path,
    task: Path,
    findings: Sequence[VerifiedFinding],
    patches: Sequence[OfferedPatch] = (),
    run_id: str = "f" * 16,
) -> TaskFindings:
    """Keep them as those of the task's latest synthesis."""
    made = TaskFindings(
        debug_run_id=run_id,
        session_id="a" * 12,
        task_path=str(task),
        title="Prices are too low",
        root=str(root),
        findings=tuple(findings),
        patches=tuple(patches),
        digests={
            path: digest(decode((root / path).read_bytes()) or "")
            for path in {one.path for one in findings}
        },
    )
    folder = WorkspaceFolder.of(root).create()
    files.replace(folder.findings_of(task), made.to_json())
    return made

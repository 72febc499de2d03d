"""A project, its snapshot, patches of it, and a bench to try them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bug_lsp.domain.events import Event
from bug_lsp.domain.ids import new_run_id
from bug_lsp.domain.run import Base
from bug_lsp.proof import Bench, Candidate, Trial
from bug_lsp.proof.matrix import try_patches
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import capture, copies
from tests.support.projects import Project, change_files


@dataclass
class Trials:
    """What is tried in one test."""

    project: Project
    tmp: Path
    candidates: list[Candidate] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _base: Base | None = None

    @property
    def base(self) -> Base:
        """The snapshot, taken when it is first asked for."""
        if self._base is None:
            folder = WorkspaceFolder.of(self.project.root).create()
            self._base = capture.capture(folder, self.project.root, new_run_id(0))
        return self._base

    def patch(self, files: Mapping[str, str | bytes | None]) -> Candidate:
        """The patch of a session that has changed these files; None deletes one."""
        copy = self.tmp / "agents" / str(len(self.candidates)) / self.base.name
        copy.parent.mkdir(parents=True)
        copies.check_out(self.base, copy)
        change_files(copy, files)
        return self.raw(copies.diff(copy, self.base))

    def raw(self, patch: bytes) -> Candidate:
        """The patch of a session, as it stands in the file."""
        number = len(self.candidates) + 1
        path = self.tmp / f"{number}.diff"
        path.write_bytes(patch)
        candidate = Candidate(f"{number:012x}", f"Debug ({number})", path)
        self.candidates.append(candidate)
        return candidate

    def bench(self, **more: Any) -> Bench:
        """Where they are tried."""
        values = {
            "base": self.base,
            "workspace": self.project.root,
            "scratch": self.tmp / "scratch",
            "logs": self.tmp / "logs",
        }
        return Bench(**{**values, **more})

    async def run(self, **more: Any) -> Trial:
        """Try them."""
        return await try_patches(self.bench(**more), self.candidates, self.events.append)


def table(trial: Trial) -> dict[str, str]:
    """The matrix: `2 x R1` -> outcome."""
    return {f"{int(cell.session_id, 16)} x {cell.check}": cell.outcome for cell in trial.cells}

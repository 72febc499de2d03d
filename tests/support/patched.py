"""Runs that have ended, put on disk without an agent: with patches, and what their proof said."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bug_lsp.domain.ids import created_at, new_run_id, new_session_id
from bug_lsp.domain.proof import Cell, Patch, Proof, Reproduction, Suite
from bug_lsp.domain.run import AgentChoice, Kind, Result, Run, Spec, Status
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder, WorkspaceFolder
from bug_lsp.workspace import capture, copies

from .projects import change_files

Files = Mapping[str, "str | bytes | None"]
"""What a session makes of files; None deletes one."""


class Ended:
    """A run whose sessions have ended."""

    def __init__(
        self, workspace: Path, *patches: Files | bytes, proof: Proof | None = None
    ) -> None:
        self.workspace = workspace
        state = WorkspaceFolder.of(workspace).create()
        run_id = new_run_id(1_700_000_000_000)
        self.run = Run(
            debug_run_id=run_id,
            created_at=created_at(run_id),
            title="add() subtracts",
            task_path=str(workspace / "tasks" / "add.md"),
            workspace=str(workspace),
            base=capture.capture(state, workspace, run_id),
            roster=tuple(_spec(number) for number, _ in enumerate(patches, start=1)),
            orchestrator=AgentChoice(agent_type="digest"),
            orchestrate="never",
            prove=False,
        )
        prompts = {spec.session_id: "Debug it." for spec in self.run.roster}
        self.folder: RunFolder = runs.create(state, self.run, prompts)
        for session, patch in zip(self.sessions, patches, strict=True):
            self._end(session, patch)
        (state.active / run_id).unlink()

    @property
    def sessions(self) -> list[SessionFolder]:
        """The folders of the debug sessions."""
        return [self.folder.session(spec.session_id) for spec in self.run.roster]

    def _end(self, session: SessionFolder, patch: Files | bytes) -> None:
        data = patch if isinstance(patch, bytes) else self._diff(session, patch)
        files.replace(session.patch, data)
        ended = Result(
            session_id=session.session_id, status=Status.COMPLETED, ended_at=runs.now(),
            patch=data[:1000].decode(errors="replace"),
        )  # fmt: skip
        files.replace(session.result, ended.to_json())

    def _diff(self, session: SessionFolder, changes: Files) -> bytes:
        copy = copies.make(session, self.run.base)
        change_files(copy, changes)
        made = copies.diff(copy, self.run.base)
        shutil.rmtree(session.copy)
        return made

    def prove(self, proof: Proof) -> None:
        """A proof session has said this."""
        spec = Spec(
            session_id=new_session_id(), kind=Kind.PROOF, agent_type="proof", title="Proof: add()",
            covers=tuple(spec.session_id for spec in self.run.roster),
        )  # fmt: skip
        session = self.folder.session(spec.session_id)
        files.make_private(session.path)
        files.replace(session.spec, spec.to_json())
        ended = Result(
            session_id=spec.session_id, status=Status.COMPLETED, ended_at=runs.now(), proof=proof
        )
        files.replace(session.result, ended.to_json())
        number = len(runs.proofs(self.folder)) + 1
        files.replace(self.folder.proof_claim(number), runs.claim_for(spec.session_id))

    def tried(self, *outcomes: str) -> None:
        """A proof with one reproduction, by session: `passed`, `failed`, or `breaks`."""
        cells = [
            cell
            for session, outcome in zip(self.sessions, outcomes, strict=True)
            for cell in _cells(session.session_id, outcome)
        ]
        self.prove(
            Proof(
                reproductions=(
                    Reproduction(
                        id="R1", title="test_add", source="testCommand", status="reproduced"
                    ),
                ),
                suite=Suite(title="pytest", passed=3, failed=1),
                patches=tuple(Patch(session_id=one.session_id) for one in self.sessions),
                cells=tuple(cells),
            )
        )


def _cells(session_id: str, outcome: str) -> Sequence[Cell]:
    first = "failed" if outcome == "failed" else "passed"
    broken = ("tests/test_x.py::test_y",) if outcome == "breaks" else ()
    return (
        Cell.model_validate(
            {"sessionId": session_id, "check": "R1", "outcome": first, "detail": "AssertionError"}
        ),
        Cell(
            session_id=session_id, check="suite", outcome="failed" if broken else "passed",
            regressions=broken, regression_count=len(broken),
        ),
    )  # fmt: skip


def _spec(number: int) -> Spec:
    return Spec(
        session_id=new_session_id(), kind=Kind.DEBUG, agent_type=f"agent{number}",
        title=f"Debug ({number}): add() subtracts",
    )  # fmt: skip

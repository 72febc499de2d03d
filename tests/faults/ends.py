"""How every run must end, whatever happened to it."""

from __future__ import annotations

from bug_lsp.domain.region import region_of
from bug_lsp.domain.run import Status
from bug_lsp.session.delivery import move_on
from bug_lsp.store import runs
from tests.support import leftovers
from tests.support.runs import Started


def look_until_finished(run: Started, deadline: float = 60) -> None:
    """Look at it again and again, as a server would, until nothing is left to do."""

    def finished() -> bool:
        move_on(run.folder)
        return not (run.folder.workspace.active / run.folder.run_id).exists()

    run.wait(finished, deadline)


def check(run: Started) -> None:
    """One orchestrator, a conclusion in the task file, and nothing left behind."""
    status = run.status
    assert status.all_terminal
    assert len(run.orchestrators) == 1
    assert run.orchestrator.status.terminal
    assert run.orchestrator.status is not Status.CANCELLED
    assert status.delivered
    region = region_of(run.text)
    assert region is not None
    assert region[0] == run.folder.run_id
    assert run.text.count("bug-lsp:begin") == 1
    assert runs.shown(run.folder) == status
    sessions = [*run.sessions, *runs.proofs(run.folder), *run.orchestrators]
    for session in sessions:
        assert leftovers.of_session(run.folder.run_id, session.session_id) == []

"""As many agents as a run may have, of which only a few may run at once."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.run import CustomAgent, Status
from tests.support.projects import Project
from tests.support.runs import Turnstile, program, start, turnstile

AGENTS = 16
AT_ONCE = 4


def noted(stile: Turnstile, journal: Path) -> CustomAgent:
    """Waits to be let go, and notes when it begins and ends: what it notes, no look can miss."""
    code = (
        "import os, sys\n"
        "journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
        "session = os.environ['BUG_LSP_SESSION'].rpartition('/')[2]\n"
        "os.write(journal, f'+{session}\\n'.encode())\n"
        "print('ready', flush=True)\n"
        "os.read(os.open(sys.argv[2], os.O_RDONLY), 1)\n"
        "os.write(journal, f'-{session}\\n'.encode())\n"
        "print('done')"
    )
    return program(code, journal, stile.path, writes=[journal, stile.path])


def test_of_sixteen_agents_four_run_at_once_in_the_rosters_order_and_one_orchestrator_follows(
    project: Project, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    journal.touch()
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(
            project.root,
            *[noted(stile, journal)] * AGENTS,
            settings={"max_parallel_agents": AT_ONCE},
        )
        for ended in range(AGENTS):
            up = min(AGENTS, ended + AT_ONCE)
            run.wait_ready(*range(up))
            statuses = [session.status for session in run.status.sessions]
            assert statuses.count(Status.RUNNING) == up - ended
            assert statuses.count(Status.PENDING) == AGENTS - up
            assert run.orchestrators == []
            stile.let_go()
            run.wait(lambda ended=ended: run.status.completed_count == ended + 1)
        run.wait_finished()

    noted_down = journal.read_text().splitlines()
    began = [line[1:] for line in noted_down if line[0] == "+"]
    roster = [session.session_id for session in run.sessions]
    assert set(began[:AT_ONCE]) == set(roster[:AT_ONCE])  # these come up in any order
    assert began[AT_ONCE:] == roster[AT_ONCE:]
    running = [sum(1 if line[0] == "+" else -1 for line in noted_down[: n + 1]) for n in range(32)]
    assert max(running) == AT_ONCE
    assert len(noted_down) == 2 * AGENTS
    assert len(run.orchestrators) == 1
    assert run.orchestrator.status is Status.COMPLETED
    assert run.status.delivered

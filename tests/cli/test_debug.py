"""One whole run in the terminal."""

from __future__ import annotations

import json
import os
import signal

import pytest

from bug_lsp.domain.region import region_of, without_regions
from bug_lsp.domain.related import sections

from .conftest import User

DIGEST = ("--orchestrator", "digest")


def test_several_agents_and_one_synthesis_in_the_task_file(user: User):
    before = user.task.read_text()
    done = user.run("debug", user.task, "--agents", "finder,failing,finder", *DIGEST)
    assert done.returncode == 0, done.stderr
    text = user.task.read_text()
    assert without_regions(text).strip() == before.strip()
    found = sections(region_of(text)[1])
    assert next(iter(found)).startswith("Synthesis (likely: shop.py:2; degraded: 2 of 3 sessions")
    assert "`shop.py:2`" in found["Root cause"]
    assert "the word of finder" in found["Root cause"]


def test_what_is_said_at_the_end_is_where_why_and_who_failed(user: User):
    done = user.run("debug", user.task, "--agents", "finder,failing", *DIGEST)
    where, why, failed = done.stdout.splitlines()
    assert where.startswith("Synthesis (a place to begin: shop.py:2; degraded")
    assert where.endswith(str(user.task))
    assert why.startswith("Root cause: ")
    assert "`shop.py:2`" in why
    assert failed.startswith("Debug (2) failing failed: ")
    assert "exited with 1: no money left; all of it: " in failed


def test_progress_is_a_line_a_change_where_there_is_no_terminal(user: User):
    said = user.run("debug", user.task, "--agents", "finder", *DIGEST).stderr.splitlines()
    assert said[0].startswith("debug run ")
    assert said[0].endswith(": Totals are wrong")
    assert said[1].startswith("Python: /")
    assert said[2].startswith("tests: all of the project's are run; ")
    assert "--test-command" in said[2]
    assert said[3] == "Debug (1) finder: running"
    assert said[4].startswith("Debug (1) finder: completed in ")
    assert said[5] == "Proof by program: running"
    assert said[6].startswith("Proof by program: completed in ")
    assert len(said) == 7


def test_json_is_one_object_in_the_shape_of_the_wire(user: User):
    done = user.run(
        "debug", user.task, "--agents", "finder:large, finder", "--json", "--title", "T", *DIGEST
    )
    assert done.returncode == 0
    run = json.loads(done.stdout)
    assert run.keys() == {
        "debugRunId", "taskUri", "title", "createdAt", "sessions", "allTerminal", "totalCount",
        "completedCount", "failedCount", "cancelledCount", "orchestrator", "delivered", "proof",
        "leftOut", "standsInFor",
    }  # fmt: skip
    assert run["taskUri"] == user.task.as_uri()
    assert run["title"] == "T"
    assert run["delivered"] is True
    assert [(one["agentType"], one["model"]) for one in run["sessions"]] == [
        ("finder", "large"),
        ("finder", None),
    ]
    assert run["orchestrator"]["status"] == "completed"
    assert "completed in" in done.stderr


def test_a_single_agent_needs_no_orchestrator(user: User):
    run = user.json("debug", user.task, "--agents", "finder")
    assert run["orchestrator"] is None
    assert run["delivered"] is True
    heading = next(iter(sections(region_of(user.task.read_text())[1])))
    assert heading == "Findings (a place to begin: shop.py:2)"


def test_a_title_alone_makes_a_task_file(user: User):
    done = user.run("debug", "--title", "Totals are wrong", "--agents", "finder")
    assert done.returncode == 0, done.stderr
    made = user.project / "tasks" / "totals-are-wrong.md"
    assert made.read_text().startswith("# Totals are wrong\n")


def test_the_workspace_is_the_repository_around_the_task(user: User):
    done = user.run("debug", "tasks/totals.md", "--agents", "finder", cwd=user.root / "shop")
    assert done.returncode == 0
    elsewhere = user.run("debug", user.task, "--agents", "finder", cwd=user.root)
    assert elsewhere.returncode == 0
    assert len(user.json("status")["runs"]) == 2


def test_without_a_repository_the_workspace_is_where_the_user_is(user: User):
    plain = user.root / "plain"
    (plain / "tasks").mkdir(parents=True)
    (plain / "tasks" / "bug.md").write_text("# Totals are wrong\n")
    done = user.run("debug", "tasks/bug.md", "--agents", "finder", cwd=plain)
    assert done.returncode == 0, done.stderr
    assert (user.run("status", "--workspace", plain).stdout.count("delivered")) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--agents", "finder,finder", "--no-orchestrate"), "ended without a synthesis"),
        (("--agents", "failing"), "no session completed"),
        (("--agents", "failing,failing", *DIGEST), "no session completed"),
    ],
)
def test_a_run_without_a_conclusion_ends_with_status_1(user: User, typed, said):
    done = user.run("debug", user.task, *typed)
    assert done.returncode == 1
    assert said in done.stdout


def test_a_conclusion_that_cannot_be_delivered_is_told_with_the_place_to_read_it(user: User):
    remover = user.root / "finder.py"
    remover.write_text(remover.read_text() + f"import os; os.remove({str(user.task)!r})\n")
    config = user.config.read_text()
    user.config.write_text(config.replace(str(user.ready), str(user.task.parent)))
    done = user.run("debug", user.task, "--agents", "finder")
    assert done.returncode == 1
    assert "does not exist" in done.stdout
    assert "output.md" in done.stdout


def test_a_killed_session_process_leaves_nobody_waiting(user: User):
    process = user.start("debug", user.task, "--agents", "blocked", "--json")
    user.ready.read_text()
    (session,) = user.state.glob("workspaces/*/runs/*/sessions/*/process.json")
    os.kill(json.loads(session.read_bytes())["pid"], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(out)["sessions"][0]["failure"]["kind"] == "lost"
    assert "no session completed" in err

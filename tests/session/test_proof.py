"""The proof between the debug sessions and the orchestrator."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.domain.region import region_of
from bug_lsp.domain.run import Kind, Status
from bug_lsp.session.cancel import cancel_session
from bug_lsp.store import runs
from bug_lsp.store.layout import SessionFolder
from tests.support import example
from tests.support.projects import Project
from tests.support.runs import FINDS, SYNTHESIS, Started, block, program, says, start

RIGHT, WRONG, CLOSE = (one.as_program() for one in (example.RIGHT, example.WRONG, example.CLOSE))


def proof_of(run: Started) -> SessionFolder:
    """The folder of the run's latest proof."""
    found = runs.latest_proof(run.folder)
    assert found is not None
    return found


def wait_finished(run: Started) -> Started:
    """Patches are tried meanwhile."""
    run.wait(lambda: not (run.folder.workspace.active / run.folder.run_id).exists(), deadline=150)
    return run


@pytest.mark.timeout(240)
def test_the_task_file_says_which_patch_holds_and_which_quote_is_invented(
    project: Project,
) -> None:
    example.with_more_tests(project)
    concludes = says(f"## Root cause\n\nSee below.\n\n{block(example.MISLED)}")
    run = wait_finished(start(project.root, RIGHT, WRONG, CLOSE, orchestrator=concludes))
    text = run.text
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert rows["Debug (1) agent1"].split("|")[2:] == [" passes ", " passes ", ""]
    assert f"**breaks 1 test**: `{example.PASSES}`" in rows["Debug (2) agent2"]
    assert "**FAILS**" in rows["Debug (3) agent3"]
    assert "**contradicted**" in text
    assert "[E77 **(no such evidence)**]" in text
    assert "shop/tax.py:99 **(no such line)**" in text
    assert "[E2 **(refuted: " in text
    assert "- Debug (3) agent3: R1: **FAILS**" in text.partition("## Recommended solution")[2]
    assert "proven: with a patch at shop/tax.py:3 the failing tests pass" in text

    prompt = run.folder.session(run.orchestrator.session_id).prompt.read_text()
    facts = prompt.partition("# What was checked by program")[2]
    assert "| Debug (2) agent2 |" in facts.partition("# The bug")[0], "the facts come first"
    status = run.status
    assert status.proof is not None
    assert (status.proof.kind, status.proof.status) == (Kind.PROOF, Status.COMPLETED)
    assert status.proof.title == f"Proof: {status.title}"
    output = proof_of(run).output.read_text()
    assert "| Debug (1) agent1 | passes | passes |" in output
    assert not list(proof_of(run).scratch.glob("*")), "nothing is left of the copies"
    assert list(proof_of(run).logs.iterdir())


HOLDS_PORT = (
    "import socket, time\nimport pytest\n\n\n"
    "@pytest.fixture(scope='session', autouse=True)\n"
    "def server():\n"
    "    with socket.socket() as held:\n"
    "        held.bind(('127.0.0.1', 45679))\n"
    "        held.listen()\n"
    "        time.sleep(0.2)\n"
    "        yield held\n"
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("confinement", ["auto", "off"])
def test_a_port_that_all_copies_use_changes_no_verdict(project: Project, confinement) -> None:
    example.with_more_tests(project)
    project.write("tests/conftest.py", HOLDS_PORT)
    project.git("add", "-A")
    project.git("commit", "-qm", "Hold a port")
    settings = {"confinement": confinement}
    text = wait_finished(start(project.root, RIGHT, WRONG, RIGHT, settings=settings)).text
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}
    assert rows["Debug (1) agent1"].split("|")[2:] == [" passes ", " passes ", ""]
    assert f"**breaks 1 test**: `{example.PASSES}`" in rows["Debug (2) agent2"]
    assert rows["Debug (3) agent3"].split("|")[2:] == [" passes ", " passes ", ""]
    if confinement == "auto":
        assert "while other copies run" not in text, "each has a loopback of its own"


@pytest.mark.timeout(240)
def test_evidence_that_does_not_exist_is_sent_back_once(project: Project) -> None:
    answers = program(
        "import json, sys\n"
        "said = json.loads(sys.argv[1])\n"
        "again = 'cites evidence that does not exist (E9)' in sys.stdin.read()\n"
        "said['rootCause'] = 'It is the sign ' + ('[E1].' if again else '[E9].')\n"
        "print('```json', json.dumps(said), '```', sep='\\n')",
        block(SYNTHESIS).split("\n")[1],
    )
    run = wait_finished(start(project.root, FINDS, FINDS, orchestrator=answers))
    assert "It is the sign [E1]." in run.text
    assert "E9" not in run.text


def test_without_a_finding_and_a_patch_nothing_is_proved(project: Project) -> None:
    run = start(project.root, says("It is the moon."), says("The sun.")).wait_finished()
    assert run.status.proof is None
    assert run.status.delivered


def test_who_wants_no_proof_has_none(project: Project) -> None:
    run = start(project.root, RIGHT, FINDS, settings={"prove": False}).wait_finished()
    assert run.status.proof is None
    assert "## Checked by program" not in run.text


@pytest.mark.timeout(240)
def test_a_single_agents_patch_is_tried_before_its_findings_are_delivered(
    project: Project,
) -> None:
    run = wait_finished(start(project.root, RIGHT))
    assert "| Debug (1) agent1 | passes | passes |" in run.text
    assert run.status.orchestrator is None


def test_a_proof_that_is_cancelled_keeps_no_run_from_its_synthesis(project: Project) -> None:
    run = start(project.root, RIGHT, FINDS, test_command="sleep 600; false")
    run.wait(lambda: run.status.proof and run.status.proof.status is Status.RUNNING)
    assert cancel_session(proof_of(run))
    run.wait_finished()
    assert run.status.proof is not None
    assert run.status.proof.status is Status.CANCELLED
    assert run.status.delivered


@pytest.mark.timeout(300)
@pytest.mark.fault(1)
def test_a_proof_that_is_killed_at_any_moment_leaves_one_synthesis_and_nothing_else(
    project: Project, times: Callable[[int, int], int]
) -> None:
    chance = random.Random(4)
    for _ in range(times(4, 40)):
        run = start(project.root, RIGHT, CLOSE, test_command="grep -q '+ price' shop/tax.py")
        run.wait(lambda run=run: runs.latest_proof(run.folder) is not None, deadline=60)
        proof = proof_of(run)
        run.wait(lambda proof=proof: proof.process.exists(), deadline=60)
        process = runs.process(proof)
        assert process is not None
        _kill_after(process.pid, chance.uniform(0, 1.5))
        run.wait(lambda run=run, proof=proof: _settled(run, proof), deadline=60)
        wait_finished(run)
        assert len(runs.orchestrators(run.folder)) == 1
        assert region_of(run.text) is not None
        assert not list(proof.scratch.glob("*")), "no copy is left"


def _kill_after(pid: int, seconds: float) -> None:
    """Kill it then, if it has not ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ended = _ends_within(descriptor, seconds)
        os.close(descriptor)
        if not ended:
            os.kill(pid, signal.SIGKILL)


def _ends_within(descriptor: int, seconds: float) -> bool:

    return bool(select.select([descriptor], [], [], seconds)[0])


def _settled(run: Started, proof: SessionFolder) -> bool:
    """Whoever looks settles it: here we do, as a server would."""
    from bug_lsp.session.delivery import move_on

    move_on(run.folder)
    return proof.result.exists()


def test_the_log_of_each_try_is_kept(project: Project) -> None:
    run = start(
        project.root, RIGHT, FINDS, test_command="echo tried; grep -q '+ price' shop/tax.py"
    )
    wait_finished(run)
    logs = [path.read_text() for path in proof_of(run).logs.iterdir() if path.is_file()]
    assert any("tried" in text for text in logs)
    assert Path(runs.load(run.folder).task_path).read_text() == run.text

"""A session that takes too much of the disk: cut short where that is enough, else ended."""

from __future__ import annotations

import os
from pathlib import Path

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.run import Status
from bug_lsp.session.room import shorten
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, REPORT, block, program, start

FILLS = program(
    "import os, time\n"
    "with open('shop/tax.py', 'a') as file: file.write('# seen\\n')\n"
    "for number in range(40):\n"
    "    with open(f'{number}.bin', 'wb') as file:\n"
    "        file.write(os.urandom(1_000_000)); file.flush(); os.fsync(file.fileno())\n"
    "print('ready', flush=True); time.sleep(600)"
)
CHATTERS = program(
    "import os, sys, time\n"
    "for number in range(200): os.write(2, b'e' * 9_999 + b'\\n')\n"
    "print('ready', flush=True)\n"
    "while b'left out' not in open('../../agent.log', 'rb').read(200): time.sleep(0.05)\n"
    "os.write(2, b'the last word\\n')\n"
    "print('done')"
)
"""Goes on when its log has been cut."""
TALKS = program(
    "import sys\n"
    "print('the beginning')\n"
    "for number in range(300): sys.stdout.write('o' * 9_999 + '\\n')\n"
    "print(sys.argv[1])",
    block(REPORT),
)


def test_a_session_that_fills_the_disk_is_ended_and_its_copy_is_gone(project: Project) -> None:
    settings = {"session_disk_limit_mb": 20, "prove": False}
    run = start(
        project.root, FILLS, FINDS, orchestrator=CONCLUDES, settings=settings
    ).wait_finished()
    failure = run.result(0).failure
    assert failure is not None
    assert failure.kind is FailureKind.QUOTA
    assert failure.message.endswith(
        " MB of the disk besides the code, more than 20 MB (sessionDiskLimitMB); its copy was "
        "removed"
    )
    session = run.sessions[0]
    assert not session.copy.exists()
    assert not session.scratch.exists()
    assert run.result(1).status is Status.COMPLETED
    assert run.orchestrator.status is Status.COMPLETED
    assert failure.message in run.output(0)


def test_the_code_itself_is_not_counted(project: Project) -> None:
    (project.root / "data.bin").write_bytes(os.urandom(9_000_000))
    grows = program(
        "import os, sys, time\n"
        "for number in range(40):\n"
        "    open('more.bin', 'ab').write(os.urandom(100_000)); time.sleep(0.05)\n"
        "print('done')"
    )
    settings = {"session_disk_limit_mb": 8, "prove": False}
    run = start(project.root, grows, settings=settings).wait_finished()
    assert run.result(0).status is Status.COMPLETED
    (project.root / "data.bin").unlink()


def test_a_session_that_says_too_much_goes_on_and_what_it_reports_is_read(
    project: Project,
) -> None:
    settings = {"session_output_limit_mb": 1, "prove": False}
    run = start(
        project.root, TALKS, FINDS, orchestrator=CONCLUDES, settings=settings
    ).wait_finished()
    result, session = run.result(0), run.sessions[0]
    assert result.status is Status.COMPLETED
    assert result.report is not None
    assert result.report.root_cause == REPORT["rootCause"]
    assert result.output_chars > 3_000_000
    assert session.events.stat().st_size + session.output.stat().st_size < 1_100_000
    assert run.output(0).count("(sessionOutputLimitMB)") == 1
    assert "with_tax subtracts" in run.output(0)
    orchestrated = run.orchestrators[0].prompt.read_text()
    assert "with_tax subtracts" in orchestrated


def test_a_log_without_end_is_cut_while_it_is_written(project: Project) -> None:
    run = start(project.root, CHATTERS, settings={"session_output_limit_mb": 1}).wait_finished()
    assert run.result(0).status is Status.COMPLETED
    log = run.sessions[0].log.read_text()
    assert len(log) < 200_000
    assert "are left out: this file may have 0.1 MB" in log
    assert log.rstrip().endswith("the last word")
    assert run.output(0).count("**agent.log is cut short**") == 1


def test_a_log_that_was_long_at_the_end_is_cut_then(project: Project) -> None:
    chatters = program("import os; os.write(2, b'e' * 1_000_000); print('done')")
    run = start(project.root, chatters, settings={"session_output_limit_mb": 1}).wait_finished()
    assert run.result(0).status is Status.COMPLETED
    assert run.sessions[0].log.stat().st_size < 200_000


def test_a_log_that_is_short_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    log.write_text("short\n")
    assert not shorten(log, 1_000)
    assert log.read_text() == "short\n"
    assert not shorten(tmp_path / "none.log", 1_000)

"""Patches, commands and projects that go wrong: each is named, nothing crashes, nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from bug_lsp.domain.proof import SUITE
from bug_lsp.session.confinement import confinement

from .benches import Trials, table
from .test_matrix import RIGHT

ADDED = "--- /dev/null\n+++ b/{}\n@@ -0,0 +1 @@\n+evil\n"
FAILS = "exit 3"
EVIL = "import pathlib\n\n\ndef test_evil():\n    pathlib.Path({!r}, 'x').write_text('')\n"


async def problems(trials: Trials) -> list[str]:
    trial = await trials.run(test_command=FAILS)
    assert set(table(trial).values()) == {"notApplied"}
    details = [cell.detail for cell in trial.cells if cell.check == "R1"]
    assert details == [patch.problem for patch in trial.patches]
    return details


@pytest.mark.anyio
async def test_a_patch_that_cannot_be_laid_over_the_project_says_why(trials: Trials) -> None:
    outside = trials.tmp / "outside"
    outside.mkdir()
    (trials.project.root / "link").symlink_to(outside)
    trials.project.commit()
    missing = trials.raw(b"")
    missing.patch.unlink()
    trials.raw(b"")
    trials.raw(b"not a patch\n\0\xff")
    trials.raw(b"--- a/shop/tax.py\n+++ b/shop/tax.py\n@@ -1 +1 @@\n-other\n+text\n")
    for path in ("../evil", "/etc/evil", ".git/config", "shop/../../evil"):
        trials.raw(ADDED.format(path).encode())
    trials.raw(
        b"diff --git a/link/evil b/link/evil\nnew file mode 100644\n"
        + ADDED.format("link/evil").encode()
    )
    trials.raw(b"x" * 50_000_000)
    bomb = b"diff --git a/b b/b\nnew file mode 100644\nindex 0000000..1111111\nGIT binary patch\n"
    trials.raw(bomb + b"literal 9000000000\nabc\n\n")

    found = await problems(trials)

    assert found[:2] == ["it changed nothing"] * 2
    assert found[3] == "it does not apply: patch failed: shop/tax.py:1"
    assert [text.startswith("it does not apply: ") for text in found[2:9]] == [True] * 7
    assert found[8].endswith("is beyond a symbolic link")
    assert found[9] == "the patch is too large: 50,000,000 bytes"
    assert found[10] == "its binary files are too large: 9,000,000,000 bytes"
    assert list(outside.iterdir()) == []
    assert not Path("/etc/evil").exists()
    assert list(trials.tmp.rglob("evil")) == []


@pytest.mark.anyio
async def test_a_patch_may_rename_delete_make_links_and_hold_binary_files(trials: Trials) -> None:
    trials.project.write("old.txt", "text\n" * 20)
    trials.project.write("gone/away.txt", "text\n")
    trials.patch(
        {"new.txt": "text\n" * 20, "old.txt": None, "gone/away.txt": None, "data": b"\0\1" * 100}
    )
    command = "test -e new.txt && test ! -e old.txt && test ! -e gone && test -s data"

    trial = await trials.run(test_command=command)

    assert trial.patches[0].files == ("data", "gone/away.txt", "new.txt", "old.txt")
    assert table(trial)["1 x R1"] == "passed"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("true", "it passes on the snapshot"),
        ("read answer; while :; do :; done", "still running after 1 s"),
        ("yes", "it wrote more than 64 MB, and was ended"),
        ("kill -9 $PPID", "it was ended by SIGKILL"),
        ("kill -9 0", "it was ended by SIGKILL"),
        ("no-such-program", "the command cannot be run (exit code 127): "),
        ("./README.md", "the command cannot be run (exit code 126): "),
    ],
)
async def test_a_command_that_shows_nothing_is_no_reproduction(trials, command, reason) -> None:
    trial = await trials.run(test_command=command, cell_seconds=1, suite_command="true")

    (only,) = trial.reproductions
    assert (only.status, only.reason[: len(reason)]) == ("notReproduced", reason)
    assert trial.notes == ("nothing shows the bug: no patch can be proven",)
    logs = sum(path.stat().st_size for path in trials.bench().logs.iterdir())
    assert logs < 3_000_000


@pytest.mark.anyio
async def test_what_a_command_leaves_running_ends_with_its_cell(trials: Trials) -> None:
    """The fixture looks for what carries the mark of a cell."""
    trials.patch({"shop/tax.py": RIGHT})
    command = "(setsid sleep 1000 &) ; sleep 1000 & exit 1"

    trial = await trials.run(test_command=command, suite_command="true")

    assert table(trial)["1 x R1"] == "failed"


@pytest.mark.anyio
async def test_a_command_that_fails_now_and_then_is_flaky_and_has_no_cells(trials: Trials) -> None:
    trials.patch({"shop/tax.py": RIGHT})
    count = trials.tmp / "count"
    command = f"echo >> {count}; test $(wc -l < {count}) = 2"

    trial = await trials.run(test_command=command, slots=1, suite_command="true")

    (only,) = trial.reproductions
    assert (only.status, only.reason) == ("flaky", "it fails in 2 of 3 runs: it exited with 1")
    assert table(trial) == {"1 x suite": "passed"}


@pytest.mark.anyio
async def test_a_project_without_tests_has_nothing_to_run(trials: Trials) -> None:
    trials.patch({"tests/test_tax.py": None})
    trials.project.git("rm", "-q", "-r", "tests")
    trials._base = None
    trials.patch({"shop/tax.py": RIGHT})
    del trials.candidates[0]

    trial = await trials.run()

    assert (trial.reproductions, trial.suite, trial.cells) == ((), None, ())
    assert trial.notes[0].startswith("there is nothing to run: the project has no tests")


@pytest.mark.anyio
async def test_after_the_time_for_all_the_cells_that_are_left_are_not_run(trials: Trials) -> None:
    trials.patch({"shop/tax.py": RIGHT})
    trials.patch({"shop/tax.py": RIGHT + "\n"})
    command = "test -e go || exit 1; sleep 100"
    trials.patch({"go": "now"})

    trial = await trials.run(test_command=command, suite_command="true", whole_seconds=5, slots=1)

    assert table(trial)["1 x R1"] == "failed"
    assert (table(trial)["3 x R1"], table(trial)["3 x suite"]) == ("notRun", "notRun")
    assert trial.cells[-1].detail == "the time for all of it, 5 s, was over"
    assert trial.cells[-1].check == SUITE


@pytest.mark.anyio
async def test_under_a_sandbox_the_same_comes_out_and_nothing_outside_is_written(
    trials: Trials,
) -> None:
    trials.patch({"shop/tax.py": RIGHT})
    trials.patch(
        {"shop/tax.py": RIGHT, "tests/test_evil.py": EVIL.format(str(trials.project.root))}
    )
    scratch = trials.tmp / "scratch"
    scratch.mkdir()
    means = confinement([scratch], protected=[trials.project.root])
    assert means.by is not None, means.problem

    trial = await trials.run(confine=means.prefix, scratch=scratch)

    assert table(trial)["1 x R1"] == table(trial)["2 x R1"] == "passed"
    evil = next(cell for cell in trial.cells if cell.check == "suite" and cell.outcome == "failed")
    assert "Read-only file system" in evil.detail


@pytest.mark.anyio
async def test_a_cancel_in_the_middle_of_a_cell_leaves_no_process(trials: Trials) -> None:
    """The fixture looks for what carries the mark of a cell."""
    trials.patch({"shop/tax.py": RIGHT})
    running = trials.tmp / "running"
    os.mkfifo(running)

    async with anyio.create_task_group() as group:
        command = f"(setsid sleep 1000 &); echo > {running}; sleep 1000"
        group.start_soon(lambda: trials.run(test_command=command, suite_command="true"))
        await anyio.to_thread.run_sync(running.read_text)  # until the command has opened it, too
        group.cancel_scope.cancel()

"""Cells that run at the same time: what they share is not held against a patch."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bug_lsp.agents.network import has_own_network
from bug_lsp.domain.events import ToolCall
from bug_lsp.proof import Trial
from bug_lsp.session.confinement import confinement
from bug_lsp.store.copy_environment import temporary_root

from .benches import Trials, table
from .test_matrix import RIGHT, WRONG, ZERO

PORT = 45678
HOLDS_PORT = (
    "import socket, time\nimport pytest\n\n\n"
    "@pytest.fixture(scope='session', autouse=True)\n"
    "def server():\n"
    "    with socket.socket() as held:\n"
    f"        held.bind(('127.0.0.1', {PORT}))\n"
    "        held.listen()\n"
    "        time.sleep(0.2)\n"
    "        yield held\n"
)
HOLDS_FILE = (
    "import os, pathlib, time\nimport pytest\n\n"
    "LOCK = pathlib.Path({path!r})\n\n\n"
    "@pytest.fixture(scope='session', autouse=True)\n"
    "def lock():\n"
    "    os.close(os.open(LOCK, os.O_CREAT | os.O_EXCL))\n"
    "    time.sleep(0.2)\n"
    "    yield\n"
    "    LOCK.unlink()\n"
)
SHARES_DATABASE = (
    "import sqlite3, time\nimport pytest\n\n\n"
    "@pytest.fixture(scope='session', autouse=True)\n"
    "def database():\n"
    "    own = sqlite3.connect({path!r}, timeout=0.05, isolation_level=None)\n"
    "    own.execute('begin exclusive')\n"
    "    time.sleep(0.2)\n"
    "    yield own\n"
    "    own.execute('rollback')\n"
    "    own.close()\n"
)
CALLS = (
    "import socket\nfrom shop.tax import with_tax\n\n\ndef test_service():\n"
    "    with socket.create_connection(('127.0.0.1', {port}), 5):\n"
    "        assert with_tax(100, 0.1) == 110\n"
)


def cut_off(trials: Trials) -> tuple[str, ...]:
    """What holds cells to their folders and gives each a network of its own, on this machine."""
    scratch = trials.tmp / "scratch"
    scratch.mkdir(parents=True)
    found = confinement([scratch], [trials.project.root], private_home=True).without_network()
    assert has_own_network(found.prefix)
    return found.prefix


@contextmanager
def service() -> Iterator[int]:
    """Something of the user's that listens; yields its port."""
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        listens.listen(100)
        yield listens.getsockname()[1]


def patched(trials: Trials, conftest: str) -> Trials:
    """A project whose tests share something, three patches of which one is wrong."""
    trials.project.write("tests/conftest.py", conftest)
    trials.project.write("tests/test_zero.py", ZERO)
    trials.patch({"shop/tax.py": RIGHT})
    trials.patch({"shop/tax.py": WRONG})
    trials.patch({"shop/tax.py": RIGHT + "\n# Right, too.\n"})
    return trials


def as_alone(trial: Trial) -> None:
    """The right patches pass, the wrong one does not, and the bug is seen."""
    assert [one.status for one in trial.reproductions] == ["reproduced"]
    assert trial.reproductions[0].reason.startswith("AssertionError: assert 90.0 == 110")
    assert table(trial) == {
        "1 x R1": "passed",
        "1 x suite": "passed",
        "2 x R1": "passed",
        "2 x suite": "failed",
        "3 x R1": "passed",
        "3 x suite": "passed",
    }
    assert [cell.regression_count for cell in trial.cells if cell.check == "suite"] == [0, 1, 0]


@pytest.mark.anyio
async def test_copies_that_use_the_same_port_do_not_meet(trials: Trials) -> None:
    confine = cut_off(trials)
    trial = await patched(trials, HOLDS_PORT).run(confine=confine)
    as_alone(trial)
    assert trial.notes == ()


@pytest.mark.anyio
async def test_what_tests_write_to_the_users_home_is_seen_by_no_other_copy(trials: Trials) -> None:
    confine = cut_off(trials)
    path = str(Path.home() / "shop.lock")
    trial = await patched(trials, HOLDS_FILE.replace("{path!r}", repr(path))).run(confine=confine)
    as_alone(trial)
    assert trial.notes == ()
    assert not Path(path).exists()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "conftest",
    [HOLDS_PORT, HOLDS_FILE, SHARES_DATABASE],
    ids=["port", "file", "database"],
)
async def test_what_fails_only_beside_other_cells_is_run_alone(
    trials: Trials, conftest: str
) -> None:
    path = str(trials.tmp / "shared")
    trial = await patched(trials, conftest.replace("{path!r}", repr(path))).run(slots=3)
    as_alone(trial)
    assert trial.notes
    assert all(
        note.endswith("gives another result while other copies run their tests: it was run alone")
        for note in trial.notes
    )


@pytest.mark.anyio
async def test_a_command_that_fails_only_beside_other_cells_is_run_alone(trials: Trials) -> None:
    check = (
        "import socket, time\nfrom shop.tax import with_tax\n"
        "with socket.socket() as held:\n"
        f"    held.bind(('127.0.0.1', {PORT}))\n"
        "    time.sleep(0.2)\n"
        "    assert with_tax(100, 0.1) == 110\n"
    )
    trials.project.write("check.py", check)
    for number in range(4):
        trials.patch({"shop/tax.py": RIGHT + f"\n# {number}\n"})
    trials.patch({"README.md": "# Changed\n"})
    command = "PYTHONPATH=. python3 check.py || exit 1"
    trial = await trials.run(test_command=command, suite_command=command, slots=3)
    assert [cell.outcome for cell in trial.cells] == ["passed"] * 8 + ["failed"] * 2
    assert len(trial.notes) == 1
    assert trial.notes[0].startswith(f"`{command}` gives another result while other copies run")


@pytest.mark.anyio
async def test_a_failure_that_is_that_of_the_snapshot_is_not_run_again(trials: Trials) -> None:
    trials.patch({"README.md": "# Changed\n"})
    trials.patch({"README.md": "# Changed again\n"})
    await trials.run(slots=3)
    said = [event.detail for event in trials.events if isinstance(event, ToolCall)]
    assert not [detail for detail in said if detail.startswith("Debug") and "alone" in detail]


@pytest.mark.anyio
async def test_each_cell_has_its_own_temporary_folder_short_enough_for_a_socket(
    trials: Trials,
) -> None:
    saved = trials.tmp / "seen"
    trials.patch({"shop/tax.py": RIGHT})
    command = (
        'echo "$BUG_LSP_COPY $BUG_LSP_PORT_OFFSET $TMPDIR $TMP $TEMP $XDG_RUNTIME_DIR"'
        f" >> {saved};"
        ' test -z "$(ls $TMPDIR)" && touch $TMPDIR/left'
        " && stat -c %a $XDG_RUNTIME_DIR | grep -q 700"
        " && grep -q 'price +' shop/tax.py"
    )
    trial = await trials.run(test_command=command, first_copy=4)
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}
    for line in saved.read_text().splitlines():
        number, offset, *folders, runtime = line.split()
        assert int(number) in {4, 5}
        assert int(offset) == 100 * int(number)
        assert len(set(folders)) == 1
        assert len(folders[0]) < 40
        assert runtime != folders[0]
    assert not temporary_root(trials.tmp / "scratch").exists()


@pytest.mark.anyio
async def test_tests_that_need_a_service_of_the_users_are_given_the_network(
    trials: Trials,
) -> None:
    with service() as port:
        trials.project.write("tests/test_tax.py", CALLS.format(port=port))
        trial = await patched(trials, "").run(confine=cut_off(trials))
    as_alone(trial)
    assert [note for note in trial.notes if "testsNeedNetwork" in note] == list(trial.notes)
    assert len(trial.notes) == 1


SKIPS = (
    "import socket\nimport pytest\nfrom shop.tax import with_tax\n\n\n"
    "@pytest.fixture\ndef service():\n"
    "    try:\n        socket.create_connection(('127.0.0.1', {port}), 5).close()\n"
    "    except OSError:\n        pytest.skip('no service')\n\n\n"
    "def test_service(service):\n    assert with_tax(0, 0.1) == 0\n"
)


@pytest.mark.anyio
async def test_a_test_that_is_skipped_only_without_the_network_counts(trials: Trials) -> None:
    with service() as port:
        trials.project.write("tests/test_service.py", SKIPS.format(port=port))
        trials.patch({"shop/tax.py": RIGHT})
        trials.patch({"shop/tax.py": WRONG})
        trial = await trials.run(confine=cut_off(trials))
    broken = [cell.regressions for cell in trial.cells if cell.check == "suite"]
    assert broken == [(), ("tests/test_service.py::test_service",)]
    assert [note for note in trial.notes if "testsNeedNetwork" in note] == list(trial.notes)


@pytest.mark.anyio
async def test_a_bug_that_looks_like_a_lack_of_the_network_stays_one_without_it(
    trials: Trials,
) -> None:
    refuses = "def with_tax(price, rate):\n    raise ConnectionRefusedError\n"
    trials.project.write("shop/tax.py", refuses)
    trials.patch({"shop/tax.py": RIGHT})
    trial = await trials.run(confine=cut_off(trials))
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "passed"}
    assert trial.notes == ()


@pytest.mark.anyio
async def test_a_test_that_fails_now_and_then_is_flaky_whatever_runs_beside_it(
    trials: Trials,
) -> None:
    count = trials.tmp / "count"
    once = (
        "import pathlib, shop.tax\n\n\ndef test_once():\n"
        f"    path = pathlib.Path({str(count)!r})\n"
        "    first = shop.tax.with_tax(1, 1) == 2 and not path.exists()\n"
        "    path.write_text('x') if first else None\n"
        "    assert not first\n"
    )
    trials.project.write("tests/test_once.py", once)
    trials.patch({"shop/tax.py": RIGHT})
    trial = await trials.run()
    assert table(trial) == {"1 x R1": "passed", "1 x suite": "flaky"}
    assert trial.notes == ()


def test_a_folder_of_somebody_elses_is_not_used_for_temporary_files(tmp_path: Path) -> None:
    from bug_lsp.store import copy_environment

    scratch = tmp_path / "a-scratch-folder-with-quite-a-long-name"
    root = temporary_root(scratch)
    root.symlink_to(tmp_path)
    try:
        with pytest.raises(FileExistsError):
            copy_environment.make_temporary_root(scratch)
    finally:
        root.unlink()

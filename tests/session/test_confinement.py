"""What an agent does outside its copy: refused where it is confined, else reported."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.run import Status
from bug_lsp.session import confinement as module
from bug_lsp.session.cancel import cancel_run
from bug_lsp.session.confinement import BUBBLEWRAP, confinement, seatbelt_profile
from tests.support.projects import fingerprint, small_project
from tests.support.runs import FINDS, WAITS, program, start, turnstile

WRITES = (
    "import json, os, pathlib, sys\n"
    "said = {}\n"
    "for name in sys.argv[1:]:\n"
    "    try:\n"
    "        pathlib.Path(name).write_text('broken = True\\n')\n"
    "        said[name] = 'written'\n"
    "    except OSError as error:\n"
    "        said[name] = error.strerror\n"
    "print(json.dumps(said))"
)
"""An agent that writes where it is told to, and says what came of it."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_what_is_not_its_own_is_refused_to_an_agent_that_is_confined(tmp_path, home) -> None:
    own = small_project(tmp_path / "own")
    before = fingerprint(own.root)
    with turnstile(tmp_path / "turnstile") as stile:
        first = start(own.root, stile.agent(), FINDS)
        first.wait_ready(0)
        [copy] = first.sessions[0].copy.glob("*/shop/tax.py")
        victims = [
            own.root / "shop" / "tax.py",
            own.root / ".git" / "HEAD",
            home / "planted",
            copy,
            first.sessions[0].output,
            first.folder.run,
            Path("/etc/planted"),
        ]
        kept = [victim.read_bytes() if victim.exists() else None for victim in victims]
        second = start(own.root, program(WRITES, *victims, "mine.py", "/tmp/mine")).wait_finished()
        assert [v.read_bytes() if v.exists() else None for v in victims[3:4]] == kept[3:4]
        stile.let_go()
        first.wait_finished()
    said = json.loads(second.result(0).message)
    assert set(map(said.get, map(str, victims))) == {"Read-only file system"}
    assert (said["mine.py"], said["/tmp/mine"]) == ("written", "written")
    assert not Path("/tmp/mine").exists(), "temporary files are its own, and gone with it"
    assert "+broken = True" in second.result(0).patch
    assert fingerprint(own.root, without=("tasks",)) == {
        name: seen for name, seen in before.items() if not name.startswith("tasks")
    }
    assert "**confined** to its copy by bubblewrap" in second.output(0)
    assert "of your own files changed" not in second.output(0)


@pytest.mark.parametrize("agent", ["spectrum", "bisect"])
def test_the_users_tests_that_a_built_in_agent_runs_are_confined_too(tmp_path, home, agent) -> None:
    own = small_project(tmp_path / "own")
    own.write(
        "tests/test_writes.py",
        "import pathlib\n\n\ndef test_writes():\n"
        f"    pathlib.Path({str(home / 'planted')!r}).touch()\n",
    )
    own.git("add", "-A")
    own.git("commit", "-qm", "A test that writes")
    run = start(own.root, agent)
    run.wait(lambda: run.status.all_terminal, deadline=120)
    run.wait_finished()
    assert not (home / "planted").exists()
    assert "**confined** to its copy by bubblewrap" in run.output(0)


def test_what_the_user_opens_to_an_agent_it_may_write(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    mine, all_of_them = tmp_path / "mine", tmp_path / "all"
    mine.mkdir()
    all_of_them.mkdir()
    writes = program(WRITES, mine / "a", all_of_them / "b", writes=[mine])
    settings = {"writable_paths": [str(all_of_them)]}
    run = start(own.root, writes, settings=settings).wait_finished()
    assert set(json.loads(run.result(0).message).values()) == {"written"}
    assert (mine / "a").exists()
    assert (all_of_them / "b").exists()


def test_an_agent_neither_sees_nor_signals_what_runs_outside(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    looks = program(
        "import os\nprint(len([name for name in os.listdir('/proc') if name.isdigit()]))"
    )
    run = start(own.root, WAITS, looks)
    run.wait_for(1, Status.COMPLETED)
    assert int(run.result(1).message) <= 2
    cancel_run(run.folder)


def test_unconfined_a_change_of_what_is_the_users_is_reported_on_the_session_that_ran(
    tmp_path, home
) -> None:
    own = small_project(tmp_path / "own")
    victim = own.root / "shop" / "tax.py"
    planted = victim.with_name("planted.py")
    others = "../../../*/copy/own/shop/tax.py"
    writes = program(
        "import glob, os, sys\n"
        "mine = os.path.abspath('shop/tax.py')\n"
        "found = map(os.path.abspath, glob.glob(sys.argv[1]))\n"
        "sys.argv[1:2] = [name for name in found if name != mine]\n"
        + WRITES,
        others, victim, planted, home / "planted",
    )  # fmt: skip
    settings = {"confinement": "off", "max_parallel_agents": 1}
    run = start(own.root, FINDS, writes, settings=settings).wait_finished()
    output = run.output(1)
    assert "**not confined** to its copy: the setting `confinement` is off" in output
    assert "while this session ran, 4 files that are not its own changed" in output
    assert "shop/planted.py, shop/tax.py" in output
    assert "~/planted" in output
    assert f"{run.sessions[0].session_id}/copy/own/shop/tax.py" in output
    assert run.result(1).patch == "", "its own copy is as it was"


def test_an_agent_that_stays_in_its_copy_is_not_suspected(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    edits = program("open('new.py', 'w').close(); print('done')")
    run = start(own.root, edits, FINDS, settings={"confinement": "off"}).wait_finished()
    assert "not its own changed" not in run.output(0)
    assert "not its own changed" not in run.output(1)


def _without_bubblewrap(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    broken = folder / "bwrap"
    broken.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(module, "_bubblewraps", lambda: iter([str(broken)]))


def test_where_it_does_not_work_the_reason_is_given(tmp_path, monkeypatch) -> None:
    _without_bubblewrap(monkeypatch, tmp_path)
    found = confinement([tmp_path])
    assert (found.by, found.prefix) == (None, ())
    assert found.problem == (
        "bubblewrap does not work here: No permissions to create a new namespace"
    )


def test_where_it_is_not_installed_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr(module, "_bubblewraps", lambda: iter([]))
    assert confinement([]).problem == "bubblewrap is not installed (package `bubblewrap`)"


def test_a_means_that_holds_nothing_is_not_believed(tmp_path, monkeypatch) -> None:
    pretends = tmp_path / "bwrap"
    pretends.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    pretends.chmod(0o755)
    monkeypatch.setattr(module, "_bubblewraps", lambda: iter([str(pretends)]))
    found = confinement([tmp_path])
    assert found.by is None
    assert "it keeps no folder from being written" in found.problem


def test_an_old_bubblewrap_without_overlays_will_do(tmp_path, monkeypatch) -> None:
    [real] = list(module._bubblewraps())[:1]
    old = tmp_path / "bwrap"
    old.write_text(
        '#!/bin/sh\ncase "$*" in *overlay*) echo "bwrap: Unknown option" >&2; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    old.chmod(0o755)
    monkeypatch.setattr(module, "_bubblewraps", lambda: iter([str(old)]))
    mine = tmp_path / "mine"
    mine.mkdir()
    found = confinement([mine])
    assert found.by == BUBBLEWRAP
    assert str(mine) == found.prefix[found.prefix.index("TMPDIR") + 1]


def test_where_a_network_of_ones_own_cannot_be_had_all_goes_on_without_it(
    tmp_path, monkeypatch
) -> None:
    real = next(module._bubblewraps())
    refuses = tmp_path / "bwrap"
    refuses.write_text(
        '#!/bin/sh\ncase "$*" in *unshare-net*)'
        ' echo "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted" >&2; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    refuses.chmod(0o755)
    monkeypatch.setattr(module, "_bubblewraps", lambda: iter([str(refuses)]))
    mine = tmp_path / "mine"
    mine.mkdir()
    found = confinement([mine])
    assert found.by == BUBBLEWRAP
    assert found.without_network() == found


TAKES_PORT = (
    "import socket\n\n\ndef test_takes_port():\n"
    "    with socket.socket() as own:\n        own.bind(('127.0.0.1', {port}))\n"
    "        own.listen()\n"
    "        socket.create_connection(('127.0.0.1', {port})).close()\n"
)


@pytest.mark.parametrize("needs", [False, True], ids=["own network", "the user's network"])
def test_a_built_in_agent_has_a_loopback_of_its_own_unless_tests_need_the_network(
    tmp_path, needs
) -> None:
    own = small_project(tmp_path / "own")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        own.write("tests/test_port.py", TAKES_PORT.format(port=taken.getsockname()[1]))
        settings = {"tests_need_network": needs}
        run = start(own.root, "spectrum", settings=settings)
        run.wait(lambda: run.status.all_terminal, deadline=120)
        run.wait_finished()
    assert ("test_takes_port" in run.output(0)) is needs


def test_an_agent_with_a_model_keeps_the_network(tmp_path) -> None:
    own = small_project(tmp_path / "own")
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        listens.listen()
        calls = program(
            "import socket, sys\n"
            "socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close(); print('called')",
            listens.getsockname()[1],
        )
        run = start(own.root, calls).wait_finished()
    assert run.result(0).message.strip() == "called"


def test_an_agent_that_must_be_confined_is_not_started_where_it_cannot_be(
    tmp_path, monkeypatch
) -> None:
    own = small_project(tmp_path / "own")
    empty = tmp_path / "path"
    empty.mkdir()
    (empty / "git").symlink_to(shutil.which("git"))
    broken = empty / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setattr(sys, "path", [*sys.path])
    hides = tmp_path / "hides"
    hides.mkdir()
    (hides / "codex_cli_bin.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(hides))
    run = start(own.root, FINDS, settings={"confinement": "required"}).wait_finished()
    failure = run.status.sessions[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.PERMISSION
    assert "the setting `confinement` is required, and bubblewrap does not work here" in (
        failure.message
    )


def test_the_profile_for_a_mac_opens_the_folders_and_nothing_else() -> None:
    assert seatbelt_profile([Path("/private/a b"), Path('/private/"c')]) == (
        '(version 1) (allow default) (deny file-write*) (allow file-write* (subpath "/private/a b")'
        ' (subpath "/private/\\"c") (literal "/dev/null") (literal "/dev/zero")'
        ' (regex #"^/dev/(tty|fd|dtracehelper)"))'
    )


def test_a_service_that_listens_at_a_socket_in_tmp_answers_in_the_sandbox(tmp_path) -> None:
    place = Path("/tmp") / f"bl-test-{secrets.token_hex(4)}.sock"
    calls = f"import socket; socket.socket(socket.AF_UNIX).connect({str(place)!r})"
    try:
        with socket.socket(socket.AF_UNIX) as listens:
            listens.bind(str(place))
            listens.listen()
            held = confinement([tmp_path])
            for prefix in (held.prefix, held.without_network().prefix):
                subprocess.run([*prefix, sys.executable, "-c", calls], check=True, timeout=60)
    finally:
        place.unlink()

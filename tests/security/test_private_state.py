"""What is kept is the user's alone, and what others have put there is not read."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.lsp.main import _LogFile
from bug_lsp.store.guard import own
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, program, start

pytestmark = pytest.mark.fault(21)

CHANGES = program(
    "import pathlib, os\n"
    "path = pathlib.Path('shop/tax.py')\n"
    "path.write_text(path.read_text().replace(' - ', ' + '))\n"
    "pathlib.Path(os.environ.get('TMPDIR', '/tmp'), 'mine').write_text('x')\n"
    "print('Mended.')"
)
AGENTS_OWN = {"copy", "scratch"}
"""What is inside of these is the agent's; they themselves are closed."""


def open_to_others(state: Path) -> Iterator[str]:
    """Everything in the state folder that somebody else could read or write, but for links."""
    for folder, names, files in os.walk(state):
        for name in [*names, *files]:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & 0o077:
                yield f"{stat.filemode(mode)} {path.relative_to(state)}"
        names[:] = [name for name in names if name not in AGENTS_OWN]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_after_a_whole_run_nothing_in_the_state_folder_is_open_to_others(
    project: Project, state_dir: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        wanted = {"prove": umask == 0}  # what a proof writes too, where it could be open
        run = start(project.root, CHANGES, orchestrator=CONCLUDES, settings=wanted)
        run.wait_finished()
    finally:
        os.umask(before)
    assert run.sessions[0].patch.read_bytes()
    assert [*open_to_others(state_dir)] == []
    assert state_dir.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder of somebody else's."""
    if os.geteuid() != 0:
        return Path("/usr")
    folder = tmp_path / "foreign"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(Refused) as refused:
        own(folder)
    assert "\n" not in refused.value.message
    return refused.value.message


def test_a_state_folder_of_somebody_else_is_not_used(foreign: Path, tmp_path: Path) -> None:
    assert "belongs to another user" in refusal(foreign)
    link = tmp_path / "link"
    link.symlink_to(foreign)
    assert "belongs to another user" in refusal(link)
    if os.geteuid() == 0:  # nobody else can make somebody else's link
        theirs = tmp_path / "theirs"
        theirs.symlink_to(tmp_path)
        os.chown(theirs, 65534, 65534, follow_symlinks=False)
        assert "belongs to another user" in refusal(theirs)


def test_a_link_of_the_users_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert own(link) == link


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777, 0o720])
def test_a_state_folder_that_others_could_write_is_refused_with_what_to_do(
    tmp_path: Path, mode: int
) -> None:
    folder = tmp_path / "state-of-many"
    folder.mkdir()
    folder.chmod(mode)
    assert f"chmod 700 {folder}" in refusal(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_state_folder_that_others_could_only_read_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "readable"
    folder.mkdir()
    folder.chmod(0o755)
    own(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_state_folder_that_depends_on_where_one_stands_is_refused() -> None:
    assert "BUG_LSP_STATE_DIR" in refusal(Path("state"))


def test_neither_the_server_nor_the_terminal_reads_what_others_could_have_planted(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "planted"
    (folder / "workspaces").mkdir(parents=True)
    folder.chmod(0o777)
    for arguments in (["serve"], ["status"], ["debug", "--title", "x"], ["apply", "0" * 12]):
        done = subprocess.run(
            [sys.executable, "-m", "bug_lsp", *arguments],
            cwd=project.root,
            env={**os.environ, "BUG_LSP_STATE_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1, arguments
        assert done.stdout == ""
        assert done.stderr.startswith("bug-lsp: the state folder ")
        assert done.stderr.count("\n") == 1
    assert [path.name for path in folder.rglob("*")] == ["workspaces"]


def test_a_log_that_is_begun_anew_is_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = _LogFile(tmp_path / "server.log", maxBytes=50, backupCount=1)
        for _ in range(3):
            log.emit(logging.makeLogRecord({"msg": "x" * 40}))
        log.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("server.log*")}
    assert modes == {"server.log": 0o600, "server.log.1": 0o600}

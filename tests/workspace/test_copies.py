"""A copy for each session, and what was changed in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.ids import new_session_id
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import copies, git
from tests.support.projects import Project, content, in_every_state

from .test_capture import capture_it

_MAKE = """
import sys
from pathlib import Path
from bug_lsp.domain.run import Base
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import copies
base = Base.model_validate_json(sys.argv[1])
sys.stdin.read()
for path in sys.argv[2:]:
    copies.make(SessionFolder(Path(path)), base)
"""


def more_sessions(session: SessionFolder, count: int) -> list[SessionFolder]:
    return [
        SessionFolder(make_private(session.path.with_name(new_session_id()))) for _ in range(count)
    ]


def test_four_processes_make_copies_at_the_same_time(project: Project) -> None:
    first, base = capture_it(in_every_state(project).root)
    sessions = more_sessions(first, 12)
    makers = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                _MAKE,
                base.to_json(),
                *[str(session.path) for session in sessions[number::4]],
            ],
            stdin=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.close()
    assert [maker.wait(60) for maker in makers] == [0] * 4
    wholes = [content(session.copy / base.name) for session in sessions]
    assert all(whole == wholes[0] for whole in wholes)
    for session in sessions:
        copies.remove(session)
        assert not session.copy.exists()


def test_a_copy_that_is_there_is_kept(project: Project) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    (copy / "mine.txt").write_text("mine")
    assert copies.make(session, base) == copy
    assert (copy / "mine.txt").exists()


def test_without_the_snapshot_there_is_a_reason(project: Project) -> None:
    session, base = capture_it(project.root)
    with pytest.raises(AgentFailure, match="its copy of the code could not be made: "):
        copies.make(session, base.model_copy(update={"commit": "0" * 40}))


def _work(copy: Path) -> None:
    (copy / "new file é.py").write_text("new = 1\n")
    (copy / "empty").touch()
    (copy / "picture.bin").write_bytes(bytes(range(256)) * 10)
    (copy / "staged.py").unlink()
    (copy / "both.py").rename(copy / "renamed.py")
    (copy / "shop/tax.py").write_text("def with_tax():\n    return 1")
    (copy / "tool.sh").chmod(0o644)
    (copy / "link").unlink()
    (copy / "link").symlink_to("renamed.py")
    (copy / "out.log").write_text("ignored")


def _commit(copy: Path) -> None:
    _work(copy)
    git.run("add", "-A", cwd=copy)
    git.run("commit", "-q", "-m", "done", cwd=copy)


def _windows(copy: Path) -> None:
    (copy / "new.py").write_bytes(b"a\r\nb\n\r\n")
    (copy / "shop/tax.py").write_bytes(b"changed\r\n")


@pytest.mark.parametrize("work", [_work, _commit, _windows], ids=["changes", "commits", "CRLF"])
@pytest.mark.parametrize(
    "setting", ["x.y=z", "diff.noprefix=true", "diff.mnemonicPrefix=true", "diff.renames=copies"]
)
def test_the_patch_makes_of_the_snapshot_what_the_copy_is(
    project: Project, work: Callable[[Path], None], setting: str
) -> None:
    session, base = capture_it(in_every_state(project).root)
    copy = copies.make(session, base)
    work(copy)
    git.run("config", *setting.split("="), cwd=copy)
    patch = copies.diff(copy, base, session.index)
    fresh = copies.make(more_sessions(session, 1)[0], base)
    git.run("apply", "--whitespace=nowarn", "-", cwd=fresh, stdin=patch)
    expected = {name: seen for name, seen in content(copy).items() if name != "out.log"}
    assert content(fresh) == expected


def test_the_patch_shows_a_file_as_it_is_not_as_a_converter_shows_it(project: Project) -> None:
    project.write(".gitattributes", "*.dat diff=upper\n")
    project.write("a.dat", "abc\n")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    git.run("config", "diff.upper.textconv", "tr a-z A-Z <", cwd=copy)
    (copy / "a.dat").write_text("abd\n")
    assert b"\n-abc\n+abd\n" in copies.diff(copy, base, session.index)


def test_a_repository_that_an_agent_made_in_its_copy_does_not_cost_the_patch(
    project: Project,
) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    git.run("init", "-q", "--template=", "scratch", cwd=copy)
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    assert b"+fixed = 1" in copies.diff(copy, base, session.index)


def test_without_changes_the_patch_is_empty_and_the_copys_index_stays(project: Project) -> None:
    session, base = capture_it(in_every_state(project).root)
    copy = copies.make(session, base)
    git.run("rm", "-q", "--cached", "new.py", cwd=copy)
    index = git.text("rev-parse", "--git-path", "index", cwd=copy)
    before = Path(copy, index).read_bytes()
    assert copies.diff(copy, base, session.index) == b""
    assert Path(copy, index).read_bytes() == before


def test_what_an_agent_sets_in_its_copy_runs_nothing_when_the_patch_is_taken(
    project: Project, tmp_path: Path
) -> None:
    project.write(".gitattributes", "*.dat filter=evil diff=evil\n")
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    trap = f"touch {tmp_path}/sprung; cat"
    for name in ("filter.evil.clean", "diff.evil.command", "diff.external", "core.fsmonitor"):
        git.run("config", name, trap, cwd=copy)
    (copy / "a.dat").write_text("new\n")
    assert b"+new" in copies.diff(copy, base, session.index)
    assert not (tmp_path / "sprung").exists()


def test_what_an_agent_does_in_its_copy_reaches_neither_another_copy_nor_our_repository(
    project: Project,
) -> None:
    session, base = capture_it(in_every_state(project).root)
    (other,) = more_sessions(session, 1)
    mine, theirs = copies.make(session, base), copies.make(other, base)
    before = content(Path(base.repository)), content(theirs)
    _work(mine)
    git.run("stash", "-u", cwd=mine)
    git.run("checkout", "-q", "-b", "side", cwd=mine)
    git.run("commit", "-q", "--allow-empty", "-m", "done", cwd=mine)
    assert copies.diff(mine, base, session.index) == b""
    assert (content(Path(base.repository)), content(theirs)) == before
    assert git.text("branch", "--list", "side", cwd=theirs) == ""


def test_a_patch_that_is_too_large_is_not_kept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    (copy / "large.txt").write_text("a line\n" * 100)
    monkeypatch.setattr(copies, "MAX_PATCH_BYTES", 500)
    with pytest.raises(git.GitError, match="more than 500"):
        copies.diff(copy, base, session.index)


def test_removing_a_copy_leaves_the_others(project: Project) -> None:
    session, base = capture_it(project.root)
    (other,) = more_sessions(session, 1)
    copies.make(session, base)
    kept = copies.make(other, base)
    copies.remove(session)
    assert not session.copy.exists()
    assert git.text("status", "--porcelain", cwd=kept) == ""
    copies.remove(session)

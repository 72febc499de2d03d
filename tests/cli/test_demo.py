"""The demo, as a user without any account runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bug_lsp.demo import project
from bug_lsp.domain.region import region_of
from bug_lsp.domain.related import sections

from .conftest import User

CULPRIT = "5b7072f"
BUGGY = "invoices/money.py:7"


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_it_finds_the_line_and_the_commit(user: User):
    folder = user.root / "demo"
    done = user.run("demo", "--keep", folder)
    assert done.returncode == 0, done.stderr
    made = folder / project.NAME
    found = sections(region_of((made / project.TASK).read_text())[1])
    assert next(iter(found)).startswith(
        "Synthesis (proven: with a patch at invoices/money.py:7 the failing tests pass"
    )
    first = next(line for line in found["Root cause"].splitlines() if line.startswith("- "))
    assert first.startswith(f"- `{BUGGY}`")
    assert "in `percent_of`" in first
    assert CULPRIT in found["Root cause"]
    assert BUGGY in done.stdout
    assert f"git -C {made} diff" in done.stdout
    assert _git(made, "status", "--short") == f"M {project.TASK}"
    assert not user.state.exists()  # the user's own runs stay their own
    (patch,) = [file.read_text() for file in folder.rglob("patch.diff") if file.stat().st_size]
    assert "+        return -((-amount * percent + 50) // 100)" in patch


def test_it_goes_into_a_temporary_folder_and_takes_other_agents(user: User):
    done = user.run("demo", "--agents", "failing")
    assert done.returncode == 1
    assert "no session completed" in done.stdout
    (left,) = (user.root / "tmp").glob("bug-lsp-demo-*")
    assert (left / project.NAME / project.TASK).exists()


def test_a_folder_that_holds_something_is_left_alone(user: User):
    done = user.run("demo", "--keep", user.project)
    assert done.returncode == 2
    assert done.stderr == f"bug-lsp: --keep: {user.project} is not empty; name a new folder\n"


def test_the_history_is_the_same_whatever_the_users_git_is_set_to(tmp_path, monkeypatch):
    plain, odd = tmp_path / "plain", tmp_path / "odd"
    plain.mkdir()
    odd.mkdir()
    first = project.build(plain)
    settings = Path(os.environ["HOME"], ".gitconfig")
    settings.write_text(
        "[core]\nautocrlf = true\n[commit]\ngpgSign = true\n[apply]\nwhitespace = fix\n"
        "[am]\nthreeWay = true\n[i18n]\ncommitEncoding = latin-1\n[init]\ndefaultBranch = x\n"
    )
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = project.build(odd)
    assert _git(first, "rev-parse", "HEAD") == _git(second, "rev-parse", "HEAD")
    assert _git(first, "log", "--format=%h %s", "--", "invoices/money.py").splitlines()[1] == (
        f"{CULPRIT} percent_of no longer calls itself"
    )


def test_the_bug_is_older_than_the_tests_that_show_it(tmp_path):
    made = project.build(tmp_path)
    people = set(_git(made, "log", "--format=%an").splitlines())
    history = _git(made, "log", "--reverse", "--format=%h").splitlines()
    assert len(people) == 4
    assert len(history) == 12
    assert history.index(CULPRIT) == 5

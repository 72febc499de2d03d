"""A session's patch, applied from the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.cli import main
from tests.support.patched import Ended
from tests.support.projects import BUG, Project

RIGHT = BUG.replace("-", "+")


@pytest.fixture
def tax(project: Project) -> Path:
    return project.root / "shop" / "tax.py"


@pytest.fixture
def run(project: Project, tax: Path) -> Ended:
    """Two sessions with a patch each: the first one is proven, the second breaks a test."""
    before = tax.read_text()
    made = Ended(
        project.root,
        {"shop/tax.py": before.replace(BUG, RIGHT), "new.txt": "new\n"},
        {"shop/tax.py": before.replace(BUG, "    return 110")},
    )
    made.tried("passed", "breaks")
    return made


def test_the_proven_patch_is_applied_and_can_be_taken_out_again(
    project: Project, run: Ended, tax: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = run.sessions[0]
    command = ["apply", session.session_id[:11], "--workspace", str(project.root)]
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out == "created  new.txt\nedited   shop/tax.py\n"
    assert f"apply -R {session.patch}" in said.err
    assert RIGHT in tax.read_text()
    assert main(command) == 0
    said = capsys.readouterr()
    assert (said.out, "is in your code already" in said.err) == ("", True)
    project.git("apply", "-R", str(session.patch))
    assert project.git("status", "--porcelain") == ""


def test_the_wrong_one_is_refused_with_what_it_fails_but_for_force(
    project: Project, run: Ended, tax: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tax.read_bytes()
    command = ["apply", run.sessions[1].session_id, "--workspace", str(project.root)]
    assert main(command) == 1
    assert "is not proven: R1: passes; suite: breaks 1 test" in capsys.readouterr().err
    assert tax.read_bytes() == before
    assert main([*command, "--force"]) == 0
    assert "return 110" in tax.read_text()
    project.remember()


def test_an_unknown_session_is_refused(
    project: Project, run: Ended, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", "x", "--workspace", str(project.root)]) == 1
    assert "there is no session 'x' here" in capsys.readouterr().err
    assert main(["apply", "", "--workspace", str(project.root)]) == 1

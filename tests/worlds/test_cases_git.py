"""What git does in real projects: sparse checkouts, LFS, hidden edits, excludes, line ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bug_lsp.domain.run import Status
from tests.support.projects import Project, change_files, git
from tests.workspace.test_lfs import ATTRIBUTES, DATA, SETTINGS, with_lfs

from .shop import FIXED, all_complete, fixes, shop, shop_world
from .world import copies, debug, patched

BUILT_IN = ("spectrum", "repair", "bisect")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("outside", [True, False], ids=["a new file outside", "the cone alone"])
def test_a_copy_of_a_sparse_checkout_has_the_cone_and_new_files_outside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside: bool
) -> None:
    project = shop(tmp_path / "shop")
    project.write("b/big.bin", "x" * 1_000_000)
    project.commit("Big")
    project.git("sparse-checkout", "set", "shop", "tests", "tasks")
    if outside:
        project.write("b/new.py", "1\n")
    run = debug(shop_world(project), monkeypatch, *BUILT_IN)
    all_complete(run)
    for copy in copies(run):
        assert (copy / "b/new.py").exists() is outside
        assert not (copy / "b/big.bin").exists()
        assert (copy / "NOTES").exists(), "files of the root are in every cone"
    assert "shop/price.py:9" in run.text


@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["globally", "locally", "nowhere"])
def test_files_of_lfs_are_in_all_copies_wherever_lfs_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The program itself is not installed, and there is no remote."""
    project = shop(tmp_path / "shop")
    project.write(
        "tests/test_data.py",
        "import unittest\n\n\nclass DataTest(unittest.TestCase):\n    def test_rows(self):\n"
        '        with open("data.bin", "rb") as file:\n'
        f"            self.assertEqual(len(file.read()), {len(DATA)})\n",
    )
    with_lfs(project)
    config = tmp_path / "gitconfig"
    if where == "globally":
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for key, value in SETTINGS.items() if where != "nowhere" else ():
        place = ("--local",) if where == "locally" else ("--file", str(config))
        git("config", *place, f"filter.lfs.{key}", value, cwd=project.root)
    run = debug(shop_world(project), monkeypatch, *BUILT_IN)
    all_complete(run)
    assert {(copy / "data.bin").read_bytes() for copy in copies(run)} == {DATA}
    assert "shop/price.py:9" in run.text
    assert (project.root / ".gitattributes").read_text() == ATTRIBUTES
    for number in range(len(BUILT_IN)):
        assert set(patched(run, number)) <= {"shop/price.py"}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("option", ["--skip-worktree", "--assume-unchanged"])
def test_edits_that_git_was_told_to_overlook_are_in_the_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    project = shop(tmp_path / "shop")
    code = FIXED.replace("result - discount", "result + SIGN * discount")
    project.write("shop/price.py", f"from shop.config import SIGN\n\n\n{code}")
    project.write("shop/config.py", "SIGN = -1\n")
    project.commit("Sign from the configuration")
    project.git("update-index", option, "shop/config.py")
    project.write("shop/config.py", "SIGN = 1\n")
    assert project.git("status", "--short", "shop") == ""
    run = debug(shop_world(project), monkeypatch, *BUILT_IN)
    all_complete(run)
    assert {(copy / "shop/config.py").read_text() for copy in copies(run)} == {"SIGN = 1\n"}
    assert "what is not committed yet made `tests/test_price.py::PriceTest::test_discount`" in (
        run.text
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["of the repository", "of the user"])
def test_what_is_excluded_outside_of_gitignore_is_in_no_patch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    project = shop(tmp_path / "shop")
    user = tmp_path / "home/.config/git/ignore"
    excludes = project.root / ".git/info/exclude" if where == "of the repository" else user
    excludes.parent.mkdir(parents=True, exist_ok=True)
    excludes.write_text("build/\nout/\n")
    change_files(project.root, {"build/mine": "mine\n"})
    big = fixes("head -c 30000000 /dev/zero > build/o; mkdir out; echo 1 > out/o")
    run = debug(shop_world(project), monkeypatch, fixes("echo object > build/o"), big)
    assert run.status.completed_count == 2
    assert patched(run, 0) == patched(run, 1) == ["shop/price.py"]


def _apply(project: Project, session: str) -> None:
    command = (sys.executable, "-m", "bug_lsp", "apply", session)
    subprocess.run(command, cwd=project.root, check=True, capture_output=True)


def _crlf_blobs(project: Project) -> None:
    text = (project.root / "shop/price.py").read_bytes().replace(b"\n", b"\r\n")
    project.write("shop/price.py", text)
    project.git("-c", "core.autocrlf=false", "commit", "-qam", "CRLF")
    project.write(".gitattributes", "*.py text eol=lf\n")
    project.commit("Attributes")


def _crlf_files(project: Project) -> None:
    project.write(".gitattributes", "* text=auto eol=crlf\n")
    project.commit("CRLF")
    (project.root / "shop/price.py").unlink()
    project.git("checkout", "shop/price.py")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", [_crlf_blobs, _crlf_files], ids=["in blobs", "in files"])
@pytest.mark.parametrize("edited", [False, True], ids=["as it was", "edited meanwhile"])
def test_a_patch_of_one_line_is_applied_and_keeps_line_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make, edited: bool
) -> None:
    project = shop(tmp_path / "shop")
    make(project)
    place = project.root / "shop/price.py"
    before = place.read_bytes()
    assert before.count(b"\r\n") == before.count(b"\n")
    run = debug(shop_world(project), monkeypatch, fixes())
    assert run.status.sessions[0].status is Status.COMPLETED
    patch = run.sessions[0].patch.read_bytes()
    lines = [line for line in patch.splitlines() if line[:1] in b"+-" and line[:3] not in b"+++---"]
    assert [line.strip(b"\r") for line in lines] == [
        b"-    return result + discount",
        b"+    return result - discount",
    ]
    if edited:
        before = before.replace(b"    result = 0\r\n", b"    result = 0  # start\r\n")
        place.write_bytes(before)
    _apply(project, run.status.sessions[0].session_id)
    assert place.read_bytes() == before.replace(b"result + discount", b"result - discount")

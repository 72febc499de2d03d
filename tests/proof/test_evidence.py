"""Findings checked against the snapshots of real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.domain.proof import Evidence, Verdict
from bug_lsp.domain.report import Finding
from bug_lsp.domain.run import Base
from bug_lsp.proof import evidence
from bug_lsp.workspace import copies, git
from tests.support.facts import session_id
from tests.support.projects import BUG, BUG_LINE, Project, empty_project, in_every_state
from tests.support.snapshots import finding, handed_in
from tests.workspace.test_capture import capture_it

VERIFIED, MOVED = Verdict.VERIFIED, Verdict.MOVED
CONTRADICTED, UNKNOWN = Verdict.CONTRADICTED, Verdict.UNKNOWN


def check(project: Project, *findings: Finding, workspace: Path | None = None) -> list[Evidence]:
    workspace = workspace or project.root
    session, base = capture_it(workspace)
    copy = copies.make(session, base)
    return list(evidence.check(base, [handed_in(*findings)], workspace, {session_id(1): copy}))


def one(project: Project, path: str, line: int, quote: str, **more: Path) -> Evidence:
    (found,) = check(project, finding(path, line, quote), **more)
    return found


def test_the_snapshot_is_what_counts_not_the_copies_nor_what_the_user_does_now(
    project: Project,
) -> None:
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    (copy / "shop/tax.py").write_text("invented = 1\n")
    (copy / "mine.py").write_text("mine = 1\n")
    project.write("shop/tax.py", "changed = 1\n")
    findings = (
        finding("shop/tax.py", BUG_LINE, BUG),
        finding("shop/tax.py", 1, "invented = 1"),
        finding("shop/tax.py", 1, "changed = 1"),
        finding("mine.py", 1, "mine = 1"),
        finding(str(copy / "shop/tax.py"), BUG_LINE, BUG),
        finding(str(project.root / "shop/tax.py"), BUG_LINE, BUG),
    )
    found = evidence.check(base, [handed_in(*findings)], project.root, {session_id(1): copy})
    assert [evidence.verdict for evidence in found] == [
        VERIFIED, CONTRADICTED, CONTRADICTED, CONTRADICTED, VERIFIED, VERIFIED,
    ]  # fmt: skip
    assert {evidence.found_path for evidence in found if evidence.verdict is VERIFIED} == {
        "shop/tax.py"
    }
    assert found[1].actual == '"""Prices."""'


def test_files_in_every_state_are_read(project: Project) -> None:
    in_every_state(project)
    found = check(
        project,
        finding("both.py", 1, "both = 2"),
        finding("new.py", 1, "new = 1"),
        finding("link", 1, "changed = 1"),
        finding("dangling", 1, "changed = 1"),
        finding("secret.log", 1, "ignored"),
        finding("README.md", 1, "# Shop"),
    )
    verdicts = [VERIFIED, VERIFIED, VERIFIED, CONTRADICTED, CONTRADICTED, CONTRADICTED]
    assert [evidence.verdict for evidence in found] == verdicts
    assert found[2].found_path == "shop/tax.py"


def test_a_line_is_the_same_where_a_checkout_turns_its_end(project: Project) -> None:
    project.git("config", "core.autocrlf", "true")
    project.write("windows.py", b"a = 1\r\nb = 2\r\n")
    project.write("unix.py", b"a = 1\nb = 2\n")
    found = check(
        project,
        finding("windows.py", 2, "b = 2\r\n"),
        finding("windows.py", 1, "a = 1\r\nb = 2"),
        finding("unix.py", 2, "b = 2\n"),
        finding("unix.py", 1, "a = 1\r\nb = 2"),
    )
    assert {evidence.verdict for evidence in found} == {VERIFIED}


def test_a_workspace_may_be_a_folder_of_the_repository(project: Project) -> None:
    inner = project.root / "shop"
    for path in ("shop/tax.py", "tax.py", str(inner / "tax.py"), "./tax.py"):
        found = one(project, path, BUG_LINE, BUG, workspace=inner)
        assert (found.verdict, found.found_path) == (VERIFIED, "shop/tax.py")
    found = one(
        project, "../tests/test_tax.py", 5, "assert with_tax(100, 0.1) == 110", workspace=inner
    )
    assert found.verdict is VERIFIED
    assert one(project, "../../x.py", 1, "x", workspace=inner).verdict is UNKNOWN


def test_a_quote_is_looked_for_in_all_other_files(project: Project) -> None:
    found = one(project, "shop/__init__.py", 7, BUG)
    assert (found.verdict, found.found_path, found.found_line) == (
        CONTRADICTED, "shop/tax.py", BUG_LINE,
    )  # fmt: skip
    found = one(project, "src/tax.py", 7, BUG)
    assert (found.verdict, found.found_path, found.found_line) == (MOVED, "shop/tax.py", BUG_LINE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\1x = 1\n", "the file is binary"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "(LFS)"),
        (b"x = 1\n" * 2_000_000, "too many to be searched"),
    ],
    ids=["binary", "LFS", "huge"],
)
def test_a_file_that_cannot_be_searched_is_unknown(
    project: Project, data: bytes, reason: str
) -> None:
    project.write("data", data)
    found = one(project, "data", 1, "y = 1")
    assert found.verdict is UNKNOWN
    assert reason in found.reason


def test_names_of_any_kind_are_found(project: Project) -> None:
    names = ["with space.py", "é.py", 'quo"te.py', "new\nline.py", "tab\t.py", "-dash.py", "a:1.py"]
    for name in names:
        project.write(name, "x = 1\n")
    (project.root / "bad\udcff.py").write_text("only = 'here'\n")
    project.remember()
    found = check(
        project,
        *(finding(name, 1, "x = 1") for name in names),
        finding("gone.py", 1, "only = 'here'"),
    )
    assert [evidence.verdict for evidence in found] == [VERIFIED] * len(names) + [CONTRADICTED]
    assert found[-1].found_line == 1
    assert all(evidence.to_json() for evidence in found)


def test_a_repository_without_a_file_contradicts_everything(tmp_path: Path) -> None:
    project = empty_project(tmp_path / "empty")
    assert one(project, "a.py", 1, "a = 1").verdict is CONTRADICTED


def test_a_snapshot_that_is_gone_is_an_error(project: Project) -> None:
    _, base = capture_it(project.root)
    gone = base.model_copy(update={"commit": "0" * 40})
    with pytest.raises(git.GitError):
        evidence.check(gone, [handed_in(finding("a", 1, "a"))], project.root, {})


def lines_of(base: Base, *places: tuple[str, int]) -> dict[tuple[str, int], str | None]:
    return dict(evidence.lines_of(base, places))


def test_the_lines_that_a_text_cites_are_told(project: Project) -> None:
    project.write("two/tax.py", "other = 1\n")
    project.write("data", b"\0\1")
    _, base = capture_it(project.root)
    assert lines_of(base, ("shop/tax.py", 3), ("shop/tax.py", 4), ("gone.py", 1)) == {
        ("shop/tax.py", 3): BUG,
        ("shop/tax.py", 4): None,
        ("gone.py", 1): None,
    }
    assert lines_of(base, ("test_tax.py", 1), ("test_tax.py", 99)) == {
        ("test_tax.py", 1): "from shop.tax import with_tax",
        ("test_tax.py", 99): None,
    }
    # Of two files of that name either may be meant.
    assert lines_of(base, ("tax.py", 1), ("tax.py", 3), ("tax.py", 9)) == {
        ("tax.py", 3): BUG,
        ("tax.py", 9): None,
    }
    assert lines_of(base, ("/etc/passwd", 1), ("data", 1), ("../x", 1)) == {}

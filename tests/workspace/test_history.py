"""Who changed which lines last is asked of the user's repository, which stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.domain.brief import Blame
from bug_lsp.workspace.history import Lines, look
from tests.support.projects import BUG, Project, git


def asked(root: Path, path: str = "shop/tax.py", first: int = 1, last: int = 3, **more) -> Blame:
    [found] = look(root, [Lines(path, first, last, more.pop("text", None))], **more)[1]
    return found


def lines_of(found: Blame) -> dict[str, tuple[int, ...]]:
    return {commit.subject: lines for commit, lines in found.commits}


def test_each_line_has_the_commit_that_changed_it_last_the_newest_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2090-11-22T10:00:00+01:00")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    project.write("shop/tax.py", f'"""Prices."""\ndef with_tax(price, tax):\n{BUG}\n')
    commit = project.commit("Name it tax")
    state, [found] = look(project.root, [Lines("shop/tax.py", 1, 3)])
    assert state == f"Checked out is commit {commit[:8]} of branch main."
    assert lines_of(found) == {"Name it tax": (2,), "The shop": (1, 3)}
    newest, _ = found.commits[0]
    assert (newest.short_hash, newest.when) == (commit[:8], "2090-11-22T09:00:00")
    assert [commit.author for commit, _ in found.commits] == ["Grace", "Ada"]
    assert found.uncommitted == ()


def test_lines_that_are_not_committed_are_told_apart(project: Project):
    project.write("shop/tax.py", f'"""Prices."""\ndef with_tax(price, tax):\n{BUG}\n')
    found = asked(project.root)
    assert lines_of(found) == {"The shop": (1, 3)}
    assert found.uncommitted == (2,)
    assert "with uncommitted changes in 1 file." in look(project.root, [])[0]


def test_lines_of_a_buffer_that_is_not_saved_are_found_where_they_are_there(project: Project):
    text = f'# new\n"""Prices."""\ndef with_tax(price, rate):\n    # é\n{BUG}\n'
    found = asked(project.root, last=5, text=text)
    assert lines_of(found) == {"The shop": (2, 3, 5)}
    assert found.uncommitted == (1, 4)


def test_a_workspace_that_is_a_folder_of_a_repository_is_asked_by_its_own_names(project: Project):
    assert lines_of(asked(project.root / "shop", "tax.py")) == {"The shop": (1, 2, 3)}


def test_a_commit_message_and_lines_that_look_like_an_answer_of_git_are_text(project: Project):
    header = "0123456789012345678901234567890123456789 1 1 1"
    project.write("odd.py", f"{header}\nsummary x\n")
    project.commit(f"{header}")
    found = asked(project.root, "odd.py", 1, 2)
    assert lines_of(found) == {header: (1, 2)}


def test_at_the_edge_of_a_shallow_clone_nobody_is_named(project: Project, tmp_path: Path):
    project.write("shop/tax.py", f'"""Prices."""\ndef with_tax(price, tax):\n{BUG}\n')
    project.commit("Name it tax")
    project.commit("Nothing")
    clone = tmp_path / "clone"
    git("clone", "-q", "--depth=1", project.root.as_uri(), str(clone), cwd=tmp_path)
    assert asked(clone) == Blame()


@pytest.mark.parametrize(
    "make",
    [
        lambda project: project.write("new.py", "x = 1\n"),
        lambda project: (project.root / "shop/tax.py").unlink() or project.remember(),
        lambda project: project.git("update-ref", "-d", "HEAD"),
        lambda project: project.write("link.py", "") and None,
    ],
    ids=["untracked", "deleted", "no commit", "not named"],
)
def test_where_there_is_no_telling_there_is_nothing(project: Project, make):
    make(project)
    path = "new.py" if (project.root / "new.py").exists() else "shop/tax.py"
    if (project.root / "link.py").exists():
        path = "../elsewhere.py"
    found = asked(project.root, path)
    assert found.commits == ()


def test_a_folder_that_is_no_repository_has_no_history(tmp_path: Path):
    (tmp_path / "a.py").write_text("x\n")
    assert look(tmp_path, [Lines("a.py", 1, 1)]) == ("", [Blame()])


def test_lines_beyond_the_end_of_the_file_have_no_history(project: Project):
    assert asked(project.root, first=20, last=30) == Blame()


def test_without_time_nothing_is_asked(project: Project):
    assert look(project.root, [Lines("shop/tax.py", 1, 3)], deadline=0) == ("", [Blame()])


def test_no_program_that_the_repository_names_is_run_and_nothing_is_written(
    project: Project, tmp_path: Path
):
    ran = tmp_path / "ran"
    project.write(".gitattributes", "*.py diff=odd filter=odd\n")
    project.commit("Attributes")
    project.git("config", "diff.odd.textconv", f"touch {ran};cat")
    project.git("config", "diff.external", f"touch {ran}")
    project.git("config", "core.fsmonitor", f"touch {ran}")
    assert lines_of(asked(project.root)) == {"The shop": (1, 2, 3)}
    assert not ran.exists()
    assert project.changed_behind_the_test() == {}

"""A session's patch for the code as it is now: brought in whole, or refused whole."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.splices import apply, clashes, lines_of, splices
from bug_lsp.session import patch
from bug_lsp.session.patch import Plan, plan
from bug_lsp.session.rework import Change
from bug_lsp.store import runs
from bug_lsp.workspace import merging, writing
from tests.support.patched import Ended, Files
from tests.support.projects import Project, content, git

LINES = "".join(f"line {number}\n" for number in range(1, 21))


def changed(number: int, text: str = "patched", within: str = LINES) -> str:
    return within.replace(f"line {number}\n", f"{text} {number}\n")


@pytest.fixture
def shop(project: Project) -> Iterator[Project]:
    """The files are the user's: a patch that is applied is the user's own change."""
    project.write("a.txt", LINES)
    project.commit()
    yield project
    project.remember()


def of(project: Project, files: Files | bytes) -> Ended:
    return Ended(project.root, files)


def planned(run: Ended, **buffers: str) -> Plan:
    by_path = {run.workspace / f"{name}.txt": text for name, text in buffers.items()}
    return plan(run.sessions[0], by_path)


def only(made: Plan) -> Change:
    [change] = made.changes
    return change


def refusal(run: Ended, **buffers: str) -> str:
    before = content(run.workspace)
    with pytest.raises(Refused) as refused:
        planned(run, **buffers)
    assert content(run.workspace) == before
    said = refused.value.message
    assert "nothing was changed" in said
    assert f"git -C {run.workspace} apply --3way {run.sessions[0].patch}" in said
    return said


def test_what_has_not_changed_since_becomes_what_the_patch_makes_of_it(shop: Project) -> None:
    change = only(planned(of(shop, {"a.txt": changed(3)})))
    assert (change.how, change.old, change.new) == ("edited", LINES, changed(3))
    assert len(splices(LINES, changed(3))) == 1


def test_what_the_user_changed_elsewhere_is_merged(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    shop.write("a.txt", changed(15, "mine"))
    change = only(planned(run))
    assert (change.how, change.new) == ("merged", changed(3, within=changed(15, "mine")))


def test_what_the_user_changed_at_the_same_place_is_refused_with_its_lines(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    shop.write("a.txt", "mine\n" + changed(3, "mine"))
    said = refusal(run)
    assert "a.txt was changed since where the patch changes it, too (line 4)" in said


def test_one_file_that_cannot_be_brought_in_keeps_all_others_out(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3), "README.md": "# New\n", "new.txt": "new\n"})
    shop.write("README.md", "# Mine\n")
    shop.write("new.txt", "mine\n")
    said = refusal(run)
    assert "README.md was changed since" in said
    assert "new.txt is new in the patch, but there is something of that name by now" in said
    assert "a.txt" not in said


def test_unsaved_text_counts_and_not_what_is_on_disk(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    change = only(planned(run, a=changed(15, "unsaved")))
    assert (change.how, change.old) == ("merged", changed(15, "unsaved"))
    assert change.new == changed(3, within=changed(15, "unsaved"))
    assert "line 3" in refusal(run, a=changed(3, "unsaved"))


def test_a_patch_that_is_in_the_code_already_changes_nothing(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3), "new.txt": "new\n", "README.md": None})
    shop.write("a.txt", changed(15, "mine", within=changed(3)))
    shop.write("new.txt", "new\n")
    (shop.root / "README.md").unlink()
    assert planned(run).changes == ()


def test_a_patch_of_which_a_part_is_in_the_code_brings_in_the_rest(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(9, within=changed(3))})
    shop.write("a.txt", changed(3))
    assert only(planned(run)).new == changed(9, within=changed(3))


def test_a_file_that_was_deleted_is_refused(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    (shop.root / "a.txt").unlink()
    assert "a.txt was deleted or renamed since (nothing" in refusal(run)


def test_a_file_that_was_renamed_is_refused_and_its_new_place_is_named(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    shop.git("mv", "a.txt", "shop/b.txt")
    assert "a.txt was deleted or renamed since (what it held is in shop/b.txt now)" in refusal(run)


def test_a_file_that_was_made_read_only_is_refused(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    (shop.root / "a.txt").chmod(0o444)
    assert "a.txt is read-only" in refusal(run)


def test_a_file_that_became_something_else_is_refused(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    (shop.root / "a.txt").unlink()
    (shop.root / "a.txt").mkdir()
    assert "a.txt is not a file any more" in refusal(run)
    (shop.root / "a.txt").rmdir()
    (shop.root / "a.txt").symlink_to("README.md")
    assert "a.txt is a symbolic link by now" in refusal(run)


def test_nothing_is_written_through_a_link_that_leads_elsewhere(
    shop: Project, tmp_path: Path
) -> None:
    run = of(shop, {"shop/tax.py": "patched\n", "shop/new.py": "new\n"})
    elsewhere = tmp_path / "elsewhere"
    (shop.root / "shop").rename(elsewhere)
    (shop.root / "shop").symlink_to(elsewhere)
    assert "shop/tax.py lies behind the symbolic link shop by now" in refusal(run)
    assert not (elsewhere / "new.py").exists()


@pytest.mark.parametrize(
    "name", ["../out.txt", ".git/hooks/post-checkout", "/etc/out.txt", "shop/../../out.txt"]
)
def test_a_patch_that_leads_out_of_the_project_is_refused(shop: Project, name: str) -> None:
    diff = f"diff --git a/{name} b/{name}\nnew file mode 100755\n--- /dev/null\n+++ b/{name}\n"
    run = of(shop, f"{diff}@@ -0,0 +1 @@\n+out\n".encode())
    before = content(shop.root)
    with pytest.raises(Refused, match="does not apply"):
        planned(run)
    assert content(shop.root) == before


def test_line_ends_of_the_users_stay_and_new_lines_have_them(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3, "patched\nand")})
    shop.write("a.txt", changed(15, "mine").replace("\n", "\r\n"))
    wanted = changed(3, "patched\nand", within=changed(15, "mine")).replace("\n", "\r\n")
    assert only(planned(run)).new == wanted


def test_line_ends_of_all_kinds_stay_outside_of_the_changed_lines(shop: Project) -> None:
    mixed = LINES.replace("line 7\n", "line 7\r\n").replace("line 20\n", "line 20")
    shop.write("a.txt", mixed)
    run = of(shop, {"a.txt": changed(3, within=mixed)})
    assert only(planned(run)).new == changed(3, within=mixed)
    shop.write("a.txt", "mine\r\n" + mixed)
    assert only(planned(run)).new == "mine\r\n" + changed(3, within=mixed)
    as_an_editor_shows_it = mixed.replace("\r\n", "\n")
    assert only(planned(run, a=as_an_editor_shows_it)).new == changed(
        3, within=as_an_editor_shows_it
    )


def test_line_ends_that_git_makes_of_its_own_are_no_change(shop: Project) -> None:
    shop.git("config", "core.autocrlf", "true")
    shop.write("a.txt", LINES.replace("\n", "\r\n"))
    run = of(shop, {"a.txt": changed(3).replace("\n", "\r\n")})
    assert only(planned(run)).how == "edited"
    assert only(planned(run)).new == changed(3).replace("\n", "\r\n")
    shop.write("a.txt", LINES)
    assert only(planned(run)).new == changed(3)


def test_a_patch_of_line_ends_alone_is_brought_in(shop: Project) -> None:
    run = of(shop, {"a.txt": LINES.replace("\n", "\r\n")})
    assert only(planned(run)).new == LINES.replace("\n", "\r\n")


def test_a_byte_order_mark_stays_on_disk_and_out_of_the_buffer(shop: Project) -> None:
    shop.write("a.txt", "\ufeff" + LINES)
    run = of(shop, {"a.txt": "\ufeff" + changed(1)})
    change = only(planned(run))
    assert (change.old, change.new) == (LINES, changed(1))
    assert change.write().after == ("\ufeff" + changed(1)).encode()
    assert only(planned(run, a=LINES)).marked is False
    assert only(planned(run, a="\ufeff" + LINES)).marked is True


def test_a_file_without_a_line_end_at_its_end_keeps_it_so(shop: Project) -> None:
    shop.write("a.txt", LINES + "end")
    run = of(shop, {"a.txt": changed(3) + "end"})
    shop.write("a.txt", changed(15, "mine") + "end")
    assert only(planned(run)).new == changed(3, within=changed(15, "mine")) + "end"
    shop.write("a.txt", LINES + "end\nmore")
    assert only(planned(run)).new == changed(3) + "end\nmore"


def test_a_new_file_and_a_deleted_one_are_told_apart(shop: Project) -> None:
    run = of(shop, {"docs/new.txt": "new\n", "README.md": None})
    deleted, created = planned(run).changes
    assert (deleted.name, deleted.how, deleted.new) == ("README.md", "deleted", None)
    assert (created.name, created.how, created.old) == ("docs/new.txt", "created", None)


def test_a_file_that_was_changed_since_is_not_deleted(shop: Project) -> None:
    run = of(shop, {"a.txt": None})
    assert "a.txt has unsaved changes, so it is not deleted" in refusal(run, a=LINES + "mine\n")
    shop.write("a.txt", LINES + "mine\n")
    assert "a.txt was changed since, so it is not deleted" in refusal(run)


def test_a_new_file_that_is_open_and_not_saved_is_not_overwritten(shop: Project) -> None:
    run = of(shop, {"new.txt": "new\n"})
    assert "new.txt is new in the patch, but it is open" in refusal(run, new="mine\n")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"\0\1", b"\0\2", "is a binary file"),
        ("é\n".encode("latin-1"), "ê\n".encode("latin-1"), "is not a text in UTF-8"),
        (b"a\rb\n", b"a\rc\n", "lone carriage return"),
        ("\ufeffa\n".encode(), b"b\n", "byte order mark"),
    ],
)
def test_what_no_edit_of_a_text_can_do_is_refused(
    shop: Project, before: bytes, after: bytes, reason: str
) -> None:
    shop.write("odd", before)
    assert re.search(f"applied: odd .*{reason}", refusal(of(shop, {"odd": after})))


def test_a_change_of_mode_is_refused_unless_it_was_made_by_hand(shop: Project) -> None:
    old_mode = b"diff --git a/a.txt b/a.txt\nold mode 100644\nnew mode 100755\n"
    run = of(shop, old_mode)
    assert "a.txt becomes executable, which no edit can do" in refusal(run)
    (shop.root / "a.txt").chmod(0o755)
    assert planned(run).changes == ()


def test_a_link_is_neither_made_nor_changed(shop: Project) -> None:
    link = (
        b"diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n"
        b"@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n"
    )
    assert "link is a symbolic link in the patch" in refusal(of(shop, link))


def test_a_file_whose_name_is_no_text_is_refused_in_words_that_can_be_sent(shop: Project) -> None:
    said = refusal(of(shop, {os.fsdecode(b"\xff.txt"): "new\n"}))
    assert "\ufffd.txt has a name that is not UTF-8" in said
    assert said.encode()


def test_a_workspace_inside_of_a_repository_has_its_patch_at_the_right_place(
    shop: Project,
) -> None:
    run = Ended(shop.root / "shop", {"shop/tax.py": "patched\n", "a.txt": changed(3)})
    made = plan(run.sessions[0], {})
    assert [one.path for one in made.changes] == [
        shop.root / "a.txt",
        shop.root / "shop" / "tax.py",
    ]


def test_on_disk_a_patch_is_brought_in_with_modes_and_taken_back_by_git(shop: Project) -> None:
    shop.write("a.txt", "\ufeff" + LINES, mode=0o755)
    before = content(shop.root)
    run = of(shop, {"a.txt": "\ufeff" + changed(3), "README.md": None, "docs/new.txt": "n\r\n"})
    made = patch.to_disk(run.sessions[0], {})
    after = content(shop.root)
    assert after["a.txt"] == ("program", ("\ufeff" + changed(3)).encode())
    assert after["docs/new.txt"] == ("file", b"n\r\n")
    assert "README.md" not in after
    subprocess.run(made.offer.backwards, shell=True, check=True)
    assert content(shop.root) == before


def test_a_new_program_can_be_run(shop: Project) -> None:
    diff = (
        b"diff --git a/run.sh b/run.sh\nnew file mode 100755\n--- /dev/null\n+++ b/run.sh\n"
        b"@@ -0,0 +1 @@\n+echo hello\n"
    )
    patch.to_disk(of(shop, diff).sessions[0], {})
    assert content(shop.root)["run.sh"] == ("program", b"echo hello\n")


def test_on_disk_nothing_is_written_behind_unsaved_text(shop: Project) -> None:
    run = of(shop, {"a.txt": changed(3)})
    before = content(shop.root)
    with pytest.raises(Refused, match=r"a\.txt has unsaved changes"):
        patch.to_disk(run.sessions[0], {shop.root / "a.txt": LINES + "unsaved\n"})
    assert content(shop.root) == before
    patch.to_disk(run.sessions[0], {shop.root / "a.txt": LINES.replace("\n", "\r\n")})
    assert (shop.root / "a.txt").read_text() == changed(3)


def test_what_is_saved_while_a_patch_is_written_stays_and_the_patch_is_made_for_it(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = of(shop, {"a.txt": changed(3)})
    moments = count()
    write = writing.write

    def saved_meanwhile(writes: list[writing.Write]) -> None:
        if next(moments) == 0:
            shop.write("a.txt", changed(15, "mine"))
        write(writes)

    monkeypatch.setattr(writing, "write", saved_meanwhile)
    patch.to_disk(run.sessions[0], {})
    assert (shop.root / "a.txt").read_text() == changed(3, within=changed(15, "mine"))


def test_where_one_file_cannot_be_written_the_others_are_as_they_were(tmp_path: Path) -> None:
    first, gone, new = (tmp_path / name for name in ("first", "gone", "new"))
    first.write_text("1")
    gone.write_text("2")
    gone.chmod(0o640)
    writes = [
        writing.Write(gone, b"2", None),
        writing.Write(first, b"1", b"one"),
        writing.Write(new, None, b"new"),
        writing.Write(first / "below", None, b"cannot be"),
    ]
    with pytest.raises(OSError, match=r"exists|directory"):
        writing.write(writes)
    assert (first.read_text(), gone.read_text(), new.exists()) == ("1", "2", False)
    assert gone.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "gone", "home"]


def test_who_has_no_patch_is_told_so(shop: Project) -> None:
    run = of(shop, b"")
    with pytest.raises(Refused, match=r"Debug \(1\) agent1 changed nothing"):
        patch.offer(run.sessions[0])
    run.sessions[0].result.unlink()
    with pytest.raises(Refused, match=r"Debug \(1\) agent1 has not ended"):
        patch.offer(run.sessions[0])
    run.prove(Proof())
    [proof] = runs.proofs(run.folder)
    with pytest.raises(Refused, match="only debug sessions change code"):
        patch.offer(proof)


def test_what_the_proof_said_is_said_of_the_patch(shop: Project) -> None:
    run = Ended(shop.root, *({"a.txt": changed(number)} for number in (1, 2, 3)))
    assert patch.offer(run.sessions[0]).facts == "it was not tried"
    run.tried("passed", "failed", "breaks")
    right, wrong, breaks = map(patch.offer, run.sessions)
    assert (right.proven, right.facts) == (
        True,
        "passes R1 and breaks none of the project's tests",
    )
    assert (wrong.proven, wrong.facts) == (False, "R1: FAILS; suite: passes")
    assert "suite: breaks 1 test: `tests/test_x.py::test_y`" in breaks.facts
    assert re.match(r"the patch of Debug \(3\) agent3 is not proven: R1: passes; ", breaks.doubt)
    run.prove(Proof())
    assert patch.offer(run.sessions[0]).proven, "a later proof that has not tried it says nothing"


def test_the_patch_as_a_document_says_whose_it_is_and_git_takes_it(
    shop: Project, tmp_path: Path
) -> None:
    run = of(shop, {"a.txt": changed(3), "new.txt": "diff --git a/x b/x\n"})
    text = patch.document(run.sessions[0])
    assert text.startswith("# The patch of Debug (1) agent1: add() subtracts\n# not proven: ")
    (tmp_path / "shown.diff").write_text(text)
    git("apply", str(tmp_path / "shown.diff"), cwd=shop.root)
    assert (shop.root / "a.txt").read_text() == changed(3)


_LINE = st.sampled_from(["a", "b", "", "  c", "d\r", "\u2028", "é"])
_TEXT = st.builds("\n".join, st.lists(_LINE, max_size=12))


@given(old=_TEXT, new=_TEXT)
def test_splices_make_the_one_text_of_the_other_and_back(old: str, new: str) -> None:
    edits = splices(old, new)
    assert apply(edits, old) == new
    assert apply(splices(new, old), new) == old
    assert all(one.end <= other.start for one, other in pairwise(edits))
    assert "".join(lines_of(old)) == old


@st.composite
def _edited(draw: st.DrawFn, who: str) -> list[str]:
    """Twelve lines, of which some are changed or gone, and new ones between."""
    found: list[str] = []
    for number in range(12):
        found += [f"{who} {number}.{more}\n" for more in range(draw(st.integers(0, 9)) // 8)]
        if draw(st.integers(0, 9)) < 8:
            found.append(f"line {number}\n")
    return found


def test_a_text_of_which_comparing_would_take_minutes_is_one_change() -> None:
    old, new = "a\n" + "\n" * 3_000 + "b\n", "c\n" + "\n" * 2_000 + "d\n"
    assert len(splices(old, new)) == 1
    assert apply(splices(old, new), old) == new


@settings(max_examples=150, deadline=None)
@given(mine=_edited("mine"), theirs=_edited("theirs"))
def test_a_merge_loses_no_line_of_the_users(mine: list[str], theirs: list[str]) -> None:
    base = [f"line {number}\n" for number in range(12)]
    texts = ("".join(base), "".join(mine), "".join(theirs))
    with tempfile.TemporaryDirectory() as scratch:
        merged = merging.three_way(*texts, Path(scratch))
    if merged is None:
        assert clashes(*texts), "it can be said where"
        return
    lines = lines_of(merged)
    assert [line for line in lines if "mine" in line] == [line for line in mine if "mine" in line]
    assert [line for line in lines if "theirs" in line] == [
        line for line in theirs if "theirs" in line
    ]
    kept = [line for line in base if line in mine and line in theirs]
    assert [line for line in lines if line in base] == kept

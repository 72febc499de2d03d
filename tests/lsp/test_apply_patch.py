"""A session's patch, brought into the code from the editor: in one edit, undone in one step, and
never at the cost of a byte of the user's."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.workspace import PositionCodec

from bug_lsp.domain.splices import splices
from bug_lsp.lsp.edits import TextEdits
from bug_lsp.lsp.text import ExactDocument, positions_at
from tests.support.patched import Ended
from tests.support.projects import content

from .editor import FULL
from .raw import Raw

pytestmark = pytest.mark.anyio

CALC = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return add(a, a)\n"
FIXED = CALC.replace("a - b", "a + b")
WRONG = CALC.replace("a - b", "5")
REPRODUCES = "import sys; sys.dont_write_bytecode = True; import calc; assert calc.add(2, 3) == 5"
PATCHES = (
    {"calc.py": FIXED, "docs/why.md": "It subtracted.\n", "old.py": None},
    {"calc.py": WRONG},
)


def client(name: str) -> dict:
    """What a real client says it can do."""
    path = Path(__file__).parent.parent / "client_capabilities" / f"{name}.json"
    said = json.loads(path.read_text())
    found = said.get("params", said)["capabilities"]
    # Our test's editor counts in UTF-16, as every client can.
    found.setdefault("general", {})["positionEncodings"] = ["utf-16"]
    return found


CLIENTS = {
    "vscode": client("vscode-languageclient-11.0.0"),
    "neovim": client("neovim"),
    "helix": client("helix"),
    "eglot": client("emacs-eglot"),
}


@pytest.fixture
async def raw():
    """A client that answers when the test does."""
    made = await Raw.start()
    yield made
    await made.end()


@pytest.fixture
def calc(project: Path) -> Path:
    """The project's program, with a bug."""
    (project / "calc.py").write_text(CALC)
    (project / "old.py").write_text("unused = 1\n")
    return project / "calc.py"


@pytest.fixture
def run(calc: Path) -> Ended:
    """Two sessions with a patch each: the first one is proven, the second breaks a test."""
    made = Ended(calc.parent, *PATCHES)
    made.tried("passed", "breaks")
    return made


def reproduces(calc: Path) -> bool:
    """Whether the bug is there."""
    done = subprocess.run(
        [sys.executable, "-c", REPRODUCES], cwd=calc.parent, capture_output=True, check=False
    )
    return done.returncode != 0


async def apply(editor, run, number=0, **more):
    return await editor.command(
        "applyPatch", {"sessionId": run.sessions[number].session_id, **more}
    )


def hows(result) -> dict[str, str]:
    return {Path(one["uri"]).name: one["how"] for one in result["files"]}


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("is_open", [True, False])
async def test_the_right_patch_makes_the_reproduction_pass_and_undo_restores_every_byte(
    open_editor, run, calc, name, is_open
):
    before = content(calc.parent)
    editor = await open_editor(CLIENTS[name])
    if is_open:
        editor.open(calc)
    assert reproduces(calc)
    result = await apply(editor, run)
    assert result["applied"]
    assert hows(result) == {"calc.py": "edited", "why.md": "created", "old.py": "deleted"}
    assert len(editor.edits) == 1
    assert editor.edits[0].label == "bug-lsp: patch of Debug (1) agent1"
    assert editor.text(calc) == FIXED
    editor.save_all()
    assert not reproduces(calc)
    assert (calc.parent / "docs" / "why.md").read_text() == "It subtracted.\n"
    assert not (calc.parent / "old.py").exists()
    again = await apply(editor, run)
    assert (again["applied"], again["files"]) == (True, [])
    assert "is in your code already" in again["message"]
    assert len(editor.edits) == 1

    editor.undo()
    editor.save_all()
    after = content(calc.parent)
    if name in {"neovim", "eglot"}:  # they leave new and deleted files to us
        del before["old.py"], after["docs/why.md"]
    assert after == before


async def test_only_the_lines_that_the_patch_changes_are_touched(open_editor, run, calc):
    editor = await open_editor()
    editor.open(calc)
    await apply(editor, run)
    [change] = editor.edits[0].edit.document_changes
    assert change.text_document.version == 1
    [edit] = change.edits
    assert (edit.range.start.line, edit.range.end.line) == (1, 2)


async def test_unsaved_text_is_kept_and_merged(open_editor, run, calc):
    editor = await open_editor(CLIENTS["vscode"])
    editor.open(calc)
    editor.type(calc, 4, "# unsaved\n")
    result = await apply(editor, run)
    assert hows(result)["calc.py"] == "merged"
    assert "calc.py merged with what was changed since" in result["message"]
    assert editor.text(calc) == FIXED.replace("\ndef double", "\n# unsaved\ndef double")
    assert calc.read_text() == CALC
    editor.undo()
    assert editor.text(calc) == CALC.replace("\ndef double", "\n# unsaved\ndef double")


async def test_what_is_typed_while_the_edit_is_on_its_way_stays(open_editor, run, calc):
    editor = await open_editor()
    editor.open(calc)
    editor.before_edit = lambda: editor.type(calc, 0, "# meanwhile\n")
    result = await apply(editor, run)
    assert len(editor.edits) == 2, "the first one was for a version that was past"
    assert result["applied"]
    assert editor.text(calc) == "# meanwhile\n" + FIXED


async def test_a_clash_is_refused_and_changes_nothing(open_editor, run, calc):
    editor = await open_editor()
    editor.open(calc)
    editor.type(calc, 1, "    # mine\n")
    before = content(calc.parent)
    with pytest.raises(JsonRpcException, match=r"calc\.py was changed since .* \(line 2\)") as said:
        await apply(editor, run)
    assert said.value.code == types.LSPErrorCodes.RequestFailed
    assert editor.edits == []
    assert content(calc.parent) == before


async def test_the_wrong_one_is_refused_with_its_failures_and_applied_by_force(
    open_editor, run, calc
):
    editor = await open_editor()
    editor.open(calc)
    with pytest.raises(JsonRpcException, match=r"breaks 1 test: `tests/test_x\.py::test_y`"):
        await apply(editor, run, 1)
    assert editor.text(calc) == CALC
    assert (await apply(editor, run, 1, force=True))["applied"]
    assert editor.text(calc) == WRONG


async def test_an_editor_that_says_no_is_asked_once(open_editor, run, calc):
    before = content(calc.parent)
    editor = await open_editor(CLIENTS["neovim"])
    editor.open(calc)
    editor.lets_edit = False
    result = await apply(editor, run)
    assert (result["applied"], result["files"]) == (False, [])
    assert "the editor did not let the patch of Debug (1) agent1 in" in result["message"]
    assert f"apply --3way {run.sessions[0].patch}" in result["message"]
    assert len(editor.edits) == 1
    assert content(calc.parent) == before


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_client_that_makes_no_edits_has_the_files_written(open_editor, run, calc, is_open):
    calc.chmod(0o640)
    editor = await open_editor({})
    if is_open:
        editor.open(calc)
    result = await apply(editor, run)
    assert hows(result) == {"calc.py": "edited", "why.md": "created", "old.py": "deleted"}
    assert "was written on disk" in result["message"]
    assert calc.stat().st_mode & 0o777 == 0o640
    assert not reproduces(calc)
    assert not (calc.parent / "old.py").exists()


async def test_without_edits_unsaved_text_is_not_written_behind(open_editor, run, calc):
    before = content(calc.parent)
    editor = await open_editor({})
    editor.open(calc)
    editor.type(calc, 4, "# unsaved\n")
    with pytest.raises(JsonRpcException, match=r"calc\.py has unsaved changes.* save it first"):
        await apply(editor, run)
    assert content(calc.parent) == before


async def test_a_new_file_that_appears_meanwhile_is_left_as_it_is(open_editor, run, calc):
    why = calc.parent / "docs" / "why.md"

    def appears() -> None:
        why.parent.mkdir()
        why.write_text("Mine.\n")

    editor = await open_editor(CLIENTS["neovim"])
    editor.before_edit = appears
    result = await apply(editor, run)
    assert hows(result) == {"calc.py": "edited", "old.py": "deleted"}
    assert "docs/why.md was to be created, but changed meanwhile and was left" in result["message"]
    assert why.read_text() == "Mine.\n"


async def test_while_one_patch_is_applied_another_is_refused(raw, run, calc):
    await raw.initialise(calc.parent.as_uri(), CLIENTS["neovim"])
    right = {"command": "applyPatch", "arguments": [run.sessions[0].session_id]}
    raw.send({"jsonrpc": "2.0", "id": 1, "method": "workspace/executeCommand", "params": right})
    while (asked := await raw.message()).get("method") != "workspace/applyEdit":
        pass
    second = await raw.ask("workspace/executeCommand", right, 2)
    assert second["error"]["code"] == types.LSPErrorCodes.RequestFailed
    assert "another patch is being applied" in second["error"]["message"]
    raw.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"applied": False}})
    first = await raw.answer(1)
    assert first["result"]["applied"] is False


async def test_odd_files_keep_every_byte(open_editor, calc):
    odd = "\ufeffé\U0001f41b\u2028\x0c one\r\ntwo\r\nthree\U0001f41b"
    calc.write_bytes(odd.encode())
    run = Ended(calc.parent, {"calc.py": odd.replace("three", "drei")})
    run.tried("passed")
    for is_open in (False, True):
        editor = await open_editor()
        if is_open:
            editor.open(calc)
        assert (await apply(editor, run))["applied"]
        editor.save(calc)
        assert calc.read_bytes().decode() == odd.replace("three", "drei")
        editor.undo()
        editor.save(calc)
        assert calc.read_bytes().decode() == odd


_LINE = st.sampled_from(["a", "b", "", "\u2028", "é\x0c", "\U0001f41b"])
_TEXT = st.lists(st.tuples(_LINE, st.sampled_from(["\n", "\r\n"])), max_size=10).map(
    lambda lines: "".join(map("".join, lines))
)


@settings(deadline=None)
@given(old=_TEXT, new=_TEXT, end=_LINE, encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_whatever_the_texts_the_edits_make_one_of_the_other(old, new, end, encoding):
    old, new = old + end, new + end
    document = ExactDocument(
        "file:///x", source=old, version=1, position_codec=PositionCodec(encoding)
    )
    edits = TextEdits.of(document, *splices(old, new)).to_wire(encoding)
    for one in reversed(edits):
        document.apply_change(
            types.TextDocumentContentChangePartial(range=one.range, text=one.new_text)
        )
    assert document.source == new


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_are_found_in_one_go_as_one_by_one(encoding):
    text = "é\U0001f41b\u2028a\r\n\nb\U0001f41bc\rd\n"
    offsets = [0, 1, 3, 6, 7, 9, 9, len(text)]
    expected = [positions_at(text, [offset], encoding)[0] for offset in offsets]
    assert positions_at(text, offsets, encoding) == expected


async def test_a_patch_is_shown_as_a_diff_with_what_is_known_of_it(open_editor, run, calc):
    editor = await open_editor()
    session = run.sessions[1]
    shown = await editor.command("showPatch", session.session_id)
    uri = f"bug-lsp:/runs/{run.folder.run_id}/{session.session_id}.diff"
    assert shown == {"uri": uri, "shown": True}
    [document] = editor.client.shown_documents
    assert document.uri == uri
    text = await editor.read(uri)
    assert text.startswith("# The patch of Debug (2) agent2: add() subtracts\n# not proven: R1: ")
    assert "+    return 5\n" in text


async def test_both_sides_of_each_file_of_a_patch_can_be_read(open_editor, run, calc):
    editor = await open_editor()
    session = run.sessions[0]
    found = await editor.command("getSessionPatch", session.session_id)
    assert found["label"] == "Debug (1) agent1"
    where = f"bug-lsp:/runs/{run.folder.run_id}/{session.session_id}"
    sides = {one["path"]: (one["before"], one["after"]) for one in found["files"]}
    assert sides == {
        "calc.py": (f"{where}/before/calc.py", f"{where}/after/calc.py"),
        "docs/why.md": (None, f"{where}/after/docs/why.md"),
        "old.py": (f"{where}/before/old.py", None),
    }
    calc.write_text("# changed since\n")
    assert await editor.read(f"{where}/before/calc.py") == CALC
    assert await editor.read(f"{where}/after/calc.py") == FIXED
    assert await editor.read(f"{where}/after/docs/why.md") == "It subtracted.\n"
    assert await editor.read(f"{where}/after/old.py") == ""
    with pytest.raises(JsonRpcException, match="does not change"):
        await editor.read(f"{where}/after/other.py")


async def test_where_there_are_no_virtual_documents_the_real_file_is_shown(open_editor, run, calc):
    capabilities = copy.deepcopy(FULL)
    del capabilities["workspace"]["textDocumentContent"]
    editor = await open_editor(capabilities)
    path = run.sessions[0].patch
    shown = await editor.command("showPatch", {"sessionId": path.parent.name})
    assert shown == {"uri": path.as_uri(), "shown": True}
    plain = await open_editor({})
    shown = await plain.command("showPatch", {"sessionId": path.parent.name})
    assert shown == {"uri": path.as_uri(), "shown": False}
    await plain.until(lambda: plain.client.messages)
    assert os.fspath(path) in plain.client.messages[0].message


async def test_an_unknown_session_and_none_at_all_are_refused(open_editor, run):
    editor = await open_editor()
    for name in ("applyPatch", "showPatch", "getSessionPatch"):
        with pytest.raises(JsonRpcException, match="sessionId"):
            await editor.command(name)
        with pytest.raises(JsonRpcException, match="there is no session"):
            await editor.command(name, "0" * 12)

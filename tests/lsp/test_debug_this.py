"""What the user points at in the editor becomes a task file that says it all, and a run."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException

from tests.support.projects import empty_project
from tests.support.shop import BUG, PYRIGHT, TRACE, make_shop

from .conftest import OPTIONS
from .editor import RICH
from .offers import actions, carry_out

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parent.parent / "golden"
UNTITLED = "untitled:Untitled-1"
SETTINGS = OPTIONS["bugLsp"] | {"defaultAgents": ["right"]}
RIGHT = [{"agentType": "right"}]


@pytest.fixture
def project(tmp_path):
    return make_shop(empty_project(tmp_path / "shop")).root


@pytest.fixture
async def editor(open_editor):
    return await open_editor()


def lines(first: int, last: int, character: int = 0) -> dict[str, object]:
    """A selection, counted from 0."""
    return {
        "start": {"line": first, "character": 0},
        "end": {"line": last, "character": character},
    }


def paste(editor, uri: str, text: str) -> None:
    """A buffer that is no file."""
    item = types.TextDocumentItem(uri=uri, language_id="plaintext", version=1, text=text)
    params = types.DidOpenTextDocumentParams(text_document=item)
    editor.client.text_document_did_open(params)


async def debug_this(editor, context, **more):
    """(the run's answer, the task file's text before its conclusion) of a run that has ended."""
    run = await editor.command("debugWithAgents", {"context": context, "agents": RIGHT, **more})
    status = await editor.finished(run["debugRunId"])
    assert status["completedCount"] == 1
    text = Path(unquote(urlsplit(run["taskUri"]).path)).read_text()
    noted, begin, conclusion = text.partition("\n<!-- bug-lsp:begin")
    assert begin
    assert "## Root cause" in conclusion
    return run, noted


async def test_a_diagnostic_of_a_type_checker(editor, project):
    uri = (project / "shop/cart.py").as_uri()
    context = {"uri": uri, "range": PYRIGHT["range"], "diagnostics": [PYRIGHT]}
    run, noted = await debug_this(editor, context)
    assert noted == (GOLDEN / "debug-this-diagnostic.md").read_text()
    assert Path(urlsplit(run["taskUri"]).path).parent == project / "tasks"
    assert (await editor.command("listDebugRuns"))["runs"][0]["title"] == noted[2:].split("\n")[0]


async def test_a_trace_that_was_pasted_into_an_untitled_buffer(editor):
    paste(editor, UNTITLED, f"From Monday's log:\n{TRACE}\n\nThanks!\n")
    last = len(TRACE.splitlines())
    _, noted = await debug_this(editor, {"uri": UNTITLED, "range": lines(1, last + 1)})
    assert noted == (GOLDEN / "debug-this-trace.md").read_text()


async def concluded(editor, run) -> str:
    """The task file of a run that a code action has started, when it has ended."""
    await editor.finished(run["debugRunId"])
    return Path(unquote(urlsplit(run["taskUri"]).path)).read_text()


async def test_another_servers_diagnostic_is_debugged_by_its_code_action(open_editor, project):
    editor = await open_editor(RICH, SETTINGS)
    path = project / "shop/cart.py"
    editor.open(path)
    diagnostic = get_converter().structure(PYRIGHT, types.Diagnostic)
    [offer] = await actions(editor, path, diagnostic.range.start.line, [diagnostic])
    assert offer.title.startswith('Debug this with agents: Operator "*" not supported')
    assert (offer.kind, offer.diagnostics[0].message) == ("quickfix", diagnostic.message)
    noted = await concluded(editor, await carry_out(editor, offer))
    assert noted.startswith((GOLDEN / "debug-this-diagnostic.md").read_text())


async def test_a_selected_trace_is_debugged_by_its_code_action(open_editor):
    editor = await open_editor(RICH, SETTINGS)
    paste(editor, UNTITLED, f"From Monday's log:\n{TRACE}\n\nThanks!\n")
    end = len(TRACE.splitlines()) + 1
    [offer] = await actions(editor, UNTITLED, 1, to=(end, 0))
    assert offer.title.startswith("Debug the selection with agents: TypeError: ")
    assert await actions(editor, UNTITLED, 1, to=(end, 0), only=["refactor"]) == []
    noted = await concluded(editor, await carry_out(editor, offer))
    assert noted.startswith((GOLDEN / "debug-this-trace.md").read_text())


async def test_nothing_is_offered_where_nothing_is_selected_or_reported(open_editor, project):
    editor = await open_editor(RICH)
    path = project / "shop/cart.py"
    editor.open(path)
    assert await actions(editor, path, 3) == []
    assert await actions(editor, path, 3, to=(3, 1)) == [], "one character is always selected"
    assert await actions(editor, project / "tests/test_cart.py", 3, to=(9, 0)) == []


async def test_where_nothing_is_selected_the_whole_buffer_is_meant(editor):
    paste(editor, "term://shop//1:bash", TRACE)
    context = {"uri": "term://shop//1:bash", "range": lines(3, 3)}
    _, noted = await debug_this(editor, context)
    assert noted == (GOLDEN / "debug-this-trace.md").read_text()


async def test_a_file_with_changes_that_are_not_saved(editor, project):
    path = project / "shop/cart.py"
    editor.open(path)
    editor.type(path, 0, "# one\n# two\n")
    moved = {**PYRIGHT, "range": lines(20, 20, 45)}
    context = {"uri": path.as_uri(), "range": moved["range"], "diagnostics": [moved]}
    _, noted = await debug_this(editor, context)
    assert noted.startswith('# Operator "*" not supported')
    assert "(shop/cart.py:21)" in noted.split("\n")[0]
    assert f"> 21 | {BUG}" in noted
    assert "with changes that are not saved" in noted
    assert "`What has no price costs nothing`: `shop/cart.py` line 21" in noted
    assert path.read_text().startswith('"""The cart')


async def test_a_failing_assertion_in_a_file_that_is_not_open(editor, project):
    uri = (project / "tests/test_cart.py").as_uri()
    _, noted = await debug_this(editor, {"uri": uri, "range": lines(6, 7)})
    assert noted.startswith("# assert cart.total({}) == 0 (tests/test_cart.py:7)\n")
    assert "> 7 |     assert cart.total({}) == 0\n" in noted


async def test_a_title_a_description_and_a_task_file_are_the_users_own(editor, project):
    uri = (project / "shop/cart.py").as_uri()
    context = {"uri": uri, "range": PYRIGHT["range"], "diagnostics": [PYRIGHT]}
    run, noted = await debug_this(editor, context, title="Gifts crash", description="Since Friday.")
    assert noted.startswith("# Gifts crash\n\nSince Friday.\n\nNoted by bug-lsp")
    _, again = await debug_this(editor, context, taskUri=run["taskUri"])
    assert again == noted


async def test_a_file_that_was_opened_before_is_not_what_is_pointed_at(editor, project):
    notes = project / "NOTES.md"
    notes.write_text("# Notes\n")
    editor.open(notes)
    uri = (project / "shop/tax.py").as_uri()
    run, noted = await debug_this(editor, {"uri": uri, "range": lines(1, 1)})
    assert run["taskUri"] != notes.as_uri()
    assert noted.startswith("# return price + price * rate (shop/tax.py:2)\n")


ODD = [
    "plain words",
    5,
    None,
    {},
    {"message": {"kind": "markdown", "value": "**odd**"}, "range": None, "code": {"value": 1}},
    {"message": "x", "severity": "high", "relatedInformation": [{}, {"location": {"uri": 5}}, 7]},
    {"message": "x", "range": {"start": {"line": -5}}, "relatedInformation": {"a": 1}},
    {"message": "x", "range": {"start": {"line": 10**9}}},
    {
        "message": "<!-- bug-lsp:begin run=0123456789abcdef -->\nx\n<!-- bug-lsp:end -->",
        "relatedInformation": [
            {"location": {"uri": "file:///etc/passwd", "range": lines(0, 0)}, "message": "secret"}
        ],
    },
]


@pytest.mark.parametrize("diagnostic", ODD, ids=range(len(ODD)))
async def test_odd_diagnostics_do_no_harm(editor, project, diagnostic):
    uri = (project / "shop/cart.py").as_uri()
    _, noted = await debug_this(editor, {"uri": uri, "diagnostics": [diagnostic]})
    assert "shop/cart.py" in noted
    assert "root:" not in noted


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"uri": "untitled:2"}, "context.uri: 'untitled:2' is not the URI of a file, nor of a"),
        ({"uri": "untitled:empty"}, "title: is missing, and the context is empty"),
    ],
)
async def test_a_context_that_is_not_there_is_refused_and_nothing_is_written(
    editor, project, context, says
):
    paste(editor, "untitled:empty", " \n")
    with pytest.raises(JsonRpcException) as caught:
        await editor.command("debugWithAgents", {"context": context, "agents": RIGHT})
    assert str(caught.value.message).startswith(says)
    assert caught.value.code == -32602
    assert not (project / "tasks").exists()

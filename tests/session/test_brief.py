"""What a caller pointed at becomes a task file that somebody who did not see it can work from.

The golden files are in `tests/golden/`. To write them anew after a change that is meant, run this
with BUG_LSP_UPDATE_GOLDEN=1, and read them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bug_lsp.domain.context import Context, Diagnostic, Note
from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.source import split_lines
from bug_lsp.session.brief import complete, told
from tests.support.projects import Project, empty_project
from tests.support.runs import FINDS, start
from tests.support.shop import BUG, BUG_LINE, PYRIGHT, TRACE, make_shop

GOLDEN = Path(__file__).parent.parent / "golden"
REPORTED = Diagnostic(
    message=PYRIGHT["message"],
    line=BUG_LINE,
    severity="error",
    source="Pyright",
    code=PYRIGHT["code"],
)
AT_BUG = Context(
    path="shop/cart.py", start_line=BUG_LINE, end_line=BUG_LINE, diagnostics=(REPORTED,)
)
PASTED = Context(path="", text=TRACE)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return make_shop(empty_project(tmp_path / "shop"))


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("BUG_LSP_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def noted(project: Project, context: Context, **texts: str) -> str:
    """The body, where the editor has these files open with these texts."""
    return told(context, project.root, lambda path: texts.get(path.name.replace(".", "_"))).body


def prompt_of(run: Any) -> str:
    return run.sessions[0].prompt.read_text()


def test_a_diagnostic_of_a_type_checker_becomes_a_task_file_and_a_run(shop: Project) -> None:
    run = start(shop.root, FINDS, title=None, context=AT_BUG)
    assert run.task.parent == shop.root / "tasks"
    before = run.text.partition("\n<!-- bug-lsp:begin")[0]
    golden("debug-this-diagnostic.md", before)
    run.wait_finished()
    assert run.text.startswith(before)
    assert BUG in prompt_of(run)


def test_a_pasted_trace_becomes_a_task_file_and_a_run(shop: Project) -> None:
    run = start(shop.root, FINDS, title=None, context=PASTED)
    before = run.text.partition("\n<!-- bug-lsp:begin")[0]
    golden("debug-this-trace.md", before)
    run.wait_finished()
    assert run.text.startswith(before)


def test_what_the_file_says_is_not_told_to_the_agents_twice(shop: Project) -> None:
    run = start(shop.root, FINDS, title=None, context=PASTED).wait_finished()
    prompt = prompt_of(run)
    assert prompt.count("unsupported operand type(s)") == run.text.count("unsupported operand") + 1
    assert "Where the user was looking" not in prompt


def test_a_title_and_a_description_of_the_callers_stand_before_it(shop: Project) -> None:
    run = start(shop.root, FINDS, title="Gifts crash", description="Since Friday.", context=PASTED)
    assert run.text.startswith("# Gifts crash\n\nSince Friday.\n\nNoted by bug-lsp")
    run.wait_finished()


def test_beside_a_task_file_the_context_is_told_and_the_file_stays(shop: Project) -> None:
    task = shop.task()
    run = start(shop.root, FINDS, task=task, context=AT_BUG, settings={"prove": False})
    prompt = prompt_of(run)
    assert "`shop/cart.py`, line 19" in prompt
    assert BUG in prompt, "the line is read from the disk"
    assert "line 19: Operator" in prompt
    run.wait_finished()
    assert "Noted by bug-lsp" not in run.text


def test_a_context_that_says_nothing_needs_a_title(shop: Project) -> None:
    with pytest.raises(BadInput, match="title: is missing, and the context is empty"):
        start(shop.root, FINDS, title=None, context=Context(path="", text=" \n"))
    assert not (shop.root / "tasks").exists()


def test_a_place_alone_is_enough(shop: Project) -> None:
    context = Context(path="shop/cart.py", start_line=BUG_LINE, end_line=BUG_LINE)
    found = told(context, shop.root, lambda _: None)
    assert found.title == "total += count * prices.get(name) (shop/cart.py:19)"
    assert f"> 19 | {BUG}" in found.body
    assert "The selected text" not in found.body, "it is shown where it stands"


def test_the_buffer_counts_and_that_it_is_not_saved_is_said(shop: Project) -> None:
    path = shop.root / "shop/cart.py"
    text = "# a new first line\n" + path.read_text()
    at = AT_BUG.model_copy(update={"start_line": 20, "end_line": 20, "diagnostics": (
        REPORTED.model_copy(update={"line": 20}),
    )})  # fmt: skip
    body = noted(shop, at, cart_py=text)
    assert f"> 20 | {BUG}" in body
    assert "with changes that are not saved" in body
    assert "`shop/cart.py` line 20\n" in body, "the commit of the line, where it is now"
    assert "not saved" not in noted(shop, AT_BUG, cart_py=path.read_text())


def test_lines_that_are_not_committed_are_named(shop: Project) -> None:
    path = shop.root / "shop/cart.py"
    shop.write("shop/cart.py", path.read_text().replace("total = 0.0", "total = 0"))
    body = noted(shop, AT_BUG)
    assert "- not committed yet: `shop/cart.py` line 17\n" in body
    assert "with uncommitted changes in 1 file." in body


def test_places_that_a_diagnostic_refers_to_are_shown(shop: Project) -> None:
    note = Note(message="`with_tax` is declared here", path="shop/tax.py", line=1)
    one = REPORTED.model_copy(update={"notes": (note,)})
    body = noted(shop, AT_BUG.model_copy(update={"diagnostics": (one,)}))
    assert "- `shop/tax.py:1`: `with_tax` is declared here\n" in body
    assert "### `shop/tax.py:1`: `with_tax` is declared here\n" in body
    assert "> 1 | def with_tax(price, rate):" in body


def test_diagnostics_close_together_share_their_code(shop: Project) -> None:
    near = REPORTED.model_copy(update={"line": 17, "message": "Another one"})
    body = noted(shop, AT_BUG.model_copy(update={"diagnostics": (REPORTED, near)}))
    assert body.count("```python") == 1
    assert "`shop/cart.py:17`, error of Pyright" in body


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shop/cart.py", "shop/cart.py"),
        ("./shop/cart.py", "shop/cart.py"),
        ("{root}/shop/cart.py", "shop/cart.py"),
        ("/home/ci/elsewhere/shop/cart.py", "shop/cart.py"),
        ("C:\\work\\shop\\cart.py", "shop/cart.py"),
        ("/app/main.py", None),
        ("/home/ci/shop/main.py", "main.py"),
        ("/usr/lib/python3.11/shop/cart.py", None),
        ("/x/site-packages/shop/cart.py", None),
        ("../cart.py", None),
        ("/etc/passwd.py", None),
        ("util.py", None),
        ("b/util.py", "b/util.py"),
        ("secret.py", None),
        ("out.py", None),
    ],
)
def test_a_frame_is_found_where_it_means_one_file_of_the_workspace(
    shop: Project, tmp_path: Path, written: str, meant: str | None
) -> None:
    (tmp_path / "out.py").write_text("outside = 1\n" * 30)
    for name in ("main.py", "a/util.py", "b/util.py", "secret.py"):
        shop.write(name, "x = 1\n" * 30)
    shop.write(".gitignore", "secret.py\n")
    (shop.root / "out.py").symlink_to(tmp_path / "out.py")
    shop.remember()
    path = written.format(root=shop.root)
    trace = f'Traceback (most recent call last):\n  File "{path}", line 19, in f\nError: x\n'
    body = noted(shop, Context(path="", text=trace))
    if meant is None:
        assert "```python" not in body
    else:
        assert f"### `{meant}:19` in `f`\n" in body
        assert "1 frame in libraries" not in body


def test_of_a_long_trace_the_innermost_frames_are_shown_and_the_rest_counted(shop: Project) -> None:
    shop.write("deep.py", "".join(f"x = {number}\n" for number in range(1, 401)))
    frames = "".join(f'  File "deep.py", line {line}, in f{line}\n' for line in range(20, 400, 20))
    body = noted(shop, Context(path="", text=f"Traceback:\n{frames}RecursionError: too deep\n"))
    assert body.index("### `deep.py:380`") < body.index("### `deep.py:360`")
    assert body.count("```python") == 8
    assert "11 more places left out." in body
    assert len(body) < 20_000


def test_a_trace_in_a_log_of_the_workspace_is_quoted_with_its_place(shop: Project) -> None:
    shop.write("run.log", f"start\n{TRACE}end\n")
    lines = len(split_lines(TRACE))
    context = Context(path="run.log", start_line=2, end_line=lines)
    found = told(context, shop.root, lambda _: None)
    assert f"In `run.log:2-{lines}`:" in found.body
    assert "### `shop/cart.py:19` in `total`" in found.body
    assert found.title.startswith("TypeError: ")


def test_a_binary_a_pipe_and_a_huge_file_are_not_read(shop: Project) -> None:
    shop.write("a.py", b"\0" * 100)
    os.mkfifo(shop.root / "b.py")
    shop.write("c.py", b"x\n" * 3_000_000)
    for name in ("a.py", "b.py", "c.py"):
        context = Context(path=name, start_line=1, end_line=1)
        assert complete(context, shop.root, lambda _: None) == context
        assert "```" not in noted(shop, context)
    (shop.root / "b.py").unlink()


def test_a_folder_without_git_has_its_code_and_no_history(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop/cart.py").write_text("x = 1\n" * 30)
    body = told(PASTED, folder, lambda _: None).body
    assert "> 19 | x = 1" in body
    assert "Recent commits" not in body
    assert body.startswith("Noted by bug-lsp from the editor and from git.\n")


def test_a_text_that_is_no_file_is_told_whole_with_what_is_reported(shop: Project) -> None:
    found = Diagnostic(message="Undefined variable", line=2, severity="error", source="Pyright")
    body = noted(shop, Context(path="", text="x = 1\ny = z\n", diagnostics=(found,)))
    assert "Line 2, error of Pyright:\n" in body
    assert "```text\nx = 1\ny = z\n```" in body

"""The whole job in the real Neovim, with the plugin and with nothing but the README's lines."""

from __future__ import annotations

import re

import pytest

from tests.support import example, runs
from tests.support.projects import BUG
from tests.support.projects import TASK as TASK_TEXT

from .conftest import speaks_slowly
from .neovim import PLUGIN, ROOT

pytestmark = pytest.mark.timeout(120)

WITH_PLUGIN = f"vim.opt.rtp:prepend('{PLUGIN}')\nvim.lsp.enable('bug_lsp')"
TASK = "tasks/prices.md"
STATUS = "require('bug_lsp').status()"


def readme_lines() -> str:
    """What the README says is to be put into init.lua."""
    text = (ROOT / "README.md").read_text()
    [lines] = re.findall(r"```lua\n(vim\.lsp\.config\(.*?)```", text, re.DOTALL)
    return lines


def test_the_whole_job(task, real_agents, open_neovim):
    editor = open_neovim(WITH_PLUGIN)
    editor.do(f"edit {TASK}")
    editor.until("#vim.lsp.get_clients({ name = 'bug_lsp' }) > 0")
    editor.until_screen("Debug with agents")  # the code lens above the title

    assert editor.act("Debug with agents") == ["Debug with agents"]
    editor.until_screen("Debug (1) codex: completed in")
    editor.until_screen("claude: writing")
    editor.lua("vim.api.nvim_buf_set_lines(0, 2, 2, false, { 'Seen since Tuesday.', '' })")
    editor.choosing("Debug (2) claude (running")
    editor.do("BugCancel")
    editor.until_screen("Debug (2) claude: cancelled after")

    _orchestrator_grows(editor)
    editor.until_text(TASK, "## Root cause")
    editor.until_said("'Prices are too low' is done (1 of 2 sessions completed)")
    text = editor.text(TASK)
    assert "Seen since Tuesday." in text
    assert "The tax is subtracted at shop/tax.py:3." in text
    assert task.read_text() == TASK_TEXT, "it is for the user to save"
    assert [one["prompt"] for one in editor.asked] == ["Code actions:", "Cancel"]
    editor.do("undo")
    assert editor.text(TASK).startswith("# Prices are too low\n\nSeen since Tuesday.")
    assert "## Root cause" not in editor.text(TASK)
    editor.do("redo", "write")

    _patch_is_applied_and_undone(editor)
    assert editor.servers() == 1


def _orchestrator_grows(editor):
    """Its document opens beside, and is followed until the user looks at something in it."""
    live = "vim.fn.bufnr('bug-lsp:/')"
    window = f"vim.fn.bufwinid({live})"
    editor.until_text("bug-lsp:/", "First I read")
    assert "Run the tests." not in editor.text("bug-lsp:/"), "it is seen while it grows"
    options = editor.lua(
        f"local b = vim.bo[{live}] return {{ b.buftype, b.filetype, b.modifiable }}"
    )
    assert options == ["nofile", "markdown", False]
    assert editor.lua("return vim.fn.expand('%')") == TASK, "the focus stays"
    editor.until_text("bug-lsp:/", "Then I compare")
    line, last = editor.lua(f"return {{ vim.fn.line('.', {window}), vim.fn.line('$', {window}) }}")
    assert line == last
    editor.lua(f"vim.api.nvim_win_set_cursor({window}, {{ 2, 0 }})")
    editor.until_text("bug-lsp:/", "I have read it all.")
    assert editor.lua(f"return vim.fn.line('.', {window})") == 2


def _patch_is_applied_and_undone(editor):
    file = example.BUGGY_FILE
    editor.do(f"edit {file}")
    editor.until("#vim.diagnostic.get(0) == 1")
    before = editor.text(file)
    editor.do("3")
    offered = editor.act("Apply the patch of Debug (1) codex")
    assert offered[-1] == "Dismiss: The tax is subtracted"
    editor.until("#vim.diagnostic.get(0) == 0")
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)
    editor.do("undo")
    assert editor.text(file) == before
    editor.until("#vim.diagnostic.get(0) == 1")
    editor.choosing("Debug (1) codex (")
    editor.do("BugApply")
    editor.until("#vim.diagnostic.get(0) == 0")
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)


def test_after_a_restart_in_the_middle_of_a_run_all_is_found_again(
    task, agents, turnstile, open_neovim
):
    agents(
        slow=speaks_slowly(turnstile, "I look around.", f"Ah.\n\n{runs.block(runs.REPORT)}"),
        other=example.RIGHT.as_program(),
    )
    first = open_neovim(WITH_PLUGIN)
    first.do(f"edit {TASK}")
    first.until("#vim.lsp.get_clients({ name = 'bug_lsp' }) > 0")
    first.do("BugDebug other slow")
    first.until_said("tasks/prices.md: being debugged by other, slow")
    first.until(f"{STATUS}:find('slow: writing', 1, true)")
    first.kill()

    second = open_neovim(WITH_PLUGIN)
    second.do(f"edit {TASK}")
    second.until(f"{STATUS}:find('slow: writing', 1, true)")
    second.until_screen("Cancel (1 of 2 agents still at work)")
    second.choosing("20", "Debug (2) slow (running")  # of this century
    second.do("BugRuns")
    second.until_text("bug-lsp:/", "I look around.")
    second.do(f"edit {TASK}")
    second.keys("GoI am typing")
    turnstile.let_go(2)
    second.until_text("bug-lsp:/", "completed")
    second.until_text(TASK, "## Root cause")
    second.until_said("'Prices are too low' is done (2 of 2 sessions completed)")
    second.keys(" all the while.<Esc>")
    second.until_text(TASK, "I am typing all the while.")
    second.do("undo")
    assert "all the while" not in second.text(TASK)
    second.do("undo")
    assert second.text(TASK) == f"{TASK_TEXT}I am typing"


def test_with_nothing_but_the_lines_of_the_readme_it_is_the_same_product(task, agents, open_neovim):
    # Too long for the message area, where Neovim names each edit of the server.
    task.write_text(TASK_TEXT.replace("are too low", "are too low in every shop but one" * 3))
    agents(right=example.RIGHT.as_program(), close=example.CLOSE.as_program())
    editor = open_neovim(readme_lines())
    editor.do(f"edit {TASK}")
    editor.until("#vim.lsp.get_clients({ name = 'bug_lsp' }) > 0")
    editor.choosing("Debug with agents")
    editor.lua("vim.lsp.buf.code_action()")
    editor.until_text(TASK, "## Root cause", seconds=40)
    _patch_is_applied(editor)


def _patch_is_applied(editor):
    file = example.BUGGY_FILE
    editor.do(f"edit! {file}", "3")
    editor.until("#vim.diagnostic.get(0) == 1")
    before = editor.text(file)
    editor.act("Apply the patch of Debug (1) right")
    editor.until("#vim.diagnostic.get(0) == 0")
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)
    editor.do("undo")
    assert editor.text(file) == before

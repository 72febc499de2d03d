"""The commands of the Neovim plugin, its health check and its help."""

from __future__ import annotations

import shutil

import pytest

from tests.support import example, runs
from tests.support.projects import BUG

from .conftest import speaks_slowly
from .neovim import PLUGIN
from .test_neovim import TASK, WITH_PLUGIN

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def editor(task, agents, turnstile, open_neovim):
    agents(
        slow=speaks_slowly(turnstile, "I look around."),
        right=example.RIGHT.as_program(),
        cmd=runs.FINDS,
    )
    made = open_neovim(WITH_PLUGIN)
    made.do(f"edit {TASK}")
    made.until("#vim.lsp.get_clients({ name = 'bug_lsp' }) > 0")
    return made


def completions(editor, line):
    return editor.lua("return vim.fn.getcompletion(..., 'cmdline')", line)


def test_agents_runs_and_sessions_are_completed_and_chosen_from_lists(editor, turnstile):
    assert set(completions(editor, "BugDebug ")) >= {"slow", "right", "repair", "spectrum"}
    assert completions(editor, "BugDebug ri") == ["right"]
    editor.do("BugRuns")
    editor.until_said("there is no run yet; :BugDebug starts one")
    editor.do("BugCancel")

    editor.choosing("slow", "cmd", "Start with slow, cmd")
    editor.do("BugDebug!")
    editor.until_said("tasks/prices.md: being debugged by slow, cmd")
    first, *_, last = [one["lines"] for one in editor.asked]
    assert {"slow", "right", "repair"} <= set(first)
    assert last[0] == "Start with slow, cmd"
    assert "slow" not in last
    [run] = completions(editor, "BugOrchestrate ")
    slow, *_ = completions(editor, "BugCancel ")
    editor.do(f"BugOrchestrate {run}")
    editor.until_said("the orchestrator starts when every session has ended")
    editor.do(f"BugCancel {slow}")
    editor.until_said("'Prices are too low' is done (1 of 2 sessions completed)")
    assert completions(editor, "BugCancel ") == []
    editor.do("BugOrchestrate")
    editor.until_said("there is a synthesis, or one is being written")
    editor.do("BugApply")
    editor.until_said("no session of 'Prices are too low' has handed in a patch")


def test_a_diagnostic_lines_or_a_sentence_are_debugged(editor, turnstile):
    editor.do(f"edit {example.BUGGY_FILE}")
    editor.lua("user.typed = { 'The tax is subtracted' }")
    editor.do("BugDebug cmd")
    editor.until_said("tasks/the-tax-is-subtracted.md: being debugged by cmd")
    editor.do("2,3BugDebug cmd")
    editor.until_said("tasks/def-with-tax-price-rate-shop-tax-py-2.md: being debugged by cmd")
    editor.lua(
        "vim.diagnostic.set(vim.api.nvim_create_namespace('linter'), 0, {"
        " { lnum = 2, col = 4, message = 'suspicious sign', source = 'lint' } })"
    )
    editor.do("3", "BugDebug cmd")
    editor.until_said("tasks/suspicious-sign-shop-tax-py-3.md: being debugged by cmd")
    editor.do("BugCancel!")


def test_the_health_check_says_what_can_run(editor):
    editor.do("BugDoctor")
    editor.until_text("health://", "bug-lsp: agents")
    text = editor.text("health://")
    assert "one server runs" in text
    assert "✅ OK repair" in text
    assert "ERROR" not in text


def test_every_command_is_in_the_help(editor, tmp_path):
    shutil.copytree(PLUGIN / "doc", tmp_path / "help" / "doc")  # its tags are written beside it
    editor.lua("vim.opt.rtp:append(...)", str(tmp_path / "help"))
    editor.do(f"helptags {tmp_path / 'help' / 'doc'}")
    commands = [
        name for name in editor.lua("return vim.api.nvim_get_commands({})") if "Bug" in name
    ]
    assert len(commands) == 6
    for command in commands:
        editor.do(f"help :{command}")
        assert f"*:{command}*" in editor.lua("return vim.fn.getline('.')")


def test_a_patch_that_is_not_proven_is_refused_unless_it_is_forced(task, agents, open_neovim):
    agents(close=example.CLOSE.as_program())
    editor = open_neovim(WITH_PLUGIN)
    editor.do(f"edit {TASK}")
    editor.until("#vim.lsp.get_clients({ name = 'bug_lsp' }) > 0")
    editor.do("BugDebug close")
    editor.until_said("'Prices are too low' is done")
    editor.do(f"edit {example.BUGGY_FILE}")
    [session] = completions(editor, "BugApply ")
    editor.do(f"BugApply {session}")
    editor.until_said("apply it all the same with force")
    assert BUG in editor.text(example.BUGGY_FILE)
    editor.do(f"BugApply! {session}")
    editor.until_text(example.BUGGY_FILE, example.CLOSE.line)
    editor.do("undo")
    assert BUG in editor.text(example.BUGGY_FILE)
    editor.choosing("Debug (1) close, not proven (")
    editor.do("BugApply!")
    editor.until_text(example.BUGGY_FILE, example.CLOSE.line)

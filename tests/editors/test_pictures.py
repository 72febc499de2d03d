"""All that an editor shows while agents work can be seen at once; the docs have pictures of it."""

from __future__ import annotations

import pytest

from tests.support import example, runs
from tests.support.findings import found_at, keep

from .conftest import speaks_slowly
from .test_emacs import CONNECTED, WITH_PACKAGE
from .test_neovim import TASK, WITH_PLUGIN

pytestmark = pytest.mark.timeout(120)

SAYS = [
    "Both sessions name the same line, and its quote stands there.",
    "The patch of Debug (1) passes the failing test and breaks nothing.",
    f"So that is the one.\n\n{runs.block(runs.SYNTHESIS)}",
]
NEOVIM = (
    "vim.diagnostic.config({ virtual_lines = true })\nvim.o.laststatus = 2\nvim.o.ruler = false"
)
EMACS = """
(menu-bar-mode -1)
(setq frame-background-mode 'dark)
(mapc #'frame-set-background-mode (frame-list))
(setq-default mode-line-format '(" %b  " mode-line-misc-info))
"""


@pytest.fixture
def finding(task, agents, turnstile):
    """The claim of an earlier run about the project that is debugged again."""
    root = task.parents[1]
    claim = "The tax is subtracted"
    keep(root, task, [found_at(root, example.BUGGY_FILE, 3, task, claim=claim)])
    agents(
        reader=example.RIGHT.as_program(),
        tracer=example.CLOSE.as_program(),
        editor=speaks_slowly(turnstile, *SAYS),
        orchestrator="editor",
    )
    return claim


def test_neovim_shows_the_task_the_finding_the_orchestrator_and_what_it_does(
    finding, turnstile, open_neovim
):
    editor = open_neovim(f"{WITH_PLUGIN}\n{NEOVIM}")
    editor.do(f"edit {TASK}")
    editor.until_screen("Debug with agents")
    editor.do(f"vsplit {example.BUGGY_FILE}", "vertical resize 58")
    editor.until_screen(finding)
    editor.do("wincmd p", "BugDebug")
    editor.until_screen(SAYS[0][:30])
    turnstile.let_go()
    editor.until_screen(SAYS[1][:30])
    editor.until_screen("editor: writing")
    for text in (finding, "Cancel ("):
        assert text in editor.screen
    editor.picture("neovim.png")
    turnstile.let_go(2)
    editor.until_said("is done")


def test_emacs_shows_the_task_the_finding_the_orchestrator_and_what_it_does(
    finding, turnstile, open_emacs
):
    editor = open_emacs(f"{WITH_PACKAGE}\n{EMACS}", TASK)
    editor.until(CONNECTED)
    editor.lisp("(progn (select-window (split-window-right)) (find-file (elt given 0)))", SHOP)
    editor.lisp("(progn (goto-char (point-min)) (forward-line 2) (other-window 1))")
    editor.lisp("(user-do 'bug-lsp-debug)")
    editor.until_screen(SAYS[0][:30])
    turnstile.let_go()
    editor.until_screen(SAYS[1][:30])
    editor.until_screen("[editor: writing")
    assert "return price - price * rate" in editor.screen
    assert editor.lisp('(length (with-current-buffer "tax.py" (flymake-diagnostics)))') == 1
    editor.picture("emacs.png")
    turnstile.let_go(2)
    editor.until_said("is done")


SHOP = f"../{example.BUGGY_FILE}"
"""The file from where the task file is."""

"""The whole job in the real Emacs, with the package and with nothing but the README's lines."""

from __future__ import annotations

import re

import pytest

from tests.support import example, runs
from tests.support.projects import BUG
from tests.support.projects import TASK as TASK_TEXT

from .conftest import speaks_slowly
from .emacs import PACKAGE, ROOT
from .test_neovim import TASK

pytestmark = pytest.mark.timeout(120)

WITH_PACKAGE = f"(add-to-list 'load-path \"{PACKAGE}\")\n(require 'bug-lsp)\n(bug-lsp-mode)"
CONNECTED = "(and (eglot-managed-p) t)"
STATUS = "(and (string-search (elt given 0) (bug-lsp-status)) t)"
DOCUMENT = "*Orchestrator: Prices are too low*"
LACKS = "(not (user-has (elt given 0) (elt given 1)))"
UNDO = "\x1f"
LOADED = "(require 'eglot)\n(require 'markdown-mode)\n"
"""What the two packages' own autoloads do."""
FINDINGS = "(length (flymake-diagnostics))"


def readme_lines() -> str:
    """What the README says is to be put into init.el."""
    text = (ROOT / "README.md").read_text()
    [lines] = re.findall(r"```elisp\n(.*?)```", text, re.DOTALL)
    return lines


def test_the_whole_job(task, real_agents, open_emacs):
    editor = open_emacs(WITH_PACKAGE, TASK)
    editor.until(CONNECTED)

    editor.choosing("Debug with agents")
    editor.lisp("(user-do 'eglot-code-actions)")
    editor.until_screen("claude: writing")
    editor.until_said("Debug (1) codex: completed in")
    editor.lisp('(progn (goto-char (point-max)) (insert "Seen since Tuesday.\\n"))')
    editor.choosing("Debug (2) claude (running")
    editor.lisp("(user-do 'bug-lsp-cancel)")
    editor.until_said("Debug (2) claude: cancelled after")

    _orchestrator_grows(editor)
    editor.until_text(TASK, "## Root cause")
    editor.until_said("'Prices are too low' is done (1 of 2 sessions completed)")
    text = editor.text(TASK)
    assert "Seen since Tuesday." in text
    assert "The tax is subtracted at shop/tax.py:3." in text
    assert task.read_text() == TASK_TEXT, "it is for the user to save"
    assert [one["prompt"].split(" ")[0] for one in editor.asked] == ["[eglot]", "Cancel:"]
    editor.lisp("(user-do 'undo)")
    assert editor.text(TASK) == f"{TASK_TEXT}Seen since Tuesday.\n"
    editor.lisp("(progn (user-do 'undo-redo) (save-buffer))")
    assert "## Root cause" in task.read_text()

    _patch_is_applied_and_undone(editor, task)


def _orchestrator_grows(editor):
    """Its document opens beside, and is followed until the user looks at something in it."""
    window = f'(get-buffer-window "{DOCUMENT}")'
    editor.until_text(DOCUMENT, "First I read")
    assert "Run the tests." not in editor.text(DOCUMENT), "it is seen while it grows"
    with_buffer = f'(with-current-buffer "{DOCUMENT}"'
    assert editor.lisp(f"{with_buffer} (list major-mode buffer-read-only buffer-file-name))") == [
        "markdown-mode", True, None
    ]  # fmt: skip
    assert editor.lisp("(and (string-search (elt given 0) buffer-file-name) t)", TASK)
    editor.until_text(DOCUMENT, "Then I compare")
    assert editor.lisp(f"{with_buffer} (= (window-point {window}) (point-max)))")
    editor.lisp(f"(set-window-point {window} {with_buffer} (goto-line 2) (point)))")
    editor.until_text(DOCUMENT, "I have read it all.")
    assert editor.lisp(f"{with_buffer} (line-number-at-pos (window-point {window})))") == 2


def _patch_is_applied_and_undone(editor, task):
    """In a buffer that eglot does not manage: its language may have a server of its own."""
    file = example.BUGGY_FILE
    editor.lisp("(find-file (elt given 0))", str(task.parents[1] / file))
    editor.until(f"(= {FINDINGS} 1)")
    assert not editor.lisp(CONNECTED)
    before = editor.text(file)
    editor.lisp("(progn (goto-char (point-min)) (forward-line 2))")
    editor.choosing("Apply the patch of Debug (1) codex")
    editor.lisp("(user-do 'bug-lsp-act)")
    editor.until(f"(= {FINDINGS} 0)")
    offered = editor.asked[-1]["lines"]
    assert offered[-1] == "Dismiss: The tax is subtracted"
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)
    editor.lisp("(user-do 'undo)")
    assert editor.text(file) == before
    editor.until(f"(= {FINDINGS} 1)")
    editor.choosing("Debug (1) codex (")
    editor.lisp("(user-do 'bug-lsp-apply)")
    editor.until(f"(= {FINDINGS} 0)")
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)


def test_after_a_restart_in_the_middle_of_a_run_all_is_found_again(
    task, agents, turnstile, open_emacs
):
    agents(
        slow=speaks_slowly(turnstile, "I look around.", f"Ah.\n\n{runs.block(runs.REPORT)}"),
        other=example.RIGHT.as_program(),
    )
    first = open_emacs(WITH_PACKAGE, TASK)
    first.until(CONNECTED)
    first.choosing("other,slow")
    first.lisp("(user-do 'bug-lsp-debug '(4))")
    first.until_said("tasks/prices.md: being debugged by other, slow")
    first.until(STATUS, "slow: writing")
    first.kill()

    second = open_emacs(WITH_PACKAGE, TASK)
    second.until(STATUS, "slow: writing")
    second.choosing("20", "Debug (2) slow (running")  # of this century
    second.lisp("(user-do 'bug-lsp-runs)")
    live = "*Debug (2): Prices are too low*"
    second.until_text(live, "I look around.")
    second.lisp("(switch-to-buffer (user-buffer (elt given 0)))", TASK)
    second.lisp("(progn (delete-other-windows) (goto-char (point-max)))")
    second.keys("I am typing")
    second.until_screen("I am typing")
    turnstile.let_go(2)
    second.until_text(live, "completed")
    second.until_text(TASK, "## Root cause")
    second.until_said("'Prices are too low' is done (2 of 2 sessions completed)")
    second.keys(" all the while.")
    second.until_text(TASK, "I am typing all the while.")
    second.keys(UNDO)
    second.until(LACKS, TASK, "all the while")
    assert "## Root cause" in second.text(TASK)
    second.keys(UNDO)
    second.until(LACKS, TASK, "## Root cause")
    assert second.text(TASK) == f"{TASK_TEXT}I am typing"


def test_with_nothing_but_the_lines_of_the_readme_it_is_the_same_product(task, agents, open_emacs):
    agents(right=example.RIGHT.as_program(), close=example.CLOSE.as_program())
    editor = open_emacs(LOADED + readme_lines(), TASK)
    editor.until(CONNECTED)
    editor.choosing("Debug with agents")
    editor.lisp("(user-do 'eglot-code-actions)")
    editor.until_screen("Proceed?")
    editor.keys("y")
    editor.until_text(TASK, "## Root cause")
    editor.until_said("'Prices are too low' is done")

    file = example.BUGGY_FILE
    editor.lisp("(find-file (elt given 0))", str(task.parents[1] / file))
    editor.until(CONNECTED)
    editor.until(f"(= {FINDINGS} 1)")
    before = editor.text(file)
    editor.lisp("(progn (goto-char (point-min)) (forward-line 2))")
    editor.choosing("Apply the patch of Debug (1) right")
    editor.lisp('(progn (global-set-key (kbd "<f5>") #\'eglot-code-actions) t)')
    editor.keys("\x1b[15~")  # f5: what is asked meanwhile waits for the user's answer
    editor.until_screen("Proceed?")
    editor.keys("y")
    editor.until(f"(= {FINDINGS} 0)")
    assert editor.text(file) == before.replace(BUG, example.RIGHT.line)
    editor.lisp("(user-do 'undo)")
    assert editor.text(file) == before

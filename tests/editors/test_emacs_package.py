"""The commands of the Emacs package, and what Emacs itself says of its code."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support import example, runs
from tests.support.findings import found_at, keep

from . import install
from .conftest import speaks_slowly
from .emacs import PACKAGE, PLACE
from .test_emacs import CONNECTED, TASK, WITH_PACKAGE

pytestmark = pytest.mark.timeout(120)

PUBLISHED = (
    "(mapcar (lambda (one) (plist-get (plist-get (plist-get one :range) :start) :line))"
    ' (gethash (file-truename (buffer-file-name (user-buffer "tax.py"))) bug-lsp--found))'
)
ANSWERED_WITH_MORE_BEHIND = """
(let* ((server (bug-lsp--server))
       (process (jsonrpc--process server))
       (frame (lambda (message)
                (let ((json (json-serialize message)))
                  (format "Content-Length: %d\r\n\r\n%s" (string-bytes json) json))))
       (answer (list :jsonrpc "2.0" :id (1+ (jsonrpc--next-request-id server)) :result "yes"))
       (more (list :jsonrpc "2.0" :method "window/showMessage"
                   :params (list :type 3 :message "This came behind the answer"))))
  (run-at-time 0.1 nil (process-filter process) process
               (concat (funcall frame answer) (funcall frame more)))
  (cl-letf (((symbol-function 'process-send-string) #'ignore))
    (jsonrpc-request server :bug-lsp/asked nil :timeout 20)))
"""
"""The server does not hear of it, so that nothing else comes."""
SOURCES = sorted(map(str, PACKAGE.glob("*.el")))
COMPILES = (
    "(progn (require 'eglot) (require 'bytecomp)"
    ' (setq byte-compile-dest-file-function (lambda (_) (make-temp-file "bug-lsp" nil ".elc")))'
    " (batch-byte-compile))"
)
CHECKS = (
    "(progn (require 'checkdoc) (mapc #'checkdoc-file command-line-args-left)"
    " (setq command-line-args-left nil))"
)


@pytest.fixture
def editor(task, agents, turnstile, open_emacs):
    agents(
        slow=speaks_slowly(turnstile, "I look around."),
        right=example.RIGHT.as_program(),
        cmd=runs.FINDS,
    )
    made = open_emacs(WITH_PACKAGE, TASK)
    made.until(CONNECTED)
    return made


@pytest.mark.parametrize("code", [COMPILES, CHECKS], ids=["compiler", "checkdoc"])
def test_emacs_has_nothing_to_say_against_the_package(code, tmp_path):
    found = install.emacs(PLACE)
    env = {**os.environ, **found.env, "TMPDIR": str(tmp_path)}
    command = [*found.command, "--batch", "-L", str(PACKAGE), "--eval", code, *SOURCES]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("Wrote "))
    assert (done.returncode, said.strip()) == (0, "")


def test_agents_and_sessions_are_chosen_from_lists(editor, turnstile):
    editor.lisp("(user-do 'bug-lsp-runs)")
    editor.until_said("There is no run yet; M-x bug-lsp-debug starts one")

    editor.choosing("slow,cmd")
    editor.lisp("(user-do 'bug-lsp-debug '(4))")
    editor.until_said("tasks/prices.md: being debugged by slow, cmd")
    [agents] = [one["lines"] for one in editor.asked]
    assert {"slow", "right", "repair"} <= set(agents)
    editor.until_said("cmd: completed in")
    editor.lisp("(user-do 'bug-lsp-orchestrate)")
    editor.until_said("when every session has ended; still to end: Debug (1) slow")
    editor.choosing("Debug (1) slow (running")
    editor.lisp("(user-do 'bug-lsp-cancel)")
    editor.until_said("'Prices are too low' is done (1 of 2 sessions completed)")
    editor.lisp("(user-do 'bug-lsp-cancel)")
    editor.until_said("Nothing is running")
    editor.lisp("(user-do 'bug-lsp-orchestrate)")
    editor.until_said("There is a synthesis, or one is being written")
    editor.lisp("(user-do 'bug-lsp-apply)")
    editor.until_said("No session of Prices are too low has handed in a patch")


def test_a_diagnostic_lines_or_a_sentence_are_debugged(editor, task):
    """In a buffer of another mode, and with what Flymake shows there for others."""
    editor.lisp("(find-file (elt given 0))", str(task.parents[1] / example.BUGGY_FILE))
    editor.choosing("The tax is subtracted")
    editor.lisp("(user-do 'bug-lsp-debug)")
    editor.until_said("tasks/the-tax-is-subtracted.md: being debugged by slow, right, cmd")
    editor.lisp("(user-do 'bug-lsp-cancel '(4))")
    editor.lisp("(progn (goto-char (point-min)) (forward-line 1) (set-mark (point)))")
    editor.lisp("(progn (forward-line 2) (setq transient-mark-mode t mark-active t))")
    editor.lisp("(user-do 'bug-lsp-debug)")
    editor.until_said("tasks/def-with-tax-price-rate-shop-tax-py-2.md: being debugged by")
    editor.lisp("(user-do 'bug-lsp-cancel '(4))")
    editor.lisp("(progn (deactivate-mark) (goto-char (point-min)) (forward-line 2) (user-lint))")
    editor.until("(and (flymake-diagnostics) t)")
    editor.lisp("(user-do 'bug-lsp-debug)")
    editor.until_said("tasks/suspicious-sign-shop-tax-py-3.md: being debugged by")
    editor.lisp("(user-do 'bug-lsp-cancel '(4))")


def test_the_doctor_says_what_can_run(editor):
    editor.lisp("(user-do 'bug-lsp-doctor)")
    editor.until_text("*bug-lsp doctor*", "spectrum")
    lines = editor.text("*bug-lsp doctor*").splitlines()
    [repair] = [line.split() for line in lines if line.startswith("repair")]
    assert repair[:2] == ["repair", "ready"]
    [gemini] = [line.split() for line in lines if line.startswith("gemini")]
    assert gemini[1] == "missing"


def test_where_no_task_file_is_open_a_command_starts_the_server(task, agents, open_emacs):
    agents(cmd=runs.FINDS)
    editor = open_emacs(WITH_PACKAGE, example.BUGGY_FILE)
    editor.choosing("The tax is subtracted")
    editor.lisp("(user-do 'bug-lsp-debug)")
    editor.until_said("tasks/the-tax-is-subtracted.md: being debugged by cmd")
    editor.until_said("is done")


def test_a_server_that_was_started_anew_knows_what_is_not_saved(task, agents, open_emacs):
    agents(cmd=runs.FINDS)
    root = task.parents[1]
    keep(root, task, [found_at(root, example.BUGGY_FILE, 3, task)])
    editor = open_emacs(WITH_PACKAGE, TASK)
    editor.until(CONNECTED)
    editor.lisp("(find-file (elt given 0))", str(root / example.BUGGY_FILE))
    editor.until(f"(equal {PUBLISHED} '(2))")
    editor.lisp('(progn (goto-char (point-min)) (insert "# one\\n") t)')
    editor.until(f"(equal {PUBLISHED} '(3))")
    editor.lisp("(progn (eglot-reconnect (car (bug-lsp--servers))) t)")
    editor.lisp('(progn (goto-char (point-min)) (insert "# two\\n") t)')
    editor.until(f"(equal {PUBLISHED} '(4))")


def test_what_comes_behind_an_answer_in_one_piece_is_not_left_lying(editor):
    assert editor.lisp(ANSWERED_WITH_MORE_BEHIND) == "yes"
    editor.until_said("This came behind the answer")

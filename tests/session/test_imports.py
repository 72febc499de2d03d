"""What a session imports is on the way from the last agent's end to the orchestrator's start."""

from __future__ import annotations

import subprocess
import sys

DEAR = (
    "bug_lsp.agents.python_tests",
    "bug_lsp.proof.matrix",
    "claude_agent_sdk",
    "jinja2",
    "openai_codex",
    "pygls",
)


def test_a_session_imports_nothing_that_only_some_of_them_need():
    code = "import sys, bug_lsp.session.work; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not set(DEAR) & set(done.stdout.split())

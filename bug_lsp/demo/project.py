"""Makes the demo's project from the patches in `history/`.

Authors, dates and therefore the commits' names are the same everywhere. Nothing of the user's git
settings gets into it, and nothing is written outside the folder it is made in.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bug_lsp.workspace import git

NAME = "invoices"
TASK = "tasks/credit-notes-a-cent-short.md"
"""The bug report of the user of the project."""
TEST_COMMAND = "python -m unittest"
"""Needs nothing but Python."""
AGENTS = ("spectrum", "repair", "bisect")
"""They are built in and need no account."""

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "Mira Sundqvist",
    "GIT_COMMITTER_EMAIL": "mira@example.org",
}


def build(folder: Path) -> Path:
    """Make the project in a new folder inside `folder`; returns its top level."""
    project = folder / NAME
    project.mkdir()
    git.run(
        "init", "-q", "--template=", "--object-format=sha1", "-b", "main",
        cwd=project, env=_ENVIRONMENT,
    )  # fmt: skip
    # The line ends of the patches are part of what they say.
    git.run("config", "core.autocrlf", "false", cwd=project, env=_ENVIRONMENT)
    git.run(
        "am", "-q", "--committer-date-is-author-date",
        cwd=project, env=_ENVIRONMENT, stdin=b"".join(_patches()),
    )  # fmt: skip
    return project


def _patches() -> list[bytes]:
    """Each commit as `git format-patch --root --zero-commit --no-signature --no-stat` wrote it."""
    history = resources.files(__package__) / "history"
    patches = [entry for entry in history.iterdir() if entry.name.endswith(".patch")]
    return [entry.read_bytes() for entry in sorted(patches, key=lambda entry: entry.name)]

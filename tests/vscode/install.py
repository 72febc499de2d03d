"""Installs a real VS Code, once a machine: `python -m tests.vscode.install`.

It is code-server, VS Code's own source served to a browser, and a Chromium without a screen. Both
come from npm. Nothing is compiled: of the native parts those that matter are shipped built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from clients.node import cached, make_once, npm, run_node

_MANIFEST = Path(__file__).with_name("package.json")
_UNPACK = "import('@sparticuz/chromium').then((it) => it.default.executablePath())"


def folder() -> Path:
    """Where it is, or will be. `BUG_LSP_TEST_VSCODE` overrides it."""
    override = os.environ.get("BUG_LSP_TEST_VSCODE")
    return Path(override) if override else cached("vscode", _MANIFEST)


def install() -> Path:
    """Install what is not there yet."""
    return make_once(folder(), _make)


def _make(whole: Path) -> None:
    shutil.copy(_MANIFEST, whole)
    npm("install", "--ignore-scripts", "--no-package-lock", cwd=whole)
    # What its own script would do, but for compiling: its dependencies are pinned in it.
    inner = whole / "node_modules" / "code-server" / "lib" / "vscode"
    npm("install", "--omit=dev", "--ignore-scripts", cwd=inner)
    browser = whole / "browser"
    browser.mkdir()
    # It unpacks itself for a system that has none of its libraries; we may be on one.
    run_node("-e", _UNPACK, cwd=whole, TMPDIR=str(browser), AWS_EXECUTION_ENV="nodejs22.x")
    shutil.rmtree(whole / "node_modules" / "@sparticuz")


def entry() -> Path:
    """What node runs."""
    return folder() / "node_modules" / "code-server" / "out" / "node" / "entry.js"


def browser(place: Path) -> tuple[Path, dict[str, str]]:
    """The browser, with the environment for a machine that lacks its libraries."""
    program = place / "browser" / "chromium"
    needs = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    if "not found" not in needs:
        return program, {}
    return program, {"LD_LIBRARY_PATH": str(place / "browser" / "al2023" / "lib")}


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")

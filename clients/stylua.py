"""Checks how our Lua is formatted: `python -m clients.stylua`, or formats it, with `--write`.

StyLua comes from npm as a program that is built already.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clients.node import cached, make_once, npm

_PACKAGE = "@johnnymorganz/stylua-bin@2.5.2"
_ROOT = Path(__file__).parents[1]
_LUA = ("clients/nvim", "tests/editors")


def _make(whole: Path) -> None:
    npm("install", "--ignore-scripts", "--no-package-lock", "--prefix", ".", _PACKAGE, cwd=whole)


def main() -> int:
    """Run it on all our Lua; its exit status."""
    place = make_once(cached("stylua", Path(__file__)), _make)
    [program] = place.glob("node_modules/@johnnymorganz/stylua-bin-*/stylua*")
    check = () if "--write" in sys.argv[1:] else ("--check",)
    return subprocess.run([program, *check, *_LUA], cwd=_ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

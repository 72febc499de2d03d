"""Holding what a session starts to its own folders, where the platform offers that: it may read
everything and write to its copy, its agent's own folders and temporary ones alone.

Linux: bubblewrap, the one on PATH or the one that Codex brings along. macOS: sandbox-exec. What
is said to hold is tried out first, with the very folders that it is for. The network is taken only
from the tests that we run ourselves; whatever else listens on a socket is out of its reach.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bug_lsp.agents.network import OWN_NETWORK
from bug_lsp.store.layout import state_root
from bug_lsp.store.programs import on_path

BUBBLEWRAP, SANDBOX_EXEC = "bubblewrap", "sandbox-exec"

_TRY_SECONDS = 10.0
_TRY = 'test ! -w "$1" && { test -z "$2" || test -w "$2"; }'
"""Shell: the first folder must not be writable, the second, if there is one, must be."""
_MOST_SOCKETS = 50
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108
_CACHES = (
    ("XDG_CACHE_HOME", ".cache"),
    ("CARGO_HOME", ".cargo"),
    ("GOPATH", "go"),
    ("GRADLE_USER_HOME", ".gradle"),
    ("npm_config_cache", ".npm"),
    ("NUGET_PACKAGES", ".nuget"),
    (None, ".m2"),
)
"""Where builds keep what they have fetched and made, and fail if they may not write."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds a session's programs, as words to put before their command line."""

    by: str | None
    """The means; None where nothing holds them."""
    prefix: tuple[str, ...] = ()
    problem: str = ""
    """Why nothing holds them, as a clause."""

    def without_network(self) -> Confinement:
        """Return what also gives the programs a network of their own, itself where that does not
        work here. Blocks for some milliseconds.
        """
        if self.by != BUBBLEWRAP:
            return self
        program, *words = self.prefix
        prefix = (program, OWN_NETWORK, *words)
        return replace(self, prefix=prefix) if _runs([*prefix, "true"]) is None else self


def confinement(
    writable: Sequence[Path], protected: Sequence[Path] = (), *, private_home: bool = False
) -> Confinement:
    """What holds programs to the writable folders on this machine. Blocks for some milliseconds.

    `protected` are folders that must stay as they are even where they lie in a temporary one. With
    `private_home` what is written to the user's home goes to memory where that can be had.
    """
    guarded = [*_existing([Path.home(), state_root(), *protected])]
    open_to = [*_existing(writable)]
    problem = f"there is no means for it on {sys.platform}"
    if sys.platform == "linux":
        programs = [*_bubblewraps()]
        problem = "bubblewrap is not installed (package `bubblewrap`)"
        # Several ways: an old bubblewrap has no overlays, nor has every file system, nor a folder
        # in which something else is mounted.
        ways: list[tuple[bool, int]] = [(True, 0), (False, 0)]
        if private_home and len(guarded) > 1:
            ways.insert(0, (True, 1))
        for overlays, homes in ways:
            for program in programs:
                own, fixed = guarded[:homes], guarded[homes:]
                prefix = _bubblewrap(program, open_to, fixed, overlays=overlays, private=own)
                complaint = _try(prefix, fixed, open_to)
                if complaint is None:
                    return Confinement(BUBBLEWRAP, prefix)
                problem = f"bubblewrap does not work here: {complaint}"
    elif sys.platform == "darwin":
        prefix = ("/usr/bin/sandbox-exec", "-p", seatbelt_profile(open_to))
        complaint = _try(prefix, guarded, open_to)
        if complaint is None:
            return Confinement(SANDBOX_EXEC, prefix)
        problem = f"sandbox-exec does not work here: {complaint}"
    return Confinement(None, problem=problem)


def _existing(paths: Sequence[Path]) -> Iterator[Path]:
    """Those that are there, by their real names: a link cannot be mounted over."""
    return (real for real in dict.fromkeys(path.resolve() for path in paths) if real.exists())


def _bubblewraps() -> Iterator[str]:
    # One that is installed first: a distribution may allow user namespaces to that one alone.
    if installed := on_path("bwrap"):
        yield installed
    codex = importlib.util.find_spec("codex_cli_bin")
    if codex is not None and codex.origin:
        own = Path(codex.origin).parent / "codex-resources" / "bwrap"
        if os.access(own, os.X_OK):
            yield str(own)


def _bubblewrap(
    program: str,
    writable: Sequence[Path],
    protected: Sequence[Path],
    *,
    overlays: bool,
    private: Sequence[Path] = (),
) -> tuple[str, ...]:
    """The command line up to the program to run.

    With a user and a process namespace of its own and without capabilities nobody in it, not even
    root, can mount anything anew, or signal or trace a process outside; and with the outermost
    process all of it ends.
    """
    words = [program, "--unshare-user", "--unshare-pid", "--cap-drop", "ALL", "--die-with-parent"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    own_temporary = {Path(tempfile.gettempdir()).resolve()}.difference(_TEMPORARY)
    if overlays:
        # What is there can be read, and what is written goes to memory and away with the program.
        words += _overlays([*_TEMPORARY, *private])
        # Nobody listens at a socket that is seen through an overlay.
        for path in _sockets(_TEMPORARY):
            words += ["--ro-bind-try", str(path), str(path)]
    for path in protected:
        words += ["--ro-bind-try", str(path), str(path)]
    if overlays:
        words += _overlays([*own_temporary, *_caches()])
    for path in writable:
        words += ["--bind-try", str(path), str(path)]
    if not overlays and writable:
        words += ["--setenv", "TMPDIR", str(writable[-1])]
    return (*words, "--")


def _sockets(folders: Sequence[Path]) -> Iterator[Path]:
    """Sockets of the user's services, such as `/tmp/.s.PGSQL.5432`: a few, or none."""
    for folder in folders:
        with contextlib.suppress(OSError):
            found = [Path(entry.path) for entry in os.scandir(folder)]
            yield from [path for path in found if path.is_socket()][:_MOST_SOCKETS]


def _overlays(folders: Sequence[Path]) -> list[str]:
    return [
        word
        for folder in _existing(folders)
        if folder.is_dir()
        for word in ("--overlay-src", str(folder), "--tmp-overlay", str(folder))
    ]


def _caches() -> Iterator[Path]:
    for variable, name in _CACHES:
        given = os.environ.get(variable) if variable else None
        yield Path(given) if given else Path.home() / name


def seatbelt_profile(writable: Sequence[Path]) -> str:
    """What sandbox-exec is told: everything is allowed but to write elsewhere."""
    folders = " ".join(f"(subpath {_quoted(str(path))})" for path in writable)
    devices = '(literal "/dev/null") (literal "/dev/zero") (regex #"^/dev/(tty|fd|dtracehelper)")'
    return f"(version 1) (allow default) (deny file-write*) (allow file-write* {folders} {devices})"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _try(prefix: Sequence[str], protected: Sequence[Path], writable: Sequence[Path]) -> str | None:
    """Why it does not hold; None if it does."""
    told = [str(protected[0]), str(writable[0]) if writable else ""]
    return _runs([*prefix, "sh", "-c", _TRY, "sh", *told])


def _runs(words: Sequence[str]) -> str | None:
    """Why this command line fails; None if it does not."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {_TRY_SECONDS:g} s"
    except OSError as error:
        return str(error.strerror or error)
    if done.returncode == 0:
        return None
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return said[-1].removeprefix("bwrap: ") if said else "it keeps no folder from being written"

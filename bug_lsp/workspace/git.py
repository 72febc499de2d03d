"""Running git: one place for its environment, its failures and its deadline."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bug_lsp.domain.errors import Refused

_SAFE = (
    "-c", "core.hooksPath=/dev/null",  # a user's hooks are not meant for our copies
    "-c", "core.fsmonitor=false",  # would start a daemon, or a program that the repository names
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "advice.detachedHead=false",
    "-c", "core.safecrlf=false",  # would refuse the user's own files
    "-c", "core.splitIndex=false",  # would write into the user's repository
    "-c", "commit.gpgSign=false",
    "-c", "user.name=bug-lsp",
    "-c", "user.email=bug-lsp@localhost",
)  # fmt: skip
_DEADLINE = 300.0
_MOST_CONFLICTS = 127
"""The exit status of a merge is their number; above that it is a failure."""
_NO_COMMIT = re.compile(r"'(.+)/' does not have a commit checked out")


class GitError(Exception):
    """git said no; the text is its first complaint."""


def run(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    deadline: float = _DEADLINE,
) -> bytes:
    """Run git and return its standard output. Raises `GitError`, also after `deadline` seconds."""
    done = _done(arguments, cwd, env, stdin, deadline)
    if done.returncode != 0:
        raise _error(arguments[0], done)
    return done.stdout


def merge_file(present: Path, base: Path, patched: Path) -> bytes | None:
    """`present` with what was changed from `base` to `patched`; None where the changes clash."""
    arguments = ("merge-file", "-p", str(present), str(base), str(patched))
    done = _done(arguments, present.parent)
    if done.returncode == 0:
        return done.stdout
    if done.returncode <= _MOST_CONFLICTS:
        return None
    raise _error("merge-file", done)


def _done(
    arguments: Sequence[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    deadline: float = _DEADLINE,
) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", **(env or {})}
    program = shutil.which("git")
    if program is None:
        raise Refused("git is not installed, and every session needs a copy made by it; install it")
    try:
        return subprocess.run(
            [program, *_SAFE, *arguments],
            cwd=cwd,
            env=clean,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} took longer than {deadline:.0f} s") from error


def _error(command: str, done: subprocess.CompletedProcess[bytes]) -> GitError:
    said = done.stderr.decode(errors="replace").strip().splitlines()
    errors = [line for line in said if line.startswith(("error: ", "fatal: "))] or said[-1:]
    reason = errors[0].removeprefix("error: ").removeprefix("fatal: ") if errors else ""
    return GitError(reason or f"git {command} exited with {done.returncode}")


def text(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Standard output as stripped text."""
    return os.fsdecode(run(*arguments, cwd=cwd, env=env)).strip("\n")


def maybe(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str | None:
    """Standard output as stripped text, None where git says no."""
    try:
        return text(*arguments, cwd=cwd, env=env)
    except GitError:
        return None


def paths(output: bytes) -> Sequence[str]:
    """The paths in the output of a command that was given `-z`."""
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def add_all(root: Path, env: Mapping[str, str]) -> list[str]:
    """Bring the index up to date with the files. Returns the repositories inside that have no
    commit yet: those git refuses to add.
    """
    left_out: list[str] = []
    while True:
        pathspec = [".", *(f":(exclude,top,literal){path}" for path in left_out)]
        try:
            run("add", "-A", "--", *pathspec, cwd=root, env=env)
        except GitError as error:
            found = _NO_COMMIT.fullmatch(str(error))
            if found is None or found[1] in left_out:
                raise
            left_out.append(found[1])
        else:
            return left_out

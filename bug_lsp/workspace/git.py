"""Running git: one place for its environment, its failures and its deadline. No program that a
repository names is run: whoever handed it to the user may have named it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bug_lsp.domain.errors import Refused
from bug_lsp.store.programs import on_path

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
_CLEAN = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # What a partial clone lacks is not fetched: by whom is the repository's word.
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
}
_READ_NO_FILES = frozenset(
    ("cat-file", "commit-tree", "config", "init", "ls-tree", "merge-file", "rev-list", "rev-parse")
)
"""All others may turn files into what git would keep of them, and ask programs to."""
_NAMES_PROGRAM = re.compile(
    r"(filter\..*)\.(?:clean|smudge|process|required)|(hook\..*)\.(?:command|event|enabled)",
    re.IGNORECASE | re.DOTALL,
)
_WITHOUT = {"filter": ("clean", "smudge", "process", "required"), "hook": ("command", "enabled")}
_OF_A_REPOSITORY = {"local", "worktree"}
_LIST = ("config", "--list", "--show-scope", "-z")
_DEADLINE = 300.0
_MOST_CONFLICTS = 127
"""The exit status of a merge is their number; above that it is a failure."""
_NO_COMMIT = re.compile(r"'(.+)/' does not have a commit checked out")


class GitError(Exception):
    """git said no; the text is its first complaint."""


class Settled(dict[str, str]):
    """An environment in which the programs that a repository names have been taken away already,
    for several commands on a repository whose settings nobody else changes meanwhile.
    """

    @classmethod
    def of(cls, cwd: Path, env: Mapping[str, str]) -> Settled:
        """Look once what is named."""
        listed = _called(_LIST, cwd, env).stdout
        return cls({**env, **_in_environment(_silenced(listed), env)})


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
    told = env or {}
    if arguments[0] not in _READ_NO_FILES and not isinstance(told, Settled):
        told = Settled.of(cwd, told)
    return _called(arguments, cwd, told, stdin or b"", deadline)


def _called(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    deadline: float = _DEADLINE,
) -> subprocess.CompletedProcess[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    program = on_path("git")
    if program is None:
        raise Refused("git is not installed, and every session needs a copy made by it; install it")
    try:
        return subprocess.run(
            [program, *_SAFE, *words],
            cwd=cwd,
            env=inherited | _CLEAN | dict(env),
            input=stdin,
            capture_output=True,
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {words[0]} took longer than {deadline:.0f} s") from error


def _silenced(listed: bytes) -> list[str]:
    """Settings that take away the programs that a repository names, but for those that the user
    has set alike for all repositories.
    """
    parts = listed.split(b"\0")
    entries = list(zip(parts[::2], parts[1::2], strict=False))
    of_the_user = {entry for scope, entry in entries if scope.decode() not in _OF_A_REPOSITORY}
    found: dict[str, None] = {}
    for scope, entry in entries:
        named = _NAMES_PROGRAM.fullmatch(os.fsdecode(entry.partition(b"\n")[0]))
        if named is None or scope.decode() not in _OF_A_REPOSITORY or entry in of_the_user:
            continue
        section = named[1] or named[2]
        found |= dict.fromkeys(f"{section}.{key}" for key in _WITHOUT[section.split(".")[0]])
    return list(found)


def _in_environment(keys: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """Empty settings as git takes them from its environment, behind those that are there."""
    first = int(env.get("GIT_CONFIG_COUNT", "0"))
    told = {"GIT_CONFIG_COUNT": str(first + len(keys))}
    for number, key in enumerate(keys, first):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": ""}
    return told


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


def links(root: Path, env: Mapping[str, str]) -> list[str]:
    """The paths of other repositories in the index."""
    entries = (entry.partition("\t") for entry in paths(run("ls-files", "-sz", cwd=root, env=env)))
    return [path for facts, _, path in entries if facts.startswith("160000 ")]


def add_all(root: Path, env: Mapping[str, str]) -> list[str]:
    """Bring the index up to date with the files. Returns the repositories inside that have no
    commit yet: those git refuses to add. Those that are in the index stay as they are there: git
    would look into them with a git of its own, which runs what they name.
    """
    left_out: list[str] = []
    known = [path for path in links(root, env) if os.path.lexists(root / path / ".git")]
    while True:
        pathspec = [".", *(f":(exclude,top,literal){path}" for path in [*known, *left_out])]
        try:
            run("add", "-A", "--", *pathspec, cwd=root, env=env)
        except GitError as error:
            found = _NO_COMMIT.fullmatch(str(error))
            if found is None or found[1] in left_out:
                raise
            left_out.append(found[1])
        else:
            return left_out

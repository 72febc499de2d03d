"""Running git: one place for its environment, its failures and its deadline. No program that a
repository names is run: whoever handed it to the user may have named it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

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
    "-c", "core.ignoreStat=false",  # would hide what was edited
    # What a sparse checkout leaves out is marked in the index, which is enough. With the patterns
    # git refuses to add what is outside of them.
    "-c", "core.sparseCheckout=false",
    "-c", "submodule.recurse=false",
    "-c", "safe.bareRepository=all",  # ours is one, and we name it
    "-c", "init.defaultRefFormat=files",
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
LFS_STORE = "bug-lsp.lfsstore"
"""A setting of ours: a folder with the contents of files of Git LFS; there can be several."""
_LFS = Path(__file__).with_name("lfs_filter.py")
_DEADLINE = 300.0
_MOST_CONFLICTS = 127
"""The exit status of a merge is their number; above that it is a failure."""
_BY_US = "command"
"""The scope of what we have set ourselves."""
_CHUNK = 1 << 16


class GitError(Exception):
    """git said no; the text is its first complaint."""


class Entry(NamedTuple):
    """One setting, as git lists it."""

    scope: str
    key: str
    value: str


class Settled(dict[str, str]):
    """An environment in which the programs that a repository names have been taken away already,
    for several commands on a repository whose settings nobody else changes meanwhile. Git LFS is
    done by a filter of ours.
    """

    settings: Sequence[Entry] = ()
    """What is set, before anything was taken away."""

    @classmethod
    def of(cls, cwd: Path, env: Mapping[str, str]) -> Settled:
        """Look once what is named."""
        entries = settings(cwd, env)
        stores = [Path(entry.value) for entry in entries if entry.key == LFS_STORE]
        told = dict.fromkeys(_silenced(entries), "") | lfs_settings(stores)
        made = cls({**env, **_in_environment(told, env)})
        made.settings = entries
        return made

    def more(self, env: Mapping[str, str]) -> Settled:
        """Return the same with some variables set."""
        made = Settled({**self, **env})
        made.settings = self.settings
        return made

    def runs_filter(self, name: str) -> bool:
        """Whether files with this filter go through a program."""
        prefix = f"filter.{name}."
        return name == "lfs" or any(
            entry.key.startswith(prefix) and entry.scope not in _OF_A_REPOSITORY
            for entry in self.settings
        )


def settings(cwd: Path, env: Mapping[str, str] | None = None) -> list[Entry]:
    """List what is set, but for what is set by us for all commands. The last one counts."""
    parts = _called(_LIST, cwd, env or {}).stdout.split(b"\0")
    ours = {word.partition("=")[0].lower() for word in _SAFE}
    found: list[Entry] = []
    for scope, entry in zip(parts[::2], parts[1::2], strict=False):
        key, separator, value = os.fsdecode(entry).partition("\n")
        if not (scope.decode() == _BY_US and key.lower() in ours):
            # Without a value it is true.
            found.append(Entry(scope.decode(), key, value if separator else "true"))
    return found


def lfs_settings(stores: Sequence[Path]) -> dict[str, str]:
    """Return the settings by which git takes files of Git LFS from these folders, whether git-lfs
    is installed or not.
    """
    words = [sys.executable, "-I", str(_LFS), *map(str, stores)]
    return {
        "filter.lfs.process": shlex.join(words),
        "filter.lfs.clean": "",
        "filter.lfs.smudge": "",
        "filter.lfs.required": "false",
    }


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
        raise _error(arguments[0], done.returncode, done.stderr)
    return done.stdout


def merge_file(present: Path, base: Path, patched: Path) -> bytes | None:
    """`present` with what was changed from `base` to `patched`; None where the changes clash."""
    arguments = ("merge-file", "-p", str(present), str(base), str(patched))
    done = _done(arguments, present.parent)
    if done.returncode == 0:
        return done.stdout
    if done.returncode <= _MOST_CONFLICTS:
        return None
    raise _error("merge-file", done.returncode, done.stderr)


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
    try:
        return subprocess.run(
            [_program(), *_SAFE, *words],
            cwd=cwd,
            env=_environment(env),
            input=stdin,
            capture_output=True,
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {words[0]} took longer than {deadline:.0f} s") from error


def _program() -> str:
    program = on_path("git")
    if program is None:
        raise Refused("git is not installed, and every session needs a copy made by it; install it")
    return program


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return inherited | _CLEAN | dict(env)


@contextlib.contextmanager
def streamed(
    *arguments: str, cwd: Path, env: Settled, complaints: list[str]
) -> Iterator[Iterator[str]]:
    """Give the paths that a command with `-z` prints while it runs; it ends with the context.

    Its complaints are there afterwards. Raises `GitError`.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [_program(), *_SAFE, *arguments],
            cwd=cwd,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        try:
            yield _parts(process, arguments[0], said)
        finally:
            process.kill()
            process.communicate()
            said.seek(0)
            complaints += os.fsdecode(said.read()).splitlines()


def _parts(process: subprocess.Popen[bytes], command: str, said: IO[bytes]) -> Iterator[str]:
    if process.stdout is None:
        return
    rest = b""
    while chunk := os.read(process.stdout.fileno(), _CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from map(os.fsdecode, whole)
    if process.wait() != 0:
        said.seek(0)
        raise _error(command, process.returncode, said.read())


def _silenced(entries: Sequence[Entry]) -> list[str]:
    """Settings that take away the programs that a repository names, but for those that the user
    has set alike for all repositories.
    """
    of_the_user = {entry[1:] for entry in entries if entry.scope not in _OF_A_REPOSITORY}
    found: dict[str, None] = {}
    for entry in entries:
        named = _NAMES_PROGRAM.fullmatch(entry.key)
        if named is None or entry.scope not in _OF_A_REPOSITORY or entry[1:] in of_the_user:
            continue
        section = named[1] or named[2]
        found |= dict.fromkeys(f"{section}.{key}" for key in _WITHOUT[section.split(".")[0]])
    return list(found)


def _in_environment(settings: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Settings as git takes them from its environment, behind those that are there."""
    first = int(env.get("GIT_CONFIG_COUNT", "0"))
    told = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return told


def _error(command: str, status: int, complaints: bytes) -> GitError:
    said = complaints.decode(errors="replace").strip().splitlines()
    errors = [line for line in said if line.startswith(("error: ", "fatal: "))] or said[-1:]
    reason = errors[0].removeprefix("error: ").removeprefix("fatal: ") if errors else ""
    return GitError(reason or f"git {command} exited with {status}")


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

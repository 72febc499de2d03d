"""Git in the session's own copy: which commits there are, and having one of them checked out.

It makes no refs, no branches and no stashes, runs no hooks, and gives the copy back as it was.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import anyio

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.store.programs import on_path

_GIT = (
    "--literal-pathspecs",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "advice.detachedHead=false",
    "-c",
    "gc.auto=0",
    "-c",
    "submodule.recurse=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "blame.ignoreRevsFile=",
)
_MISSING = re.compile(r"unable to read|invalid object|annot read|bad file|bad object|missing blob")
_PARTIAL = (
    "this is a partial clone: the files of older commits are not on this machine, and bisect needs "
    "them; run `git fetch --refetch --no-filter`, and start again"
)
_MOST_FILES = 200
_NAMED = ("--pathspec-from-file=-", "--pathspec-file-nul")
_FORMAT = "%H%x00%h%x00%an%x00%as%x00%P%x00%s"


class MissingObjects(AgentFailure):
    """The clone is a partial one and lacks what was asked for."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, as a person knows it."""

    sha: str
    short: str
    author: str
    date: str
    parents: tuple[str, ...]
    subject: str


class GitCopy:
    """The copy as a git work tree."""

    def __init__(self, root: Path, kept: Sequence[Path] = (), confine: Sequence[str] = ()) -> None:
        self.root = root
        # Held as the tests are: one that ran in the copy may have set what git is to run there.
        self._git = (*confine, on_path("git") or "git", *_GIT)
        self._kept = [path.relative_to(root) for path in kept if path.is_relative_to(root)]
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self._env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        self._excluded: list[str] = []
        self._lock: Path | None = None
        self._absent: frozenset[str] = frozenset()
        self._besides: frozenset[str] = frozenset()

    async def run(self, *args: str, stdin: bytes | None = None) -> bytes:
        """What a git command prints. A failure of it is one of ours."""
        code, output, errors = await self._run(args, stdin)
        if code != 0:
            said = errors.decode("utf-8", "replace").strip()
            if _MISSING.search(said) and await self._is_set("bug-lsp.partialclone"):
                raise MissingObjects(FailureKind.NOT_APPLICABLE, _PARTIAL)
            raise AgentFailure(FailureKind.INTERNAL, f"git {args[0]} failed: {said}")
        return output

    async def _run(self, args: Sequence[str], stdin: bytes | None) -> tuple[int, bytes, bytes]:
        done = await anyio.run_process(
            [*self._git, *args],
            input=stdin,
            stdin=DEVNULL if stdin is None else None,
            cwd=self.root,
            env=self._env,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    async def text(self, *args: str) -> str:
        """The same as one line of text."""
        return (await self.run(*args)).decode("utf-8", "replace").strip()

    async def names(self, *args: str) -> list[str]:
        """The same as a list of names; the command must have been given `-z`."""
        output = await self.run(*args)
        return [os.fsdecode(name) for name in output.split(b"\0") if name]

    async def _is_set(self, key: str) -> bool:
        _, output, _ = await self._run(("config", "--type=bool", "--get", key), None)
        return output.strip() == b"true"

    async def is_shallow(self) -> bool:
        """Whether the history ends where the clone was told to end, not where it began."""
        return await self.text("rev-parse", "--is-shallow-repository") == "true"

    async def head(self) -> str | None:
        """The commit that is checked out, None where there is none."""
        code, output, _ = await self._run(("rev-parse", "--verify", "-q", "HEAD"), None)
        return output.decode().strip() if code == 0 else None

    async def commit(self, name: str) -> Commit:
        """All about one commit."""
        sha, short, author, date, parents, subject = (
            await self.text("show", "-s", "--no-show-signature", f"--format={_FORMAT}", name)
        ).split("\0", 5)
        return Commit(sha, short, author, date, tuple(parents.split()), subject)

    async def first_parents(self, tip: str, *, most: int, without: str | None = None) -> list[str]:
        """A commit and its first parents, newest first."""
        args = ["rev-list", "--first-parent", f"--max-count={most}", tip]
        return (await self.text(*args, *([f"^{without}"] if without else []))).split()

    async def touching(self, line: Sequence[str], files: Sequence[str]) -> frozenset[str]:
        """Which commits of a line of first parents, newest first, change one of some files."""
        args = ("rev-list", "--first-parent", f"{line[-1]}..{line[0]}", "--", *files[:_MOST_FILES])
        return frozenset((await self.text(*args)).split())

    async def named(self, name: str) -> str | None:
        """The commit that a tag or another name means, None if there is no such name."""
        code, output, _ = await self._run(
            ("rev-parse", "--verify", "-q", f"{name}^{{commit}}"), None
        )
        return output.decode().strip() if code == 0 else None

    async def before(self, date: str, tip: str) -> str | None:
        """The last of a commit's first parents before a date (`2026-03-02`)."""
        args = ("rev-list", "--first-parent", "--max-count=1", f"--before={date}T00:00:00", tip)
        return await self.text(*args) or None

    async def tags(self) -> list[str]:
        """All tags."""
        return (await self.text("tag", "--list")).split()

    async def same_tree(self, one: str, other: str) -> bool:
        """Whether two commits hold the same files."""
        return await self.text("rev-parse", f"{one}^{{tree}}") == await self.text(
            "rev-parse", f"{other}^{{tree}}"
        )

    async def files(self, commit: str) -> set[str]:
        """All files of a commit."""
        return set(await self.names("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit))

    async def has(self, name: str) -> bool:
        """Whether there is such an object."""
        return (await self._run(("cat-file", "-e", name), None))[0] == 0

    async def check_out(self, commit: str) -> None:
        """Have exactly the files of a commit. Not to be cancelled half way."""
        with anyio.CancelScope(shield=True):
            if self._lock is not None:  # of a git that a test started and that was killed with it
                self._lock.unlink(missing_ok=True)
            exclude = [part for path in self._excluded for part in ("-e", path)]
            await self.run("clean", "-ffdxq", *exclude)
            await self.run("checkout", "-f", "-q", "--detach", commit)
            if self._besides:
                await self._check_out_besides(commit)

    async def _check_out_besides(self, commit: str) -> None:
        """Have also the files outside of a sparse checkout that were there before us."""
        names = sorted(self._besides & await self._left_out() & await self.files(commit))
        if names:
            args = ("checkout", "-f", "-q", "--ignore-skip-worktree-bits", commit, *_NAMED)
            # In a partial clone an older one may be missing, which is as if it were not there yet.
            await self._run(args, b"\0".join(map(os.fsencode, names)))

    async def _left_out(self) -> frozenset[str]:
        """The files that are not checked out as they are outside of a sparse checkout."""
        entries = await self.names("ls-files", "-t", "-z")
        return frozenset(entry[2:] for entry in entries if entry.startswith("S "))

    async def bring(self, paths: Sequence[str], commit: str) -> None:
        """Have some files as they are in another commit, but for those that were never there."""
        names = b"\0".join(os.fsencode(path) for path in paths if path not in self._absent)
        args = ("restore", f"--source={commit}", "--worktree", "--ignore-skip-worktree-bits")
        if names:
            with anyio.CancelScope(shield=True):
                await self.run(*args, *_NAMED, stdin=names)

    @contextlib.asynccontextmanager
    async def as_it_was(self, base: str) -> AsyncIterator[None]:
        """Whatever is checked out inside, afterwards the copy is what it was before."""
        code, output, _ = await self._run(("symbolic-ref", "-q", "HEAD"), None)
        branch = output.decode().strip() if code == 0 else None
        self._lock = self.root / await self.text("rev-parse", "--git-path", "index.lock")
        self._excluded = await self._what_git_does_not_know()
        if await self._is_set("core.sparsecheckout"):
            self._absent = await self._left_out()
            self._besides = frozenset(await self.files(base)) - self._absent
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self.check_out(base)
                if branch is not None:
                    await self.run("symbolic-ref", "HEAD", branch)

    async def _what_git_does_not_know(self) -> list[str]:
        """Patterns of what is to stay when the work tree is cleaned: what was there before us."""
        status = await self.names(
            "status", "--porcelain=v1", "-z", "--ignored", "--untracked-files", "--no-renames"
        )
        names = [entry[3:] for entry in status if entry[:2] in {"!!", "??"}]
        names += [path.as_posix() for path in self._kept if path.parts]
        return ["/" + re.sub(r"([\\*?\[\]])", r"\\\1", name) for name in sorted(names)]

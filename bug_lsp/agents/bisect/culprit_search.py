"""The search through a real history for what broke each of several failing tests.

It knows git and the tests only by asking them; how to step is `bisection`'s business, and what to
say about the outcome is `answer`'s.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bug_lsp.agents.base import Emit
from bug_lsp.agents.markdown import counted, listed
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, ToolCall, ToolResult
from bug_lsp.domain.line_roles import NOT_A_CAUSE, Role, role_of_file

from .bisection import Boundary, Check, Verdict, find_boundary
from .commit_tests import CommitTest
from .git_changes import ChangedLine, changed_files, changed_lines, diff_text
from .git_copy import Commit, GitCopy

MOST_SEARCHES = 3
MOST_CANDIDATES = 5
_MOST_COMMITS_OF_BRANCH = 1000
_MOST_MERGES_DEEP = 5
_MOST_TEST_COMMITS = 3
"""Commits of tests alone after which the search begins again with these tests in older commits."""


class OutOfTime(Exception):
    """The time of the search is over."""


@dataclass(frozen=True, slots=True)
class Clues:
    """What is known before the search begins."""

    good: Sequence[str] = ()
    """Commits of which the task says, by a release or a date, that they work."""
    files: frozenset[str] = frozenset()
    """Files that the failing tests execute; empty if that is not known."""
    ends: float = float("inf")
    """When no further commit is tested, by the monotonic clock."""


@dataclass(slots=True)
class Culprit:
    """What broke some of the tests."""

    names: list[str]
    commits: list[Commit]
    """One; or several, newest first, where those between good and bad cannot be tested."""
    good: str
    """The commit before it, in which the tests pass."""
    uncommitted: bool
    """Whether it is no commit but what the user has not committed yet."""
    lines: list[ChangedLine]
    diff: str
    files: list[str] = field(default_factory=list)
    """What the commits changed, by today's names."""
    is_narrowed: bool = False
    """Whether the time was over before it was one commit."""

    @property
    def changed_no_code(self) -> bool:
        """Whether it changed only what no bug of the code can be in."""
        return bool(self.files) and all(role_of_file(path) in NOT_A_CAUSE for path in self.files)


@dataclass(slots=True)
class Found:
    """The outcome of a search."""

    culprits: list[Culprit]
    """The one that broke the most tests first."""
    tried: list[tuple[Commit, dict[str, Verdict]]]
    """Each commit that was tested, in order; the first is the present state."""
    history: int
    """How many commits there were to choose from."""
    always: list[str]
    """Tests that failed in every commit they could be run in."""
    unsearched: list[str] = field(default_factory=list)
    """Tests left out because there were too many with different causes."""
    unfinished: list[str] = field(default_factory=list)
    """Tests for which the time was over, a sentence each."""
    why_none: list[str] = field(default_factory=list)
    """Why no commit is to blame, where none is: a sentence each."""


class CulpritSearch:
    """One search, over one history."""

    def __init__(
        self, git: GitCopy, base: str, test: CommitTest, emit: Emit, clues: Clues | None = None
    ) -> None:
        self._git = git
        self._base = base
        self._test = test
        self._emit = emit
        self._clues = clues or Clues()
        self._tried: dict[str, tuple[Commit, dict[str, Verdict]]] = {}

    async def run(self, history: list[str]) -> Found:
        """Find what broke the tests in a line of commits, newest first."""
        names = await self._confirmed()
        found = Found([], [], len(history), [])
        for name in names:
            if await self._is_explained(name, found.culprits):
                continue
            if len(found.culprits) + len(found.always) >= MOST_SEARCHES:
                found.unsearched.append(name)
                continue
            try:
                culprit = await self._culprit_in_code(name, history)
            except OutOfTime:
                culprit = await self._narrowed(name, history)
                if culprit is None:
                    found.unfinished.append(self._ruled_out(name, history))
                    continue
            if culprit is None:
                found.always.append(name)
            else:
                found.culprits.append(culprit)
        found.tried = list(self._tried.values())
        if not found.culprits:
            found.why_none = await self._why_none(found, history)
        found.culprits.sort(key=lambda culprit: -len(culprit.names))
        return found

    async def _confirmed(self) -> list[str]:
        """The tests that fail also when they are run the way older commits will run them."""
        verdicts = await self._verdicts(self._base)
        bad = [name for name in self._test.names if verdicts[name] is Verdict.BAD]
        if bad and self._test.lacking:
            raise AgentFailure(FailureKind.COPY_DIFFERS, self._test.lacking)
        if not bad:
            raise AgentFailure(FailureKind.NOT_APPLICABLE, self._test.why_not_bad)
        return bad

    async def _culprit_in_code(self, name: str, history: list[str]) -> Culprit | None:
        """The culprit; where that is a commit that only added the test, the one before which also
        that test passes.
        """
        culprit = await self._culprit(name, history, 0)
        for _ in range(_MOST_TEST_COMMITS):
            if culprit is None or not culprit.changed_no_code:
                break
            tests = [path for path in culprit.files if role_of_file(path) is Role.TEST]
            if not self._test.bring_along(tests):
                break
            subject = "what is not committed yet"
            if not culprit.uncommitted:
                subject = f"{culprit.commits[0].short} {culprit.commits[0].subject}"
            self._emit(
                Activity(text=f"{subject} only changed tests: they are tried in older commits")
            )
            self._tried = {sha: tried for sha, tried in self._tried.items() if sha == self._base}
            culprit = await self._culprit(name, history, 0)
        return culprit

    async def _narrowed(self, name: str, history: list[str]) -> Culprit | None:
        """The commits that are left when the time is over; None if none is known to be good."""
        verdicts = [self._known(name, sha) for sha in history]
        if Verdict.GOOD not in verdicts:
            return None
        good = verdicts.index(Verdict.GOOD)
        bad = max(at for at, verdict in enumerate(verdicts[:good]) if verdict is Verdict.BAD)
        culprit = await self._described(name, history, Boundary(bad, good))
        culprit.is_narrowed = good - bad > 1
        return culprit

    def _known(self, name: str, sha: str) -> Verdict | None:
        return self._tried[sha][1].get(name) if sha in self._tried else None

    def _ruled_out(self, name: str, history: list[str]) -> str:
        """What is known of a test's history when the time is over."""
        bad = [sha for sha in history if self._known(name, sha) is Verdict.BAD]
        oldest = self._tried[bad[-1]][0] if bad and bad[-1] != self._base else None
        if oldest is None:
            return f"`{name}`: no older commit could be tested in the time there was"
        return (
            f"`{name}` fails in all of the {counted(len(bad), 'commit')} that were tested, back to"
            f" {oldest.short} of {oldest.date}; older ones could not be tested in the time there"
            " was"
        )

    async def _verdicts(self, sha: str) -> dict[str, Verdict]:
        if sha not in self._tried:
            if self._tried and self._is_late:
                raise OutOfTime
            commit = await self._git.commit(sha)
            call_id = f"commit-{len(self._tried) + 1}"
            what = "the present state" if sha == self._base else f"{commit.short} {commit.subject}"
            self._emit(ToolCall(call_id=call_id, name="test", detail=what))
            verdicts = await self._test.verdicts(sha)
            outcome = "\n".join(f"{name}: {verdict}" for name, verdict in verdicts.items())
            told = "\n\n".join(filter(None, [outcome, self._test.printed]))
            self._emit(ToolResult(call_id=call_id, ok=True, output=told))
            self._tried[sha] = (commit, verdicts)
        return self._tried[sha][1]

    @property
    def _is_late(self) -> bool:
        return time.monotonic() > self._clues.ends

    async def _is_explained(self, name: str, found: list[Culprit]) -> bool:
        """Whether a test changed its mind where one before it did."""
        for culprit in found:
            after = (await self._verdicts(culprit.commits[-1].sha))[name]
            before = (await self._verdicts(culprit.good))[name]
            if after is not Verdict.GOOD and before is Verdict.GOOD:
                culprit.names.append(name)
                return True
        return False

    async def _culprit(self, name: str, line: list[str], depth: int) -> Culprit | None:
        """The first bad one in a line of commits of which the newest is known to be bad."""

        async def check(position: int) -> Verdict:
            return (await self._verdicts(line[position]))[name]

        boundary = await self._within_files(line, check) if depth == 0 else None
        boundary = boundary or await self._boundary(line, check)
        if boundary is None:
            return None
        inner = await self._within_merge(name, line, boundary, depth)
        return inner or await self._described(name, line, boundary)

    async def _within_files(self, line: list[str], check: Check) -> Boundary | None:
        """The boundary, if it is at a commit that touches what the failing tests execute: of a
        long history few do.
        """
        if not self._clues.files:
            return None
        touching = await self._git.touching(line, sorted(self._clues.files))
        # The last commit, too: what is not committed yet is likely to blame, whatever it touches.
        touched = [at + 1 for at, sha in enumerate(line[:-1]) if sha in touching]
        states = sorted({0, 1, *touched})
        if not touched or len(states) > len(line) // 2:
            return None
        around = await self._boundary([line[at] for at in states], lambda at: check(states[at]))
        if around is None or around.good - around.bad > 1:
            return None
        good = states[around.good]
        is_at_it = await check(good - 1) is Verdict.BAD
        return Boundary(good - 1, good) if is_at_it else None

    async def _boundary(self, line: list[str], check: Check) -> Boundary | None:
        def tell(left: int | None, whole: int | None) -> None:
            if left is None or not whole:
                self._emit(Activity(text="bisecting: looking for a commit that works"))
                return
            text = f"bisecting: {counted(left, 'commit')} left to try"
            self._emit(Activity(text=text, percentage=100 * (whole - left) // whole))

        hints = [line.index(sha) for sha in self._clues.good if sha in line]
        return await find_boundary(len(line), check, tell, hints)

    async def _within_merge(
        self, name: str, line: list[str], boundary: Boundary, depth: int
    ) -> Culprit | None:
        """The commit of a merged branch that is to blame, where it is not the merge itself."""
        merge, good = line[boundary.bad], line[boundary.good]
        is_one = boundary.good - boundary.bad == 1
        if merge == self._base or not is_one or depth == _MOST_MERGES_DEEP:
            return None
        for parent in (await self._git.commit(merge)).parents[1:]:
            branch = await self._git.first_parents(
                parent, most=_MOST_COMMITS_OF_BRANCH, without=good
            )
            if not branch or (await self._verdicts(parent))[name] is not Verdict.BAD:
                continue
            fork = (await self._git.commit(branch[-1])).parents[:1]
            culprit = await self._culprit(name, [*branch, *fork], depth + 1)
            if culprit is not None:
                return culprit
        return None

    async def _described(self, name: str, line: list[str], boundary: Boundary) -> Culprit:
        shas = line[boundary.bad : boundary.good]
        commits = [await self._git.commit(sha) for sha in shas]
        lines: list[ChangedLine] = []
        files: list[str] = []
        for commit in commits[:MOST_CANDIDATES]:
            lines += await changed_lines(self._git, commit, self._base)
            files += await changed_files(self._git, commit, self._base)
        return Culprit(
            names=[name],
            commits=commits,
            good=line[boundary.good],
            uncommitted=shas == [self._base],
            lines=lines,
            diff=await diff_text(self._git, commits[0]) if len(commits) == 1 else "",
            files=files,
        )

    async def _why_none(self, found: Found, history: list[str]) -> list[str]:
        """Why no commit is to blame: what is known of each test, a sentence each."""
        sentences = [*found.unfinished]
        failed_in: dict[tuple[str, ...], list[str]] = {}
        for name in found.always:
            bad = [sha for sha in history if self._known(name, sha) is Verdict.BAD]
            failed_in.setdefault(tuple(sha for sha in bad if sha != self._base), []).append(name)
        for shas, names in failed_in.items():
            sentences.append(await self._always_failed(names, shas))
        return sentences

    async def _always_failed(self, names: list[str], shas: Sequence[str]) -> str:
        listed_names = listed([f"`{name}`" for name in names], MOST_SEARCHES)
        if not shas:
            return (
                f"{listed_names} cannot be run in any earlier commit, so none can be compared with"
            )
        oldest = self._tried[shas[-1]][0]
        sentence = (
            f"{listed_names} failed in all earlier commits it was run in ({len(shas)}), back to"
            f" {oldest.short} of {oldest.date}: the bug is as old as the oldest of them"
        )
        if await self._git.is_shallow():
            sentence += (
                ", or older: this is a shallow clone, and its history ends there; run"
                " `git fetch --unshallow` to search further"
            )
        return sentence

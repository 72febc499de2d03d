"""The search through a real history for what broke each of several failing tests.

It knows git and the tests only by asking them; how to step is `bisection`'s business, and what to
say about the outcome is `answer`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bug_lsp.agents.base import Emit
from bug_lsp.agents.markdown import counted, listed
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, ToolCall, ToolResult

from .bisection import Boundary, Check, Verdict, find_boundary
from .commit_tests import CommitTest
from .git_changes import ChangedLine, changed_lines, diff_text
from .git_copy import Commit, GitCopy

MOST_SEARCHES = 3
MOST_CANDIDATES = 5
_MOST_COMMITS_OF_BRANCH = 1000
_MOST_MERGES_DEEP = 5


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


class CulpritSearch:
    """One search, over one history."""

    def __init__(self, git: GitCopy, base: str, test: CommitTest, emit: Emit) -> None:
        self._git = git
        self._base = base
        self._test = test
        self._emit = emit
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
            culprit = await self._culprit(name, history, 0)
            if culprit is None:
                found.always.append(name)
            else:
                found.culprits.append(culprit)
        found.tried = list(self._tried.values())
        if not found.culprits:
            raise await self._always_failed(found.always, history)
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

    async def _verdicts(self, sha: str) -> dict[str, Verdict]:
        if sha not in self._tried:
            commit = await self._git.commit(sha)
            call_id = f"commit-{len(self._tried) + 1}"
            what = "the present state" if sha == self._base else f"{commit.short} {commit.subject}"
            self._emit(ToolCall(call_id=call_id, name="test", detail=what))
            verdicts = await self._test.verdicts(sha)
            outcome = "\n".join(f"{name}: {verdict}" for name, verdict in verdicts.items())
            self._emit(ToolResult(call_id=call_id, ok=True, output=outcome))
            self._tried[sha] = (commit, verdicts)
        return self._tried[sha][1]

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

        boundary = await self._boundary(len(line), check)
        if boundary is None:
            return None
        inner = await self._within_merge(name, line, boundary, depth)
        return inner or await self._described(name, line, boundary)

    async def _boundary(self, count: int, check: Check) -> Boundary | None:
        def tell(left: int | None, whole: int | None) -> None:
            if left is None or not whole:
                self._emit(Activity(text="bisecting: looking for a commit that works"))
                return
            text = f"bisecting: {counted(left, 'commit')} left to try"
            self._emit(Activity(text=text, percentage=100 * (whole - left) // whole))

        return await find_boundary(count, check, tell)

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
        for commit in commits[:MOST_CANDIDATES]:
            lines += await changed_lines(self._git, commit, self._base)
        return Culprit(
            names=[name],
            commits=commits,
            good=line[boundary.good],
            uncommitted=shas == [self._base],
            lines=lines,
            diff=await diff_text(self._git, commits[0]) if len(commits) == 1 else "",
        )

    async def _always_failed(self, always: list[str], history: list[str]) -> AgentFailure:
        names = listed([f"`{name}`" for name in always], MOST_SEARCHES)
        tried = [self._tried[sha] for sha in history if sha != self._base and sha in self._tried]
        bad = [commit for commit, verdicts in tried if verdicts[always[0]] is Verdict.BAD]
        if bad:
            sentence = (
                f"{names} failed in all earlier commits it was run in ({len(bad)}), back to"
                f" {bad[-1].short} of {bad[-1].date}: the bug is as old as the oldest of them"
            )
            if await self._git.is_shallow():
                sentence += (
                    ", or older: this is a shallow clone, and its history ends there; run"
                    " `git fetch --unshallow` to search further"
                )
        else:
            sentence = f"{names} cannot be run in any earlier commit, so none can be compared with"
        return AgentFailure(FailureKind.NOT_APPLICABLE, sentence)

"""The tests that an agent wrote, taken from its patch: which files, and which of their tests show
the bug on the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bug_lsp.agents.python_tests import Plan, is_test_code

from .checks import Check, Outcome, named
from .patches import Prepared
from .reasons import why_not
from .tree import Kept

_PYTHON_TESTS = re.compile(r"(?:test_.*|.*_test|tests?)\.py")
_OTHER_TESTS = re.compile(r".*[._-](?:test|spec)\.[cm]?[jt]sx?|.*_test\.go|.*_(?:test|spec)\.\w+")
_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec"})
_NOT_BUILT = re.compile(
    r"\[build failed\]|could not compile|error\[E\d+\]|Cannot find module|SyntaxError|setup failed"
)


@dataclass(frozen=True, slots=True)
class AgentTests:
    """Tests that one agent wrote, or several the same."""

    patches: tuple[Prepared, ...]
    check: Check
    """All tests of their files, on the snapshot."""

    @property
    def session_id(self) -> str:
        """Whose patch they are taken from."""
        return self.patches[0].candidate.session_id

    @property
    def labels(self) -> str:
        """Who wrote them."""
        return " and ".join(patch.candidate.label for patch in self.patches)


def written(patches: Sequence[Prepared], prefix: str, suite: str | None) -> list[AgentTests]:
    """What was written or changed of tests, the same text once. `suite` is the command that runs
    tests other than Python's; None where there is none.
    """
    found: dict[tuple[object, ...], AgentTests] = {}
    for patch in patches:
        check = _check(patch, prefix, suite)
        if check is None:
            continue
        text = tuple(sorted(_words(kept) for kept in check.lay.values()))
        same = found.get(text)
        earlier = same.patches if same is not None else ()
        found[text] = AgentTests((*earlier, patch), same.check if same is not None else check)
    return list(found.values())


def _words(kept: Kept) -> bytes:
    """A file's text without its spacing."""
    return b" ".join(kept.path.read_bytes().split())


def _check(patch: Prepared, prefix: str, suite: str | None) -> Check | None:
    files = {path: kept for path, kept in patch.files.items() if kept and _is_test(path)}
    files = {path: kept for path, kept in files.items() if not kept.path.is_symlink()}
    python = [path for path in files if _PYTHON_TESTS.fullmatch(PurePosixPath(path).name)]
    title = f"the tests that {patch.candidate.label} wrote"
    name = f"tests-of-{patch.candidate.session_id}"
    if python:
        inside = tuple(inner for path in python if (inner := _inside(path, prefix)) is not None)
        return Check(name, title, files, plan=Plan(args=inside)) if inside else None
    if files and suite is not None:
        return Check(name, title, files, command=suite)
    return None


def _is_test(path: str) -> bool:
    pure = PurePosixPath(path)
    return (
        is_test_code(path)
        or _OTHER_TESTS.fullmatch(pure.name) is not None
        or not _TEST_FOLDERS.isdisjoint(pure.parts[:-1])
    )


def _inside(path: str, prefix: str) -> str | None:
    """A path of the project, from the folder that the tests run in."""
    if not prefix:
        return path
    return path.removeprefix(f"{prefix}/") if path.startswith(f"{prefix}/") else None


def has_tests(tests: AgentTests, outcome: Outcome) -> bool:
    """Whether there are any tests in what looks like it: some code has such a name, too."""
    run = outcome.run
    return tests.check.plan is None or run is None or bool(run.tests or run.collection_errors)


def showing(tests: AgentTests, outcome: Outcome, said: str) -> tuple[Check, str, str]:
    """The check that is limited to the tests that show the bug, how they fail, and why they do not
    count ("" if they do). `said` is the end of the log.
    """
    if outcome.result != "failed":
        why = {"passed": "they pass on the snapshot"}.get(outcome.result, outcome.detail)
        return tests.check, "", why
    if outcome.run is None or tests.check.plan is None:
        broken = "they cannot be built on the snapshot" if _NOT_BUILT.search(said) else ""
        return tests.check, outcome.detail, broken
    failing = outcome.run.failing
    counting = [test for test in failing if why_not(test) is None]
    if not counting:
        reason = next(filter(None, map(why_not, failing)), "")
        return tests.check, "", ": ".join(filter(None, [reason, outcome.detail]))
    ids = frozenset(test.id for test in counting)
    plan = Plan(args=tests.check.plan.args, only=ids)
    one = counting[0].failure
    reason = one.summary if one is not None and len(counting) == 1 else named(counting)
    check = Check(tests.check.id, _title(sorted(ids)), tests.check.lay, plan=plan, ids=ids)
    return check, reason, ""


def _title(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} and {len(ids) - 1} more"


def originals_of(paths: Mapping[str, Kept]) -> Mapping[str, Kept]:
    """Files of the snapshot that are laid over a patched copy, so that no patch passes a test by
    changing it.
    """
    return {path: kept for path, kept in paths.items() if is_test_code(path)}

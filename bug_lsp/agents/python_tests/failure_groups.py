"""Groups failing tests by what they share, and finds the group that a text is about.

Pure. Tests belong together that fail at one place of the project, with one error that says
something, or that execute the same lines which most passing tests do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from bug_lsp.domain.clues import Clues, clues, words

from .code_kind import is_test_code
from .results import Failure, SuiteRun

Line: TypeAlias = tuple[str, int]
Groups: TypeAlias = list[list["Failing"]]

_OVERLAP = 0.5
"""The share of one test's telling lines that another must execute to belong to it."""
_SHARPNESS = 4
"""Lines that many passing tests execute say next to nothing."""
_MOST_COMPARED = 80
_TELLING_WORDS = 2
_TELLING_FILES = 10
_NOISE = re.compile(r"0x[0-9a-fA-F]+|'[^'\n]*'|\"[^\"\n]*\"|\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Failing:
    """A failing test, or a file whose tests cannot be collected."""

    name: str
    path: str
    failure: Failure
    lines: frozenset[Line] = frozenset()
    """What it executed of the project."""

    @property
    def is_slow(self) -> bool:
        """Whether it was ended for its time alone."""
        return self.failure.type == "Timeout"

    @property
    def place(self) -> Line | None:
        """The innermost place of the project in its traceback."""
        frames = [
            frame
            for frame in self.failure.frames
            if not is_test_code(frame.path) and frame.path != self.path
        ]
        return (frames[-1].path, frames[-1].line) if frames else None

    @cached_property
    def error(self) -> str:
        """Type and shape of its error; empty where these say too little to go by."""
        shape = _NOISE.sub("", self.failure.summary)
        too_little = self.failure.type in {"AssertionError", "Failed", "Timeout", "ProcessDied"}
        if too_little or len(re.findall(r"[^\W\d_]{3,}", shape)) <= _TELLING_WORDS:
            return ""
        return shape


def groups(failing: Sequence[Failing], run: SuiteRun) -> Groups:
    """The tests by what they share, in their order."""
    found: Groups = []
    by_key: dict[object, list[Failing]] = {}
    for one in failing:
        keys = [key for key in (one.place, one.error) if key]
        group = next((by_key[key] for key in keys if key in by_key), None)
        if group is None:
            group = []
            found.append(group)
        group.append(one)
        by_key.update(dict.fromkeys(keys, group))
    return _joined(found, weights(failing, run))


def weights(failing: Iterable[Failing], run: SuiteRun) -> dict[Line, float]:
    """How much it says that a test executes a line: nothing where all passing ones do."""
    passing = {index for index, test in enumerate(run.tests) if test.outcome == "passed"}
    every = len(passing) or 1
    wanted = {line for one in failing for line in one.lines}
    return {
        (path, line): (1 - len(passing.intersection(run.coverage[path][line])) / every)
        ** _SHARPNESS
        for path, line in wanted
    }


def _joined(found: Groups, weight: Mapping[Line, float]) -> Groups:
    """Groups joined that execute the same telling lines."""
    lines = [frozenset[Line]().union(*(one.lines for one in group[:3])) for group in found]
    owner = list(range(len(found)))
    for one in range(min(len(found), _MOST_COMPARED)):
        for other in range(one):
            if owner[one] != owner[other] and _alike(lines[one], lines[other], weight):
                old, new = max(owner[one], owner[other]), min(owner[one], owner[other])
                owner = [new if number == old else number for number in owner]
    joined: dict[int, list[Failing]] = {}
    for number, group in zip(owner, found, strict=True):
        joined.setdefault(number, []).extend(group)
    return list(joined.values())


def _alike(one: frozenset[Line], other: frozenset[Line], weight: Mapping[Line, float]) -> bool:
    if not one or not other:
        return False
    least = min(sum(weight[line] for line in lines) for lines in (one, other))
    # Where all that it executes is what every test executes, nothing tells them apart.
    return sum(weight[line] for line in one & other) >= _OVERLAP * least


def best_group(found: Groups, text: str, weight: Mapping[Line, float]) -> list[Failing]:
    """The group that fits the text's words, else the largest, else the first."""
    task, task_words = clues(text), words(text)
    told = [_told(group, weight) for group in found]
    spread = Counter(word for one in told for word in words(one))
    scores = []
    for group, of_group in zip(found, told, strict=True):
        shared = sum(1 / spread[word] for word in task_words & words(of_group))
        scores.append(shared + _in_common(task, clues(of_group)) + _verbatim(group, text))
    return max(zip(scores, found, strict=True), key=lambda one: (round(one[0], 6), len(one[1])))[1]


def _told(group: Sequence[Failing], weight: Mapping[Line, float]) -> str:
    """What there is to say about a group, as a text to compare with."""
    files: Counter[str] = Counter()
    for one in group[:3]:
        for line in one.lines:
            files[line[0]] += round(100 * weight[line])
    parts = [path for path, _ in files.most_common(_TELLING_FILES)]
    for one in group:
        parts += [one.name.replace("::", " "), one.failure.told]
        parts += [f"{frame.path} {frame.text}" for frame in one.failure.frames]
    return "\n".join(parts)


def _in_common(task: Clues, group: Clues) -> float:
    """Names of code, files and types of errors that both have."""
    names = len(task.names.keys() & group.names.keys())
    files = len(task.files.keys() & group.files.keys())
    errors = len(task.errors.keys() & group.errors.keys())
    return 2.0 * names + 3.0 * files + 2.0 * errors


def _verbatim(group: Sequence[Failing], text: str) -> float:
    """Whether the text has an error of the group's in its very words."""
    messages = {one.failure.message.strip().partition("\n")[0].strip() for one in group}
    return 5.0 if any(len(said) > 10 and said in text for said in messages) else 0.0  # noqa: PLR2004

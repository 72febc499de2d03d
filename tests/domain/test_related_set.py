"""How well related bugs are found, measured on task files as people write them.

Each file of `related_set` asks for the others. `groups.toml` says which belong together; the files
in no group share only common words, types of errors, entry points or frameworks with the others.
"""

from __future__ import annotations

import math
import re
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bug_lsp.domain.region import without_regions
from bug_lsp.domain.related import related

FOLDER = Path(__file__).parent / "related_set"
TASKS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
GROUPS = [
    [f"{name}.md" for name in group]
    for group in tomllib.loads((FOLDER / "groups.toml").read_text(encoding="utf-8"))["groups"]
]
EXPECTED = {name: {other for group in GROUPS if name in group for other in group} for name in TASKS}

Rank = Callable[[str, list[tuple[str, str]]], list[str]]


@dataclass(frozen=True)
class Measured:
    """Over all files that have related ones: 0 to 1, higher is better, but for `noise`."""

    first: float
    """How often the first that is found is a related one (precision@1)."""
    rank: float
    """The mean reciprocal rank of the first related one, 0 where none is found."""
    recall: float
    """Which part of the related ones is among the three that are found (recall@3)."""
    precision: float
    """Which part of what is found is related, over all files."""
    noise: float
    """How often something is found for a file that has no related one."""


def measure(rank: Rank) -> Measured:
    first, reciprocal, recalled, noisy, right, found = [], [], [], [], 0, 0
    for name, text in TASKS.items():
        wanted = EXPECTED[name] - {name}
        got = rank(text, [(other, TASKS[other]) for other in TASKS if other != name])
        found += len(got)
        right += len(wanted & set(got))
        if not wanted:
            noisy.append(bool(got))
            continue
        first.append(got[:1] != [] and got[0] in wanted)
        reciprocal.append(next((1 / n for n, one in enumerate(got, 1) if one in wanted), 0.0))
        recalled.append(len(wanted & set(got)) / len(wanted))
    return Measured(
        first=_mean(first),
        rank=_mean(reciprocal),
        recall=_mean(recalled),
        precision=right / found,
        noise=_mean(noisy),
    )


def _mean(values: list[float] | list[bool]) -> float:
    return sum(values) / len(values)


def ours(text: str, others: list[tuple[str, str]]) -> list[str]:
    return [task.path for task in related(text, others)]


def shared_words(text: str, others: list[tuple[str, str]]) -> list[str]:
    """The baseline: shared words, weighted by how rare they are, and nothing more."""

    def words(text: str) -> set[str]:
        return {word for word in re.findall(r"[^\W_]+", text.lower()) if len(word) > 2}

    seen = Counter(word for _, body in others for word in words(body))
    wanted = words(without_regions(text))
    scored = []
    for path, body in others:
        have = words(body)
        score = sum(math.log(len(others) / seen[word]) for word in wanted & have)
        scored.append((-score / math.sqrt(len(have)), path))
    return [path for score, path in sorted(scored)[:3] if score < 0]


def test_the_set_has_many_kinds_of_reports() -> None:
    assert len(TASKS) >= 45
    assert sum(not wanted for wanted in EXPECTED.values()) >= 15
    whole = "\n".join(TASKS.values())
    for sign in ('.py", line', ".tsx:", "panicked at", "goroutine ", ".java:", "flaky", "PDF"):
        assert sign in whole


def test_related_bugs_are_found_and_unrelated_ones_are_not() -> None:
    found = measure(ours)
    assert found.first >= 0.96, found
    assert found.rank >= 0.96, found
    assert found.recall >= 0.96, found
    assert found.precision >= 0.98, found
    assert found.noise == 0, found


def test_shared_words_alone_are_a_poor_guide() -> None:
    words, found = measure(shared_words), measure(ours)
    assert words.noise == 1, words
    assert words.precision < 0.4, words
    assert words.first < found.first, words
    assert words.rank < found.rank, words


def test_among_a_thousand_it_finds_the_same_quickly() -> None:
    crowd = [
        (f"{number:04}-{name}", _renamed(text, number))
        for number in range(25)
        for name, text in TASKS.items()
        if not EXPECTED[name]
    ]
    names = [name for name, wanted in EXPECTED.items() if wanted]
    crowd += [(name, TASKS[name]) for name in names]
    crowd += [(f"{number}.md", _renamed(TASKS[names[0]], number)) for number in range(600)]
    assert len(crowd) >= 1000
    slowest, right = 0.0, 0
    for name in names[:8]:
        others = [one for one in crowd if one[0] != name]
        started = time.process_time()
        got = ours(TASKS[name], others)
        slowest = max(slowest, time.process_time() - started)
        right += bool(set(got) & EXPECTED[name])
    assert right >= 7
    assert slowest < 0.5, "it takes about 60 ms on an idle machine"


def test_a_task_file_of_a_megabyte_costs_no_more_than_its_beginning() -> None:
    log = "2026-11-22 09:16:18 worker 17 said hello to everybody\n" * 18_000
    long = {name: without_regions(text) + log + text for name, text in TASKS.items()}
    name, *_ = GROUPS[0]
    started = time.process_time()
    got = ours(long[name], [(other, long[other]) for other in TASKS if other != name])
    assert time.process_time() - started < 1
    assert set(got) == EXPECTED[name] - {name}


@pytest.mark.parametrize(
    "piece",
    [
        "{}",
        "\n",
        "a",
        "a-",
        "a.",
        "aA",
        "a_",
        "/",
        " at a.",
        "\nat a.a(",
        "\nf({",
        "\n1: a",
        "\n \t",
        "A",
    ],
)
def test_no_text_can_make_it_slow(piece: str) -> None:
    hostile = f"# {piece * 20_000}\n"
    region = "\n<!-- bug-lsp:begin run=0123456789abcdef -->\n{}\n<!-- bug-lsp:end -->\n"
    others = [
        (f"{n}.md", hostile + region.format(f"## Root cause\n{piece * 9_000}")) for n in range(9)
    ]
    started = time.process_time()
    ours(f"at {hostile}", others)
    assert time.process_time() - started < 2


def _renamed(text: str, number: int) -> str:
    """The same report about another thing."""
    return re.sub(r"\b([a-z]{5,})\b", lambda match: f"{match[1]}{number}", text)

"""Earlier bugs that may help with this one: task files whose synthesis speaks of similar things.

What two reports share counts by how much it says (a frame near the failure more than a file, a file
more than a word) and how rare it is among the earlier ones. Below a threshold nothing is related:
a wrong hint costs an agent more than none.
"""

from __future__ import annotations

import heapq
import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .clues import ENDINGS, Clues, clues, words
from .region import region_of, without_regions
from .task import title_of

MOST_RELATED = 3
_SECTION = re.compile(
    r"^## (?P<name>[^\n]+)\n(?P<text>.*?)(?=^## |^<details>|\Z)", re.MULTILINE | re.DOTALL
)
_SEPARATORS = dict.fromkeys(map(ord, string.punctuation), " ")
_MARK, _END = "<!-- bug-lsp:begin run=", "<!-- bug-lsp:end"
_HEAD = 6_000
_TAIL = 3_000
"""Characters of a task file that are looked at: of its beginning, and of its last region."""
_LOOKED_AT = 40
"""How many are looked at closely, of those that share the rarest words."""
_FEWEST = 20
"""Of fewer task files nobody can say which words are rare among them; it is counted as if of so
many."""
_WEIGHTS = {"frames": 2.5, "files": 1.6, "names": 1.2, "errors": 0.7}
_ELSEWHERE = 0.5
"""What is left of a likeness where both have traces that end in different files."""
_TITLE, _HALF_TITLE, _BODY = 1.1, 0.5, 0.25
_MOST_WORDS = 6
_ENOUGH, _ENOUGH_OF_WORDS = 1.1, 1.7


@dataclass(frozen=True, slots=True)
class Related:
    """What an earlier task file has to say."""

    path: str
    title: str
    root_cause: str
    solution: str


@dataclass(frozen=True, slots=True)
class _Report:
    """A task file, as it is compared."""

    path: str
    text: str
    title: frozenset[str]
    body: frozenset[str]
    clues: Clues


def related(text: str, others: Iterable[tuple[str, str]]) -> list[Related]:
    """Up to three of `others` ((path, text) pairs) that have a synthesis and are about something
    alike, best first; equals in the order of their paths. Costs O(cap) for each of `others`.
    """
    own = _report("", text)
    asked = own.title | own.body
    variants = {f"{word}{ending}": word for word in asked for ending in ENDINGS}
    earlier = [
        (path, body, {variants[form] for form in _tokens(body) & variants.keys()})
        for path, body in others
        if _MARK in body
    ]
    seen = Counter(word for _, _, shared in earlier for word in shared)
    rarity = _Rarity(seen, len(earlier))
    closest = heapq.nsmallest(
        _LOOKED_AT, earlier, key=lambda item: (-sum(map(rarity.of, item[2])), item[0])
    )
    reports = [_report(path, body) for path, body, _ in closest]
    scored = [(_score(own, one, rarity, reports), one) for one in reports]
    scored.sort(key=lambda item: (-item[0], item[1].path))
    near = (_read(one.path, one.text) for score, one in scored if score >= 1)
    return list(islice(filter(None, near), MOST_RELATED))


def sections(body: str) -> dict[str, str]:
    """The `##` sections of a region's body, by name."""
    text = body.replace("\r\n", "\n")
    return {match["name"].strip(): match["text"].strip() for match in _SECTION.finditer(text)}


class _Rarity:
    """How much it says that something is shared: nearly 1 for what one has, 0 for what all have."""

    def __init__(self, seen: Mapping[str, int], count: int) -> None:
        self._seen = seen
        self._count = max(count, _FEWEST) + 2

    def of(self, name: str) -> float:
        """The rarity of a word."""
        return self.among(self._seen.get(name, 0))

    def among(self, count: int) -> float:
        """The rarity of what so many have."""
        return math.log(self._count / (count + 1)) / math.log(self._count)


def _tokens(text: str) -> set[str]:
    mark = max(text.rfind(_MARK), 0)
    looked_at = text[: min(mark, _HEAD)] + text[mark : mark + _TAIL]
    return set(looked_at.lower().translate(_SEPARATORS).split())


def _own_text(text: str) -> str:
    """The beginning of what the user wrote."""
    # The cut may have left a region without its end.
    return without_regions(text[:_HEAD]).partition(_MARK)[0]


def _last_region(text: str) -> str:
    mark = text.rfind(_MARK)
    return "" if mark < 0 else text[mark : mark + _TAIL].partition(_END)[0]


def _report(path: str, text: str) -> _Report:
    user = _own_text(text)
    # One's own earlier synthesis may have been wrong: what is asked is in the user's words.
    found = sections(_last_region(text)) if path else {}
    whole = "\n".join((user, found.get("Root cause", ""), found.get("Recommended solution", "")))
    title = words(title_of(user) or "")
    return _Report(path, text, title, words(whole) - title, clues(whole))


def _score(own: _Report, other: _Report, rarity: _Rarity, all_of_them: Sequence[_Report]) -> float:
    score = 0.0
    for name, weight in _WEIGHTS.items():
        mine: Mapping[str, float] = getattr(own.clues, name)
        theirs: Mapping[str, float] = getattr(other.clues, name)
        shared = (
            mine[clue]
            * theirs[clue]
            * rarity.among(sum(clue in getattr(one.clues, name) for one in all_of_them))
            for clue in mine.keys() & theirs.keys()
        )
        score += sum(weight * one / 2**n for n, one in enumerate(heapq.nlargest(4, shared)))
    enough = _ENOUGH if score else _ENOUGH_OF_WORDS
    said = [
        *(_TITLE * rarity.of(word) for word in own.title & other.title),
        *(_HALF_TITLE * rarity.of(word) for word in own.title & other.body),
        *(_HALF_TITLE * rarity.of(word) for word in own.body & other.title),
        *(_BODY * rarity.of(word) for word in own.body & other.body),
    ]
    score += sum(heapq.nlargest(_MOST_WORDS, said))
    ends, others = own.clues.ends, other.clues.ends
    if ends and others and not ends & others:
        score *= _ELSEWHERE
    return score / enough


def _read(path: str, text: str) -> Related | None:
    region = region_of(text)
    if region is None:  # what looked like one is an example
        return None
    found = sections(region[1])
    return Related(
        path=path,
        title=title_of(text) or path,
        root_cause=found.get("Root cause", ""),
        solution=found.get("Recommended solution", ""),
    )

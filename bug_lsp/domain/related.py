"""Earlier bugs that may help with this one: task files whose synthesis speaks of similar things."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .region import region_of, without_regions
from .task import title_of

MOST_RELATED = 3
_WORD = re.compile(r"[^\W_]+")
_SECTION = re.compile(
    r"^## (?P<name>[^\n]+)\n(?P<text>.*?)(?=^## |^<details>|\Z)", re.MULTILINE | re.DOTALL
)
_MIN_WORD = 3
_FEW = 2


@dataclass(frozen=True, slots=True)
class Related:
    """What an earlier task file has to say."""

    path: str
    title: str
    root_cause: str
    solution: str


def related(text: str, others: Iterable[tuple[str, str]]) -> list[Related]:
    """Up to three of `others` ((path, text) pairs) that have a synthesis and share telling words
    with `text`, best first.
    """
    candidates = [(path, body) for path, body in others if region_of(body)]
    weights = _rarity([body for _, body in candidates])
    wanted = _words(without_regions(text))
    ranked = sorted(
        ((_similarity(wanted, _words(body), weights), path, body) for path, body in candidates),
        key=lambda item: (-item[0], item[1]),
    )
    return [_read(path, body) for score, path, body in ranked[:MOST_RELATED] if score > 0]


def sections(body: str) -> dict[str, str]:
    """The `##` sections of a region's body, by name."""
    text = body.replace("\r\n", "\n")
    return {match["name"].strip(): match["text"].strip() for match in _SECTION.finditer(text)}


def _read(path: str, text: str) -> Related:
    region = region_of(text)
    found = sections(region[1]) if region else {}
    return Related(
        path=path,
        title=title_of(text) or path,
        root_cause=found.get("Root cause", ""),
        solution=found.get("Recommended solution", ""),
    )


def _words(text: str) -> Counter[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return Counter(word for word in words if len(word) >= _MIN_WORD)


def _rarity(texts: Sequence[str]) -> dict[str, float]:
    seen = Counter(word for text in texts for word in set(_words(text)))
    # A word that stands in every file (of three or more) tells nothing.
    several = len(texts) if len(texts) > _FEW else len(texts) + 1
    return {word: math.log(several / count) for word, count in seen.items()}


def _similarity(wanted: Counter[str], have: Counter[str], weights: dict[str, float]) -> float:
    shared = sum(weights.get(word, 0.0) for word in wanted.keys() & have.keys())
    return shared / math.sqrt(len(have)) if have else 0.0

"""What was measured, beside what it may be at most: values, and how they are shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

HEADINGS = ("what", "measured", "p50 / p99 / worst", "limit or peer", "ratio", "holds")


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that so many percent of them do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. Without a limit it is told beside its peer, and promises nothing."""

    what: str
    value: float
    limit: float | None
    unit: str = "ms"
    peer: str = ""
    """What the limit is made of, where it was measured in the same run; or whom it is beside."""
    beside: float | None = None
    """What the peer needed, where it is no limit."""
    at_least: bool = False
    spread: tuple[float, float, float] | None = None
    """p50, p99 and the worst of all samples."""

    @classmethod
    def of(cls, what: str, samples: Sequence[float], percent: float, **more: Any) -> Self:
        """The figure of many samples that is promised: their p50, p99 or worst (100)."""
        spread = statistics.median(samples), percentile(samples, 99), max(samples)
        value = spread[0] if percent == 50 else percentile(samples, percent)  # noqa: PLR2004
        return cls(what, value, more.pop("limit", None), spread=spread, **more)

    @property
    def ratio(self) -> float | None:
        """To the limit, or to the peer; None where there is neither, or it is nothing."""
        against = self.limit if self.limit is not None else self.beside
        return self.value / against if against else None

    @property
    def holds(self) -> bool | None:
        """Whether the limit is kept; None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """As it stands in the table."""
        against = self.limit if self.limit is not None else self.beside
        shown = "" if against is None else f"{_number(against)} {self.unit}".rstrip()
        if self.limit is not None:
            shown = ("≥ " if self.at_least else "≤ ") + shown
        return (
            self.what,
            f"{_number(self.value)} {self.unit}".rstrip(),
            " / ".join(map(_number, self.spread)) if self.spread else "",
            f"{shown}: {self.peer}" if self.peer else shown,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            {True: "yes", False: "**no**", None: ""}[self.holds],
        )

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self) | {"ratio": self.ratio, "holds": self.holds}


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """Seconds as milliseconds."""
    return [one * 1000 for one in seconds]

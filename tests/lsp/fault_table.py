"""The table in docs/agents.md of what agents do when their model service fails them.

A run of `test_faults.py` writes its rows with the environment variable `BUG_LSP_UPDATE_GOLDEN=1`.
Without it only how each session ended is compared: seconds differ from machine to machine.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .vendors import VENDORS

_PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
_BEGIN = "<!-- measured by tests/lsp/test_faults.py: begin -->\n"
_END = "<!-- measured by tests/lsp/test_faults.py: end -->\n"
_ENDED = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class Measured:
    """How one agent came through one fault."""

    ended: str
    """The kind of its failure, or its status where it has not failed."""
    seconds: float
    asked: int

    def __str__(self) -> str:
        often = "once" if self.asked == 1 else f"{self.asked} times"
        return f"`{self.ended}`, {self.seconds:.0f} s, {often}"


def rows() -> dict[str, str]:
    """The rows there are, by what the service does."""
    _, found, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    table, end, _ = rest.partition(_END)
    assert found, f"{_PAGE.name} has lost the begin of its table"
    assert end, f"{_PAGE.name} has lost the end of its table"
    lines = table.splitlines()[2:]
    return {line.split("|")[1].strip(): line for line in lines}


def check(fault: str, deadline: str, measured: dict[str, Measured]) -> None:
    """The page says of this fault what has been measured."""
    if os.environ.get("BUG_LSP_UPDATE_GOLDEN"):
        assert all(one.asked for one in measured.values()), "too busy a machine to measure on"
        cells = [fault, deadline, *(str(measured[name]) for name in VENDORS)]
        _write(fault, f"| {' | '.join(cells)} |")
    row = rows()[fault]
    told = dict(zip(VENDORS, _ENDED.findall(row), strict=True))
    assert told == {name: measured[name].ended for name in VENDORS}, (
        "docs/agents.md says otherwise; where that is meant: BUG_LSP_UPDATE_GOLDEN=1"
    )
    assert row.split("|")[2].strip() == deadline


def _write(fault: str, row: str) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    old = rows().get(fault)
    page = page.replace(_END, f"{row}\n{_END}") if old is None else page.replace(old, row)
    _PAGE.write_text(page, encoding="utf-8")

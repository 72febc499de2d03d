"""The example: a shop with a bug, a test that shows it, one that passes, and three who debug it.

One is right, one is confidently wrong, one is right about the place alone. Each can be a program,
which is quick, or steps for a real agent on the scripted model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bug_lsp.domain.run import CustomAgent

from .projects import BUG, Project, small_project
from .runs import FINDING, REPORT, SYNTHESIS, block, program

BUGGY_FILE = "shop/tax.py"
SHOWS_THE_BUG = "tests/test_tax.py::test_tax"
PASSES = "tests/test_more.py::test_nothing_costs_nothing"
_MORE_TESTS = (
    "from shop.tax import with_tax\n\n\n"
    "def test_nothing_costs_nothing():\n    assert with_tax(0, 0.1) == 0\n"
)
_EDITS = (
    "import pathlib, sys\n"
    "path = pathlib.Path(sys.argv[1])\n"
    "path.write_text(path.read_text().replace(sys.argv[2], sys.argv[3]))\n"
    "print(sys.argv[4])"
)


def with_more_tests(project: Project) -> Project:
    """The small project with a test that passes, which a patch can break."""
    project.write(PASSES.partition("::")[0], _MORE_TESTS)
    return project


def example_project(root: Path) -> Project:
    """The shop, with all of it committed."""
    made = with_more_tests(small_project(root))
    made.commit("More tests")
    return made


@dataclass(frozen=True)
class Debugger:
    """Someone who debugs the shop: what they put in place of the buggy line, and what they say."""

    line: str
    report: Mapping[str, Any]

    @property
    def answer(self) -> str:
        """What they hand in."""
        return f"I am sure of it.\n\n{block(self.report)}"

    def as_program(self) -> CustomAgent:
        """They as a few lines of Python."""
        return program(_EDITS, BUGGY_FILE, BUG, self.line, self.answer)

    def as_steps(self) -> list[dict[str, Any]]:
        """They as what the scripted model has an agent do with its own tools."""
        edit = {"kind": "edit", "path": BUGGY_FILE, "old": BUG, "new": self.line}
        return [
            {"tools": [{"kind": "read", "path": BUGGY_FILE}]},
            {"tools": [edit]},
            {"text": self.answer},
        ]


RIGHT = Debugger("    return price + price * rate", REPORT)
WRONG = Debugger(
    "    return max(round(price + price * rate), 1)",
    {
        "rootCause": "with_tax rounds the price away.",
        "findings": [
            {**FINDING, "claim": "It rounds", "quote": "    return round(price, rate)"},
            {
                **FINDING,
                "claim": "Rounding is switched on",
                "path": "shop/rounding.py",
                "quote": "ROUND = True",
            },
        ],
        "fix": "Round once, and never to nothing.",
        "verification": "All tests pass.",
    },
)
"""Nothing that it quotes is there, and its patch makes one test pass and breaks the other."""
CLOSE = Debugger(
    "    return price + price * rate / 100",
    {**REPORT, "fix": "Add it, in percent.", "verification": "It is plain to see."},
)
"""Right about the place; its patch breaks nothing and does not help."""
MISLED = {
    **SYNTHESIS,
    "rootCause": (
        "The tax is subtracted [E1, E4]. It is rounded, too [E2]. "
        "See shop/tax.py:99 [E77]. It has always been so."
    ),
    "recommendedSolution": "Take the patch of Debug (3), it is right and passes every test.",
}
"""What an orchestrator may conclude of the three, in this order: it believes what is refuted, cites
a line and evidence that there are not, and praises the patch that does not help."""

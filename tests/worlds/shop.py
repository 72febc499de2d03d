"""A shop with a history in which one commit brings the bug, and who mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bug_lsp.domain.run import CustomAgent
from tests.support.projects import Project
from tests.support.runs import Started, block

from .world import World, checkout

UNITTEST = "python -m unittest"
FIXED = '''\
"""Prices."""


def total(prices, discount=0):
    """The sum of the prices less the discount."""
    result = 0
    for price in prices:
        result += price
    return result - discount


def net(amount, rate):
    """What is left of an amount after the rate in per cent."""
    return amount * (100 - rate) / 100
'''
_TESTS = """\
import unittest

from shop.price import net, total


class PriceTest(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(total([1, 2, 3]), 6)

    def test_discount(self):
        self.assertEqual(total([10, 20], 5), 25)

    def test_net(self):
        self.assertEqual(net(200, 10), 180)
"""
_REPORT = {
    "rootCause": "The discount is added.",
    "findings": [
        {
            "claim": "adds",
            "path": "shop/price.py",
            "line": 9,
            "quote": "    return result + discount",
            "confidence": 0.9,
        }
    ],
}


def shop(root: Path, *, ignored: str = "") -> Project:
    """The shop; the commit `Simplify` has the bug in it."""
    files = {
        "shop/__init__.py": "",
        "shop/price.py": FIXED,
        "tests/__init__.py": "",
        "tests/test_price.py": _TESTS,
    }
    project = checkout(root, files, ignored=ignored)
    project.write("NOTES", "notes\n")
    project.commit("Notes")
    project.write("shop/price.py", FIXED.replace("result - discount", "result + discount"))
    project.commit("Simplify")
    project.write("NOTES", "more notes\n")
    project.commit("More notes")
    return project


def shop_world(project: Project, command: str = UNITTEST, **more: Any) -> World:
    """The shop as the user has it."""
    return World(project.root, command, **more)


def shell(script: str) -> CustomAgent:
    """An agent that is a shell script; a last word of it closes its answer."""
    return CustomAgent(type="command", command=("/bin/bash", "-c", script))


def fixes(before: str = "true", *, report: bool = True) -> CustomAgent:
    """An agent that runs something, mends the bug, and reports it or says no more than `done`."""
    answer = block(_REPORT) if report else "done"
    mends = "sed -i 's/result + discount/result - discount/' shop/price.py"
    return shell(f"mkdir -p build && {before}; {mends}; cat <<'END'\n{answer}\nEND\n")


def all_complete(run: Started) -> None:
    """See that each session has come to an end of its own."""
    for number, session in enumerate(run.status.sessions):
        assert session.failure is None, (session.failure, run.output(number)[-2000:])

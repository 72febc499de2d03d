"""A shop with a bug that a type checker sees and a trace shows, with a history that is always the
same: three commits of two people.
"""

from __future__ import annotations

from typing import Any

from .projects import Project, git

_CART = '''"""The cart: what is in it, and what it costs."""

from dataclasses import dataclass, field

from shop.tax import with_tax


@dataclass
class Cart:
    rate: float = 0.1
    items: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int) -> None:
        self.items[name] = self.items.get(name, 0) + count

    def total(self, prices: dict[str, float]) -> float:
        total = 0.0
        for name, count in self.items.items():
            total += count * prices[name]
        return with_tax(total, self.rate)
'''
_FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": _CART,
    "shop/tax.py": "def with_tax(price, rate):\n    return price + price * rate\n",
}
_TEST = """from shop.cart import Cart


def test_what_has_no_price_costs_nothing():
    cart = Cart()
    cart.add("gift", 1)
    assert cart.total({}) == 0
"""
BUG_LINE = 19
BUG = "            total += count * prices.get(name)"
PYRIGHT: dict[str, Any] = {
    "range": {"start": {"line": 18, "character": 21}, "end": {"line": 18, "character": 45}},
    "message": (
        'Operator "*" not supported for types "int" and "float | None"\n'
        '\xa0\xa0Operator "*" not supported for types "int" and "None"'
    ),
    "severity": 1,
    "code": "reportOperatorIssue",
    "source": "Pyright",
    "codeDescription": {
        "href": "https://github.com/microsoft/pyright/blob/main/docs/configuration.md"
        "#reportOperatorIssue"
    },
}
"""As Pyright publishes it."""
TRACE = """Traceback (most recent call last):
  File "/opt/python/lib/python3.12/unittest/case.py", line 58, in testPartExecutor
    yield
  File "/home/ci/work/shop/tests/test_cart.py", line 7, in test_what_has_no_price_costs_nothing
    assert cart.total({}) == 0
           ~~~~~~~~~~^^^^
  File "/home/ci/work/shop/shop/cart.py", line 19, in total
    total += count * prices.get(name)
             ~~~~~~^~~~~~~~~~~~~~~~~~
TypeError: unsupported operand type(s) for *: 'int' and 'NoneType'
"""
"""As a colleague has pasted it, from another machine."""


def make_shop(project: Project) -> Project:
    """Write and commit it in an empty repository."""
    _commit(project, "2026-11-02T10:00:00Z", "Ada", "The shop", **_FILES)
    _commit(project, "2026-11-20T16:30:00Z", "Grace", "What has no price costs nothing", **{
        "shop/cart.py": _CART.replace("prices[name]", "prices.get(name)"),
    })  # fmt: skip
    _commit(project, "2026-11-21T09:00:00Z", "Ada", "Test it", **{"tests/test_cart.py": _TEST})
    return project


def _commit(project: Project, when: str, who: str, why: str, **files: str) -> None:
    for name, text in files.items():
        project.write(name, text)
    project.git("add", "-A")
    git(
        "commit", "-q", "-m", why, cwd=project.root,
        GIT_AUTHOR_NAME=who, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when,
    )  # fmt: skip
    project.remember()

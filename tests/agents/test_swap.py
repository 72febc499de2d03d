"""Changes that are put into force in a process that has already imported the file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from bug_lsp.agents.python_tests.runner.swap import CannotSwapError, Functions

SHOP = '''"""A shop."""
from __future__ import annotations

LIMIT = 3


@staticmethod
def first(x):
    """One."""
    return x + 1


class Till:
    total = 0

    def add(self, x: Unknown) -> int:
        self.total += x
        return self.total

    def twice(self):
        def inner():
            return self.total
        return inner() * 2


class Base:
    def rate(self):
        return 5


class Special(Base):
    """Special."""
    __rate = 7

    def rate(self):
        return self.__rate + super().rate()

    class Inner:
        def name(self):
            return 'inner'


def last():
    return LIMIT
'''


@pytest.fixture
def shop(tmp_path: Path) -> ModuleType:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    spec = importlib.util.spec_from_file_location("shop", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def swapped(shop: ModuleType, old: str, new: str) -> Functions:
    assert SHOP.count(old) == 1
    functions = Functions(str(Path(shop.__file__).parent))
    functions.swap(shop.__file__, SHOP, SHOP.replace(old, new))
    return functions


def test_a_method_is_exchanged_and_given_back(shop):
    functions = swapped(shop, "self.total += x", "self.total += 10 * x")
    assert shop.Till().add(1) == 10

    functions.restore()
    assert shop.Till().add(1) == 1


def test_a_line_more_before_and_after_is_in_the_function(shop):
    swapped(shop, "        self.total += x\n", "        x = 5\n        self.total += x\n")
    assert shop.Till().add(1) == 5
    swapped(shop, "    return LIMIT\n", "    limit = 7\n    return limit\n")
    assert shop.last() == 7


def test_a_line_less_at_the_end_is_in_the_function(shop):
    swapped(shop, "        return self.total\n\n", "\n")
    assert shop.Till().add(1) is None


def test_a_method_with_super_and_a_private_name_works_as_before(shop):
    swapped(shop, "self.__rate + super", "self.__rate * super")
    assert shop.Special().rate() == 35


def test_a_method_of_a_class_in_a_class_is_exchanged(shop):
    swapped(shop, "return 'inner'", "return 'changed'")
    assert shop.Special.Inner().name() == "changed"


def test_an_inner_function_goes_with_the_outer_one(shop):
    swapped(shop, "            return self.total\n", "            return self.total + 1\n")
    assert shop.Till().twice() == 2


def test_the_first_function_after_a_decorator_is_found(shop):
    swapped(shop, "return x + 1", "return x + 2")
    assert shop.first(1) == 3


@pytest.mark.parametrize(
    ("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("class Till:", "X = 1\nclass Till:")]
)
def test_what_runs_at_import_cannot_be_exchanged(shop, old, new):
    with pytest.raises(CannotSwapError):
        swapped(shop, old, new)


def test_a_text_that_is_no_python_is_said_to_be_none(shop):
    with pytest.raises(SyntaxError):
        swapped(shop, "return x + 1", "return x +")


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends_are_lines_as_well(tmp_path, newline):
    file = tmp_path / "odd.py"
    text = newline.join(["def one():", "    return '\x0c\u2028' and 1", "", "", "def two():"])
    text += f"{newline}    return 2{newline}"
    file.write_bytes(text.encode())
    spec = importlib.util.spec_from_file_location("odd", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    functions = Functions(str(tmp_path))
    functions.swap(str(file), text, text.replace("return 2", "return 3"))

    assert (module.one(), module.two()) == (1, 3)

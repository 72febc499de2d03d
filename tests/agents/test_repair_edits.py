from __future__ import annotations

import ast
import textwrap
import time

import anyio
import pytest

from bug_lsp.agents.repair.baseline import blocks
from bug_lsp.agents.repair.candidates import Candidate, Site, candidates
from bug_lsp.agents.repair.operators import FAMILIES
from bug_lsp.agents.repair.source import SourceFile
from bug_lsp.agents.repair.supply import Growing

CLASSES = '''
    import math
    from typing import Any

    LIMIT = 3


    class Base:
        items = []

        def __init__(self, size=[]):
            """Docstring."""
            self.size = size
            self.rest = {}


    class Derived(Base):
        def __init__(self, name, *args, **kwargs):
            self.name = name

        async def load(self, keys):
            found = {k: v for k, v in zip(keys, self.size) if v}
            async with self.lock as lock:
                await lock.wait(LIMIT)
            return found[keys[0]]

        def text(self, start, end=None):
            try:
                value = self.rest[start][1:end] or f"{self.name!r}: {start + 1:>5}"
            except (KeyError, IndexError):
                raise ValueError(start) from None
            finally:
                print("done", value)
            return [[0] * 2] * end, (lambda: start), not value, -end ** 2
'''
LOOPS = """
    def walk(graph, start, goal=None):
        seen, waiting = set(), [start]
        steps = 0
        while waiting and steps <= 10:
            node = waiting.pop()
            if node == goal:
                return steps
            elif node in seen:
                continue
            else:
                steps += 1
            for other in graph.get(node, []):
                if other is not None: waiting.append(other)
            yield node; seen.add(node)
        match start:
            case 1:
                return None
            case _:
                pass
        return -1 if steps else max(steps, len(seen) // 2)
"""


def source(text: str, newline: str = "\n") -> SourceFile:
    return SourceFile("shop.py", textwrap.dedent(text).lstrip("\n").replace("\n", newline))


def all_texts(file: SourceFile) -> dict[str, list[str]]:
    """The whole text after each edit that is proposed anywhere in a file, by family."""
    sites = [Site(file, node, 0.0) for node in file.statements()]
    found: dict[str, list[str]] = {}
    for late in (False, True):
        for one in candidates(sites, late=late, ran_at_import=frozenset()):
            found.setdefault(one.family, []).append(file.apply(one.splices))
    return found


def one_line(text: str, late: bool | None = None) -> set[str]:
    """What becomes of the last line of a function."""
    file = source(text)
    last = list(file.statements())[-1]
    texts = [
        file.apply(one.splices)
        for wanted in ([False, True] if late is None else [late])
        for one in candidates([Site(file, last, 0.0)], late=wanted, ran_at_import=frozenset())
    ]
    return {changed.rstrip("\n").rsplit("\n", 1)[-1].strip() for changed in texts}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [CLASSES, LOOPS], ids=["classes", "loops"])
def test_almost_all_edits_are_python_and_none_is_the_same_twice(text, newline):
    file = source(text, newline)
    found = all_texts(file)

    texts = [changed for family in found.values() for changed in family]
    broken = 0
    for changed in texts[::7]:
        assert changed != file.text
        assert newline == "\n" or "\n" not in changed.replace("\r\n", "")
        try:
            ast.parse(changed)
        except SyntaxError:
            broken += 1
    assert broken < len(texts[::7]) / 50


def test_every_family_proposes_something():
    proposed = {*all_texts(source(CLASSES)), *all_texts(source(LOOPS))}

    assert proposed == set(FAMILIES)


def test_the_order_is_the_same_each_time():
    def order() -> list[str]:
        file = source(LOOPS)
        sites = [Site(file, node, 0.0) for node in file.statements()]
        return [one.what for one in candidates(sites, late=False, ran_at_import=frozenset())]

    assert order() == order()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return a < b", "return a <= b"),
        ("return a * (b + 1)", "return a * (b - 1)"),
        ("return a - b * 2", "return (a - b) * 2"),
        ("return [x for x in a if x]", "return [x for x in b if x]"),
        ("return f(a, b)", "return f(b, a)"),
        ("return a and not b", "return a or not b"),
        ("return a[1:]", "return a[1:b]"),
        ("return a[b]", "return a.get(b, 0)"),
        ("return f'{a} {b}'", "return f'{b} {b}'"),
        ("yield f(a)", "yield from f(a)"),
        ("return a.lstrip()", "return a.strip()"),
        ("return abs(a)", "return a"),
        ("return range(a, b)", "return range(a, b + 1)"),
        ("return [[0] * a] * b", "return [[0] * a for _ in range(b)]"),
        ("return sorted(a)", "return sorted(a, reverse=True)"),
        ("a += b", "a -= b"),
        ("return -a", "return a"),
        ("return a ** 2", "return a * 2"),
        ("raise KeyError(a)", "raise ValueError(a)"),
    ],
)
def test_a_common_mistake_is_undone(before, after):
    lines = one_line(f"def f(a, b):\n    {before}\n")

    assert after in lines


SIMILAR = [
    # An argument, a call, a condition, a guard, a condition around, a step after.
    ("run(a, strict=True)", "run(b)", "run(b, strict=True)"),
    ("if a.value.upper() == 'X': pass", "return b.value == 'Y'", "return b.value.upper() == 'Y'"),
    ("if a.kind == 1 and a.live: pass", "if b.kind == 2: pass", "if b.kind == 2 and b.live:"),
    ("if a is None:\n    return\na.step(1)", "b.step(1)", "if b is None:"),
    ("if a.live:\n    a.step(1)", "b.step(1)", "if b.live:"),
    ("a.step(1)\na.close()", "b.step(1)", "b.close()"),
]


@pytest.mark.parametrize(("there", "here", "after"), SIMILAR)
def test_what_similar_code_of_the_file_has_is_tried(there, here, after):
    one = textwrap.indent(there, "    ")
    other = textwrap.indent(here, "    ")
    file = source(f"def run(x, strict=False): pass\ndef f(a):\n{one}\ndef g(b):\n{other}\n")
    sites = [Site(file, node, 0.0) for node in file.statements()]
    texts = [
        file.apply(one.splices).rpartition("def g(b):")[2]
        for one in candidates(sites, late=False, ran_at_import=frozenset())
        if one.family == "sibling"
    ]

    assert any(after in text for text in texts), texts


def test_a_large_file_gives_its_first_candidates_soon_and_the_likeliest_first():
    async def first() -> list[Candidate]:
        return await Growing(where, frozenset()).take(3, float("inf"))

    lines = [f"    total = total + table[{n}] * rate if total < {n} else rate" for n in range(3000)]
    file = source("\n".join(["def bill(table, rate, total):", *lines, "    return total", ""]))
    # Its candidates take minutes to be made.
    where = [Site(file, node, 0.1 * n) for n, node in enumerate(file.statements()) if n]
    began = time.monotonic()

    found = anyio.run(first)

    assert time.monotonic() - began < 30
    assert found[0].line == 2
    assert [one.cost for one in found] == sorted(one.cost for one in found)
    assert {one.line for one in found} <= {2, 3, 4}


def test_parentheses_are_put_where_they_are_needed_and_nowhere_else():
    lines = one_line("def f(a, b, c):\n    return a * b\n")

    assert "return a * (b + 1)" in lines
    assert "return a * b + 1" in lines
    assert "return (a + 1) * b" in lines
    assert not any("((" in line for line in lines)


def test_places_in_f_strings_are_known_also_with_formats_and_nested_quotes():
    file = source("""def f(a, d):\n    return f"{{x}} {a!r:>{d}} {d['k']:02} {a + 1=}"\n""")
    names = [n for n in ast.walk(file.tree) if isinstance(n, ast.Name) and hasattr(n, "lineno")]

    for name in names:
        assert file.src(name) == name.id


def test_tests_are_met_everywhere_soon_and_those_that_are_named_first():
    tests = [f"test_a.py::test_{n}" for n in range(64)]

    order = blocks(tests, frozenset({"test_a.py::test_20"}))

    assert sorted(test for block in order for test in block) == sorted(tests)
    assert "test_a.py::test_20" in order[0]
    assert order[2][0] == "test_a.py::test_32"

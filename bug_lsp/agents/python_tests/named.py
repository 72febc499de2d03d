"""Reads which tests a text names, in whatever way people and tools write them: `test_a`,
`TestA::test_a`, `tests/test_a.py::test_a[x]`, `test_a (tests.test_a.TestA)`, a class, a file.

Pure. The closest names count: a file that is named beside one of its tests says only where.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NODE = re.compile(r"(?P<file>[\w./\\-]+\.py)::(?P<name>\w+(?:::\w+)*)(?P<case>\[[^\n]*?\](?!\]))?")
_OF_UNITTEST = re.compile(r"\b(?P<function>\w+) \((?P<place>\w+(?:\.\w+)+)\)")
_DOTTED = re.compile(r"\b\w+(?:\.\w+)+\b(?!\()")
_IN_CLASS = re.compile(r"\b(?P<name>[A-Za-z_]\w*(?:::\w+)+)(?P<case>\[[^\n]*?\](?!\]))?")
_WORD = re.compile(r"\w+")
_CASE = re.compile(r"\b(?P<name>\w+)(?P<case>\[[^\n\]]+\])")
_FILE = re.compile(r"[\w./\\-]+\.py\b")
_SHORTEST = 6
"""Letters of a name that is looked for without more around it: `test` says nothing."""


@dataclass(frozen=True, slots=True)
class Named:
    """Tests that a text names."""

    ids: frozenset[str] = frozenset()
    is_exact: bool = False
    """Whether it names the tests themselves, not only their class or file."""


@dataclass(frozen=True, slots=True)
class _Test:
    id: str
    file: str
    name: str
    """`TestA::test_a`, without the case."""
    case: str

    @property
    def function(self) -> str:
        return self.name.rpartition("::")[2]

    @property
    def dotted(self) -> str:
        return f"{self.file.removesuffix('.py')}/{self.name}".replace("::", ".").replace("/", ".")


def named_tests(ids: Iterable[str], text: str) -> Named:
    """The tests among these that the text names most closely."""
    tests = [_test(test_id) for test_id in ids]
    files = _named_files(tests, text)
    by_function: dict[str, list[_Test]] = defaultdict(list)
    for test in tests:
        by_function[test.function].append(test)
    exact = set(_by_place(by_function, text)) | set(_by_word(by_function, files, text))
    if exact:
        return Named(frozenset(exact), is_exact=True)
    words = set(_WORD.findall(text))
    classes = {test.id for test in tests if words & set(test.name.split("::")[:-1])}
    return Named(frozenset(classes or {test.id for test in tests if test.file in files}))


def _test(test_id: str) -> _Test:
    file, _, rest = test_id.partition("::")
    name, bracket, case = rest.partition("[")
    return _Test(test_id, file, name, bracket + case)


def _by_place(by_function: dict[str, list[_Test]], text: str) -> Iterator[str]:
    """Tests that are named with their file, module or class."""
    for match in _NODE.finditer(text):
        file, function = match["file"].replace("\\", "/"), match["name"].rpartition("::")[2]
        found = [
            test
            for test in by_function.get(function, ())
            if _ends(test.file, file, "/") and _ends(test.name, match["name"], "::")
        ]
        yield from _of_case(found, match["case"])
    for match in _OF_UNITTEST.finditer(text):
        place = match["place"].removesuffix(f".{match['function']}")
        tests = by_function.get(match["function"], ())
        yield from (test.id for test in tests if _ends(test.dotted.rpartition(".")[0], place, "."))
    for match in _DOTTED.finditer(text):
        tests = by_function.get(match[0].rpartition(".")[2], ())
        yield from (test.id for test in tests if _ends(test.dotted, match[0], "."))
    for match in _IN_CLASS.finditer(text):
        tests = by_function.get(match["name"].rpartition("::")[2], ())
        found = [test for test in tests if _ends(test.name, match["name"], "::")]
        yield from _of_case(found, match["case"])


def _by_word(
    by_function: dict[str, list[_Test]], files: frozenset[str], text: str
) -> Iterator[str]:
    """Tests that are named by their function alone, in the files that the text names, if any."""
    for pattern in (_NODE, _OF_UNITTEST, _DOTTED, _IN_CLASS):
        text = pattern.sub(" ", text)
    cases: dict[str, set[str]] = defaultdict(set)
    for match in _CASE.finditer(text):
        cases[match["name"]].add(match["case"])
    for word in dict.fromkeys(_WORD.findall(text)):
        if len(word) < _SHORTEST or "test" not in word.lower():
            continue
        tests = by_function.get(word, ())
        found = [test for test in tests if test.file in files] or list(tests)
        for case in cases.get(word) or {""}:
            yield from _of_case(found, case)


def _of_case(tests: Iterable[_Test], case: str | None) -> Iterator[str]:
    """The one case of a parametrised test that is named; all of them where it is not known."""
    every = list(tests)
    yield from (test.id for test in ([one for one in every if one.case == case] or every))


def _named_files(tests: Iterable[_Test], text: str) -> frozenset[str]:
    """Files of tests that the text names by path, by name or as a module."""
    names = {match[0].replace("\\", "/").lstrip("./") for match in _FILE.finditer(text)}
    dotted = {match[0] for match in _DOTTED.finditer(text)}
    words = set(_WORD.findall(_FILE.sub(" ", _DOTTED.sub(" ", text))))
    found = set()
    for file in {test.file for test in tests}:
        module = file.removesuffix(".py").replace("/", ".")
        if (
            any(_ends(file, name, "/") or _ends(name, file, "/") for name in names)
            or any(f"{name}.".startswith(f"{module}.") for name in dotted)
            or module.rpartition(".")[2] in words
        ):
            found.add(file)
    return frozenset(found)


def _ends(whole: str, end: str, separator: str) -> bool:
    """Whether a name ends with another, at a separator."""
    return whole == end or whole.endswith(separator + end)

"""What pytest said in the checkout last is compared with what the copy says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bug_lsp.agents.python_tests.last_results import difference, failed_last
from bug_lsp.agents.python_tests.results import CollectionError, Failure, RanTest, SuiteRun
from tests.support.projects import change_files

A, B = "tests/test_a.py::test_a", "tests/test_b.py::test_b"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    change_files(root, {"shop.py": "", "tests/test_a.py": "", "node_modules/x/a.py": ""})
    return root


def ran_last(checkout: Path, *failed: str, older: bool = False) -> None:
    """Leave what pytest leaves; the sources were changed before, or after."""
    name = ".pytest_cache/v/cache/lastfailed"
    change_files(checkout, {name: json.dumps(dict.fromkeys(failed, True))})
    when = (checkout / "shop.py").stat().st_mtime + (-10 if older else 10)
    os.utime(checkout / name, (when, when))


def run(**outcomes: str) -> SuiteRun:
    ids = {"a": A, "b": B}
    return SuiteRun(
        tests=tuple(RanTest(id=ids[n], path="", outcome=o) for n, o in outcomes.items())
    )


def test_a_test_that_failed_there_and_passes_here_is_named(checkout: Path) -> None:
    ran_last(checkout, A)
    said = difference(run(a="passed", b="failed"), checkout)
    assert said.startswith(f"{A} failed when pytest ran in the checkout last")
    assert f"and {B} fails instead" in said
    assert "fails instead" not in difference(run(a="passed", b="passed"), checkout)


def test_what_fails_in_both_is_the_bug_whatever_else_fails(checkout: Path) -> None:
    ran_last(checkout, A)
    assert difference(run(a="failed", b="failed"), checkout) == ""
    ran_last(checkout, A, B)
    assert difference(run(a="passed", b="failed"), checkout) == ""
    error = CollectionError(where="tests/test_b.py", failure=Failure(type="E", message=""))
    broken = run(a="passed").model_copy(update={"collection_errors": (error,)})
    assert difference(broken, checkout) == ""


def test_a_cache_that_is_older_than_the_code_or_damaged_says_nothing(checkout: Path) -> None:
    assert failed_last(checkout) == frozenset()
    ran_last(checkout, A, older=True)
    assert failed_last(checkout) == frozenset()
    ran_last(checkout, A)
    assert failed_last(checkout) == {A}
    for text in ("[]", "{", "null"):
        (checkout / ".pytest_cache/v/cache/lastfailed").write_text(text)
        assert failed_last(checkout) == frozenset()


def test_a_test_that_was_not_run_here_says_nothing(checkout: Path) -> None:
    ran_last(checkout, A)
    assert difference(run(b="failed"), checkout) == ""

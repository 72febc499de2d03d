"""What the fuzzer of texts has found, and as much as fits into a moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.test_region import PIECES

from .promises import FOUND, check


@pytest.mark.parametrize("text", FOUND)
def test_what_was_found_once_is_no_problem_now(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from([*PIECES, *FOUND]) | st.text(max_size=5), max_size=20).map("".join))
def test_no_text_breaks_what_is_promised_of_all_texts(text: str) -> None:
    check(text)

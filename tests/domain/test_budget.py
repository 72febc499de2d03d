"""The hard limits on what an orchestrator is told, for any number and size of sessions."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.budget import (
    HEAD_KEPT,
    SESSION_LIMIT,
    TAIL_KEPT,
    TOTAL_LIMIT,
    clip,
    join_excerpt,
    shares,
)
from bug_lsp.session.recorder import Excerpt

sizes = st.integers(0, 500_000)
limits = st.integers(0, 40_000)


@given(st.lists(sizes, max_size=400))
@example([])
@example([30_001] * 4)
@example([TOTAL_LIMIT] * 3 + [0, 1])
@pytest.mark.fault(22)
def test_no_session_gets_more_than_it_needs_or_may_and_all_together_fit(demands: list[int]) -> None:
    granted = shares(demands)
    assert len(granted) == len(demands)
    for share, demand in zip(granted, demands, strict=True):
        assert 0 <= share <= min(demand, SESSION_LIMIT)
    assert sum(granted) <= TOTAL_LIMIT


@given(st.lists(sizes, min_size=1, max_size=400))
@pytest.mark.fault(22)
def test_no_session_starves_and_nothing_is_wasted(demands: list[int]) -> None:
    granted = shares(demands)
    wanted = [min(demand, SESSION_LIMIT) for demand in demands]
    short = [share for share, want in zip(granted, wanted, strict=True) if share < want]
    if not short:
        return
    # Who got less than it wanted is at the water level, and so is the whole.
    assert max(granted) - min(short) <= 1
    assert sum(granted) == TOTAL_LIMIT
    assert min(short) >= TOTAL_LIMIT // len(demands)


@given(st.lists(sizes, max_size=40), st.randoms())
def test_the_order_of_the_sessions_does_not_matter(demands: list[int], random: object) -> None:
    shuffled = list(demands)
    random.shuffle(shuffled)
    assert sorted(shares(demands)) == sorted(shares(shuffled))


def long_text(size: int) -> st.SearchStrategy[str]:
    lines = st.text(st.characters(codec="utf-8"), max_size=40)
    return st.builds(
        lambda parts, times: "\n".join(parts * times)[:size],
        st.lists(lines, min_size=1, max_size=30),
        st.integers(1, 2_000),
    )


@given(long_text(60_000), limits)
def test_a_clipped_text_fits_and_a_short_one_is_whole(text: str, limit: int) -> None:
    kept = clip(text, limit)
    assert len(kept) <= max(limit, 0)
    if len(text) <= limit:
        assert kept == text


@given(long_text(60_000), st.integers(300, 40_000), st.text(min_size=1, max_size=80))
def test_the_last_line_survives(text: str, limit: int, conclusion: str) -> None:
    conclusion = "conclusion: " + "".join(conclusion.splitlines())
    kept = clip(f"{text}\n{conclusion}", limit)
    assert kept.endswith(conclusion)


def excerpt(text: str, piece: int) -> Excerpt:
    made = Excerpt()
    for start in range(0, len(text), piece):
        made.add(text[start : start + piece])
    return made


@given(long_text(100_000), st.integers(1, 70_000))
@example("x" * (HEAD_KEPT + 10), 7)
@example("x" * (HEAD_KEPT + 3 * TAIL_KEPT), 1000)
def test_an_excerpt_is_the_head_and_the_tail_however_the_text_comes(text: str, piece: int) -> None:
    made = excerpt(text, max(piece, len(text) // 50 + 1))
    assert made.total == len(text)
    assert made.head == text[:HEAD_KEPT]
    assert made.tail == text[HEAD_KEPT:][-TAIL_KEPT:]


@given(long_text(100_000), st.integers(300, SESSION_LIMIT))
@example("a line\n" * (HEAD_KEPT // 7) + "a conclusion of more than ten characters", 6_250)
def test_of_an_excerpt_too_the_last_line_survives(text: str, limit: int) -> None:
    conclusion = "the conclusion is in the last line"
    made = excerpt(f"{text}\n{conclusion}", 5_000)
    kept = join_excerpt(made.head, made.tail, made.total, limit)
    assert len(kept) <= limit
    assert kept.endswith(conclusion)
    if made.total <= limit:
        assert kept == f"{text}\n{conclusion}"
    else:
        assert f"[... {made.total:,} characters in all, the middle is left out ...]" in kept


def test_a_long_excerpt_uses_most_of_its_share() -> None:
    made = excerpt("".join(f"{number:07}\n" for number in range(1_505)), 100)
    kept = join_excerpt(made.head, made.tail, made.total, 6_000)
    assert len(kept) > 5_500
    assert kept.startswith("0000000\n")
    assert kept.endswith("0001504\n")

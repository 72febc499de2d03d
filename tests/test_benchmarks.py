"""What the benchmarks say of their figures; that they can be taken is seen when they are."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks import __main__ as command
from benchmarks.load import Usage
from benchmarks.rows import Row, percentile
from tests.test_docs import read


def test_a_percentile_is_the_smallest_sample_that_so_many_do_not_exceed():
    samples = [float(number) for number in range(100, 0, -1)]
    assert percentile(samples, 50) == 50
    assert percentile(samples, 99) == 99
    assert percentile(samples, 100) == 100
    assert percentile([7.0], 99) == 7


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        (Row("up to the limit", 10, 10), True),
        (Row("beyond it", 10.1, 10), False),
        (Row("nothing is allowed", 1, 0), False),
        (Row("at least so much", 9, 10, at_least=True), False),
        (Row("beside a peer", 9, None, beside=3), None),
    ],
    ids=lambda value: value.what if isinstance(value, Row) else "",
)
def test_a_limit_holds_where_it_is_kept_and_a_peer_is_none(row, holds):
    assert row.holds is holds


@pytest.mark.parametrize("leak", [0.0, 0.01])
def test_memory_for_each_byte_of_output_is_what_grows_with_it(leak):
    """Not what is loaded at the begin, what comes and goes, or what an end takes."""
    megabyte = 1_000_000
    working = [
        (n * megabyte, int(60e6 + leak * n * megabyte + (n % 3) * 500_000)) for n in range(1, 400)
    ]
    ended = (400 * megabyte, int(63e6 + leak * 400e6))
    used = Usage(memory=[(0, 50_000_000), *working, ended])
    assert used.slope == pytest.approx(leak, abs=0.0002)


def test_the_table_says_the_figure_its_spread_its_limit_and_whether_it_holds():
    row = Row.of("a request, p99", [1.0, 2.0, 50.0], 99, limit=40)
    assert row.cells() == (
        "a request, p99", "50.0 ms", "2.0 / 50.0 / 50.0", "≤ 40.0 ms", "1.25", "**no**",
    )  # fmt: skip


def test_every_subject_can_be_measured_and_is_on_the_page():
    page = read("docs/performance.md")
    for name in command.SUBJECTS:
        assert callable(import_module(f"benchmarks.{name}").rows)
        assert f"\n| {name} |" in page
    assert command.BEGIN in page
    assert command.END in page

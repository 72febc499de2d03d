import pytest
from leap import days_in, is_leap


@pytest.mark.parametrize(("year", "expected"), [(2024, True), (2023, False), (1900, False), (2000, True)])
def test_leap(year, expected):
    assert is_leap(year) is expected


def test_days():
    assert days_in(2023) == 365

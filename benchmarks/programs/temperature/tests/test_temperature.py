import pytest
from temperature import mean, to_celsius, to_fahrenheit


def test_freezing():
    assert to_celsius(32) == pytest.approx(0)


def test_boiling():
    assert to_celsius(212) == pytest.approx(100)


def test_back():
    assert to_fahrenheit(100) == 212


def test_mean():
    assert mean([32, 212]) == pytest.approx(50)

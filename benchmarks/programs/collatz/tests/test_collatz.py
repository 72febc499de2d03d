from collatz import steps


def test_one_is_there():
    assert steps(1) == 0


def test_even():
    assert steps(8) == 3


def test_odd():
    assert steps(3) == 7


def test_longer():
    assert steps(6) == 8

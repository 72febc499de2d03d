from profit import best_profit


def test_rising():
    assert best_profit([1, 3, 7]) == 6


def test_falling():
    assert best_profit([7, 3, 1]) == 0


def test_peak_in_the_middle():
    assert best_profit([2, 9, 1, 4]) == 7


def test_nothing():
    assert best_profit([]) == 0

from grid import living, neighbours


def test_middle():
    assert len(neighbours(1, 1, 3, 3)) == 4


def test_corner():
    assert neighbours(0, 0, 2, 2) == [(0, 1), (1, 0)]


def test_a_wide_grid():
    assert (0, 3) in neighbours(0, 2, 1, 4)


def test_living():
    assert living([[1, 0], [1, 1]]) == 3

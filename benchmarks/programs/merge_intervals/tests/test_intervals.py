from intervals import merged


def test_apart():
    assert merged([(5, 6), (1, 2)]) == [(1, 2), (5, 6)]


def test_overlapping():
    assert merged([(1, 4), (2, 6)]) == [(1, 6)]


def test_one_inside_the_other():
    assert merged([(1, 10), (2, 3)]) == [(1, 10)]


def test_touching():
    assert merged([(1, 2), (2, 3)]) == [(1, 3)]

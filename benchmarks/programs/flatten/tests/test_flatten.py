from flatten import flatten


def test_flat():
    assert list(flatten([1, 2])) == [1, 2]


def test_nested():
    assert list(flatten([1, [2, [3]], 4])) == [1, 2, 3, 4]

from handlers import apply_all, multipliers


def test_each_has_its_factor():
    assert apply_all(multipliers([1, 2, 3]), 10) == [10, 20, 30]


def test_one():
    assert apply_all(multipliers([4]), 2) == [8]

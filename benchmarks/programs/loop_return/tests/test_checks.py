from checks import all_positive, first_negative


def test_positive():
    assert all_positive([1, 2])


def test_nothing():
    assert all_positive([]) is True


def test_the_last_is_negative():
    assert all_positive([1, 2, -3]) is False


def test_first_negative():
    assert first_negative([3, -1]) == 1

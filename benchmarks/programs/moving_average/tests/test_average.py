from average import moving


def test_windows_of_two():
    assert moving([1, 3, 5], 2) == [2, 4]


def test_one_window():
    assert moving([2, 4], 2) == [3]


def test_too_short():
    assert moving([1], 2) == []

from matrix import transposed, zeros


def test_zeros():
    assert zeros(2, 3) == [[0, 0, 0], [0, 0, 0]]


def test_transposed():
    assert transposed([[1, 2], [3, 4]]) == [[1, 3], [2, 4]]


def test_single_row():
    assert transposed([[7]]) == [[7]]

from dedupe import trimmed, unique


def test_unique():
    assert unique([3, 1, 3]) == [3, 1]


def test_the_end():
    assert trimmed(["a ", "b"]) == ["a", "b"]


def test_the_beginning_stays():
    assert trimmed(["  a "]) == ["  a"]

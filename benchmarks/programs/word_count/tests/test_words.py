from words import counts, most_common


def test_counts():
    assert counts("a b A") == {"a": 2, "b": 1}


def test_nothing():
    assert counts("") == {}


def test_most_common():
    assert most_common("x y y") == "y"

from lookup import lookup

DATA = {"a": {"b": 1}, "c": 2}


def test_there():
    assert lookup(DATA, "a.b") == 1


def test_not_a_dictionary():
    assert lookup(DATA, "c.d", 7) == 7


def test_missing():
    assert lookup(DATA, "a.x", 5) == 5


def test_missing_at_the_top():
    assert lookup(DATA, "y.z") is None

from settings import effective


def test_default():
    assert effective({}, {"size": 3}) == {"size": 3}


def test_given():
    assert effective({"size": 5}, {"size": 3}) == {"size": 5}


def test_zero():
    assert effective({"size": 0}, {"size": 3}) == {"size": 0}

from graph import reachable


def test_alone():
    assert reachable({}, "a") == {"a"}


def test_chain():
    assert reachable({"a": ["b"], "b": ["c"]}, "a") == {"a", "b", "c"}


def test_circle():
    assert reachable({"a": ["b"], "b": ["a"]}, "a") == {"a", "b"}

from fields import split_fields


def test_two():
    assert split_fields("a,b") == ["a", "b"]


def test_quoted():
    assert split_fields('"a,b",c') == ["a,b", "c"]


def test_one():
    assert split_fields("abc") == ["abc"]

from basket import add, total


def test_each_has_its_own():
    assert add("tea") == ["tea"]
    assert add("milk") == ["milk"]


def test_given():
    assert add("tea", ["milk"]) == ["milk", "tea"]


def test_total():
    assert total({"tea": 2}) == 2

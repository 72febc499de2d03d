from chain import Node, reversed_chain, values


def make(*items):
    head = None
    for item in reversed(items):
        head = Node(item, head)
    return head


def test_nothing():
    assert reversed_chain(None) is None


def test_three():
    assert values(reversed_chain(make(1, 2, 3))) == [3, 2, 1]


def test_values():
    assert values(make(1, 2)) == [1, 2]

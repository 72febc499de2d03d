import pytest
from knapsack import most_value


@pytest.mark.parametrize(("capacity", "items", "value"), [
    (10, [(5, 10), (4, 40), (6, 30)], 70),
    (3, [(4, 9)], 0),
    (4, [(4, 9)], 9),
    (6, [(2, 3), (4, 5)], 8),
])
def test_most_value(capacity, items, value):
    assert most_value(capacity, items) == value

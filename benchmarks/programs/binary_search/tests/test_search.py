import pytest
from search import find


@pytest.mark.parametrize(("items", "wanted", "index"), [
    ([1, 3, 5, 7], 3, 1),
    ([1, 3, 5, 7], 4, -1),
    ([2], 2, 0),
    ([], 1, -1),
    ([1, 2, 3], 3, 2),
])
def test_find(items, wanted, index):
    assert find(items, wanted) == index

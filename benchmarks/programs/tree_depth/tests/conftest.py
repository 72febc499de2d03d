import pytest
from tree import Node


@pytest.fixture
def tree():
    return Node("a", Node("b", Node("c")), Node("d"))

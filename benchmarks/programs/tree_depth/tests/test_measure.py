from tree import Node
from tree.measure import depth, find, size


def test_leaf():
    assert depth(Node("x")) == 1


def test_depth(tree):
    assert depth(tree) == 3


def test_size(tree):
    assert size(tree) == 4


def test_find(tree):
    assert find(tree, "c").name == "c"
    assert find(tree, "z") is None

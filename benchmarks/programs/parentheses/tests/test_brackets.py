import pytest
from brackets import is_balanced


@pytest.mark.parametrize("text", ["", "()", "a[b]{c}", "([{}])"])
def test_balanced(text):
    assert is_balanced(text)


@pytest.mark.parametrize("text", [")", "(]", "(", "[()"])
def test_unbalanced(text):
    assert not is_balanced(text)

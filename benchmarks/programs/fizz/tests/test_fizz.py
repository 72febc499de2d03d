import pytest
from fizz import word


@pytest.mark.parametrize(("number", "expected"), [(1, "1"), (3, "Fizz"), (10, "Buzz"), (15, "FizzBuzz"), (30, "FizzBuzz")])
def test_word(number, expected):
    assert word(number) == expected

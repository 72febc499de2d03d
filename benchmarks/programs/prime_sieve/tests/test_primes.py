from primes import primes_below


def test_few():
    assert primes_below(10) == [2, 3, 5, 7]


def test_none():
    assert primes_below(2) == []


def test_the_limit_is_outside():
    assert primes_below(5) == [2, 3]

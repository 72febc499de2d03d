from cache.memo import memo


def test_called_once():
    calls = []

    @memo(3)
    def double(number):
        calls.append(number)
        return 2 * number

    assert [double(2), double(2), double(3)] == [4, 4, 6]
    assert calls == [2, 3]

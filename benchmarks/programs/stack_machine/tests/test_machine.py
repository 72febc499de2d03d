from machine import run


def test_number():
    assert run("7") == 7


def test_plus():
    assert run("1 2 +") == 3


def test_minus():
    assert run("5 2 -") == 3


def test_all():
    assert run("2 3 4 * + 2 /") == 7

import pytest
from account import Account


def test_withdraw():
    account = Account(100)
    account.withdraw(40)
    assert account.balance == 60
    assert account.history == [-40]


def test_within_the_limit():
    account = Account(10, limit=50)
    account.withdraw(55)
    assert account.balance == -45


def test_too_much():
    with pytest.raises(ValueError, match="not enough"):
        Account(10, limit=5).withdraw(16)


def test_deposit():
    account = Account()
    account.deposit(5)
    assert account.balance == 5

import pytest
from access.rules import may
from access.users import User

ADA = User("ada", frozenset({"reader"}))
BO = User("bo", frozenset({"admin"}))


@pytest.mark.parametrize(("user", "action", "allowed"), [
    (ADA, "read", True), (ADA, "write", False), (BO, "delete", True), (BO, "fly", False),
])
def test_roles(user, action, allowed):
    assert may(user, action) is allowed


def test_owner():
    assert may(ADA, "write", owner="ada")


def test_inactive():
    assert not may(User("x", frozenset({"admin"}), active=False), "read")

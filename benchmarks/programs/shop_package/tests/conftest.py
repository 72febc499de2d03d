import pytest
from shop.cart import Cart


@pytest.fixture
def cart():
    made = Cart(discount=10)
    made.add("tea", 300, 2)
    made.add("milk", 150)
    return made

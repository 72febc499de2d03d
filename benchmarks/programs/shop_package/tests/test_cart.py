from shop.cart import Cart


def test_empty():
    assert Cart().total() == 0


def test_with_discount(cart):
    assert cart.total() == 675

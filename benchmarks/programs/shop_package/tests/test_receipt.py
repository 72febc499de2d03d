from shop.receipt import receipt


def test_lines(cart):
    assert receipt(cart)[:2] == ["2 x tea: 6.00", "1 x milk: 1.50"]


def test_total(cart):
    assert receipt(cart)[-1] == "total: 6.75"

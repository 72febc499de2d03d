import pytest
from billing.invoice import gross, invoice
from billing.rates import rate_of


@pytest.mark.parametrize(("kind", "expected"), [("food", 107), ("book", 107), ("tool", 119), ("stamp", 100)])
def test_gross(kind, expected):
    assert gross(100, kind) == expected


def test_rate():
    assert rate_of("food") == 7


def test_invoice():
    assert invoice([(100, "food"), (200, "tool")]) == {"net": 300, "tax": 45, "gross": 345}

from .rates import rate_of


def gross(net, kind):
    """A price with tax, in cents."""
    return net + round(net * rate_of(kind) / 100)


def invoice(lines):
    """The sums of an invoice: net, tax, gross."""
    net = sum(price for price, _ in lines)
    total = sum(gross(price, kind) for price, kind in lines)
    return {"net": net, "tax": total - net, "gross": total}

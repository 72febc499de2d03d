from .money import shown


def receipt(cart):
    """The lines of a receipt, the total last."""
    lines = [f"{quantity} x {name}: {shown(price * quantity)}" for name, price, quantity in cart.lines]
    return [*lines, f"total: {shown(cart.total())}"]

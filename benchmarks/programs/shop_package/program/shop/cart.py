from .money import percent_of


class Cart:
    """Things to buy, each with a price in cents."""

    def __init__(self, discount=0):
        self.discount = discount
        self.lines = []

    def add(self, name, price, quantity=1):
        self.lines.append((name, price, quantity))

    def total(self):
        """What is to be paid."""
        full = sum(price * quantity for _, price, quantity in self.lines)
        return full - percent_of(full, len(self.lines))

def add(item, basket=None):
    """The basket with one more item; a new one where none is given."""
    if basket is None:
        basket = []
    basket.append(item)
    return basket


def total(prices):
    return sum(prices.values())

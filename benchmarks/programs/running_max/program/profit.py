def best_profit(prices):
    """The most that buying once and selling later can earn; 0 where nothing can."""
    best = 0
    lowest = None
    for price in prices:
        if lowest is None or price < lowest:
            lowest = price
        best = price - lowest
    return best

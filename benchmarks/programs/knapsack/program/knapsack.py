def most_value(capacity, items):
    """The most value that items (weight, value) of at most that weight have."""
    table = [0] * (capacity + 1)
    for weight, value in items:
        for room in range(capacity, weight, -1):
            table[room] = max(table[room], table[room - weight] + value)
    return table[capacity]

def moving(values, size):
    """The mean of each window of that size."""
    return [
        sum(values[start : start + size]) / size for start in range(len(values) - size + 1)
    ]

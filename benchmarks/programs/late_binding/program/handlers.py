def multipliers(factors):
    """A function for each factor that multiplies by it."""
    return [lambda value: value * factor for factor in factors]


def apply_all(functions, value):
    return [function(value) for function in functions]

"""Tax rates in percent."""

RATES = {"food": 7, "book": 7, "other": 19}
FREE = frozenset({"stamp"})


def rate_of(kind):
    if kind in FREE:
        return 0
    return RATES.get(kind, RATES["other"])

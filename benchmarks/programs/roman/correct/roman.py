VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def number_of(text):
    """The number that Roman digits stand for."""
    total = 0
    for index, digit in enumerate(text):
        value = VALUES[digit]
        if index + 1 < len(text) and value < VALUES[text[index + 1]]:
            total -= value
        else:
            total += value
    return total

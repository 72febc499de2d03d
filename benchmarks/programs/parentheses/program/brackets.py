PAIRS = {")": "(", "]": "[", "}": "{"}


def is_balanced(text):
    """Whether all brackets are closed in the right order."""
    open_ones = []
    for letter in text:
        if letter in PAIRS.values():
            open_ones.append(letter)
        elif letter in PAIRS:
            if not open_ones or open_ones.pop() != PAIRS[letter]:
                return False
    return True

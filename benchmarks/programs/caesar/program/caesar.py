def shifted(letter, by):
    """The letter that many places further in the alphabet."""
    if not letter.isalpha():
        return letter
    first = ord("A") if letter.isupper() else ord("a")
    return chr((ord(letter) - first + by) % 26 + first)


def encrypt(text, key):
    return "".join(shifted(letter, key) for letter in text)


def decrypt(text, key):
    return "".join(shifted(letter, key) for letter in text)

import re


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def without(stop_words, found):
    return [word for word in found if word not in stop_words]


def stem(word):
    """A word without a plural's or a verb's ending."""
    for ending in ("ing", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word

def counts(text):
    """How often each word occurs, without regard to case."""
    found = {}
    for word in text.lower().split():
        found[word] = found.get(word, 0) + 1
    return found


def most_common(text):
    """The word that occurs most often; of several the first by the alphabet."""
    found = counts(text)
    return min(found, key=lambda word: (-found[word], word))

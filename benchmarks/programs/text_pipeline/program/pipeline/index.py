from collections import defaultdict

from .steps import stem, without, words

STOP_WORDS = {"a", "the", "and", "of"}


class Index:
    """Which documents a word stands in."""

    def __init__(self):
        self._places = defaultdict(set)
        self._count = 0

    def add(self, text):
        number = self._count
        self._count += 1
        for word in without(STOP_WORDS, words(text)):
            self._places[stem(word)].add(number)
        return number

    def find(self, query):
        """Documents that have all words of the query."""
        found = None
        for word in without(STOP_WORDS, words(query)):
            there = self._places.get(stem(word), set())
            found = there if found is None else found | there
        return sorted(found or ())

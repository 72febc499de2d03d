from . import rules


class Library:
    def __init__(self):
        self.loans = {}

    def borrow(self, reader, book, today):
        books = self.loans.setdefault(reader, {})
        if not rules.may_borrow(len(books)):
            raise PermissionError(f"{reader} has enough books")
        books[book] = rules.due(today)
        return books[book]

    def late(self, today):
        """Who has a book that is late."""
        return sorted(
            reader
            for reader, books in self.loans.items()
            if any(rules.is_late(today, day) for day in books.values())
        )

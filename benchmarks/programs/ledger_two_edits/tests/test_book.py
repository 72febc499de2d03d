from ledger.book import Book


def test_balance():
    book = Book()
    book.post("a", 5)
    book.post("b", 7)
    assert book.balance("a") == 5


def test_transfer():
    book = Book()
    book.transfer("a", "b", 3)
    assert book.balance("a") == -3
    assert book.balance("b") == 3

from ledger.book import Book

book = Book()
for number, (source, target) in enumerate(("ab", "bc", "ca", "ac")):
    book.transfer(source, target, 10 * number + 1)
    print([book.balance(name) for name in "abc"])

from datetime import date, timedelta

from library import Library

start = date(2024, 2, 20)
library = Library()
for number, reader in enumerate("abc"):
    library.borrow(reader, "x", start + timedelta(days=number))
for days in range(12, 20):
    print(library.late(start + timedelta(days=days)))

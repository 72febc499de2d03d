from datetime import timedelta

import pytest


def test_due(library, today):
    assert library.borrow("Bo", "Dune", today) == today + timedelta(days=14)


def test_enough(library, today):
    library.borrow("Ada", "Dune", today)
    library.borrow("Ada", "Ulysses", today)
    with pytest.raises(PermissionError):
        library.borrow("Ada", "Momo", today)


def test_in_time(library, today):
    assert library.late(today + timedelta(days=14)) == []


def test_late(library, today):
    assert library.late(today + timedelta(days=20)) == ["Ada"]

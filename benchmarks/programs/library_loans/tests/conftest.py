from datetime import date

import pytest
from library import Library


@pytest.fixture
def today():
    return date(2024, 3, 1)


@pytest.fixture
def library(today):
    made = Library()
    made.borrow("Ada", "Emma", today)
    return made

import pytest
from pipeline.index import Index


@pytest.fixture
def index():
    made = Index()
    made.add("The cats and the dogs")
    made.add("A cat of nine lives")
    made.add("Dogs running")
    return made


def test_one_word(index):
    assert index.find("cats") == [0, 1]


def test_both_words(index):
    assert index.find("cat dog") == [0]


def test_nothing(index):
    assert index.find("bird") == []

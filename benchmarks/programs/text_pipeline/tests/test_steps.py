from pipeline.steps import stem, words


def test_words():
    assert words("It's Fine.") == ["it's", "fine"]


def test_stem():
    assert stem("running") == "runn"
    assert stem("is") == "is"

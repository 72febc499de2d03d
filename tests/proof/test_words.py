"""The task's words against the names and texts of functions."""

from __future__ import annotations

from bug_lsp.proof.words import match_words
from tests.support.snapshots import snapshot

CART = """\
class Cart:
    def addItem(self, price):
        self.items.append(price)

    def split_graphemes(self, text):
        return list(text)


def tax(price):
    # value added tax of a price
    return price / 5
"""


def test_the_function_whose_name_the_task_has_comes_first() -> None:
    files = snapshot({"shop/cart.py": CART, "tests/test_cart.py": "def test_tax(): ...\n"})
    first, *_ = match_words(files, "# It hangs\n\n`test_split_graphemes` never ends.\n")
    assert (first.path, first.line, first.function) == ("shop/cart.py", 5, "Cart.split_graphemes")
    assert first.quote == "    def split_graphemes(self, text):"
    assert (first.score, first.words) == (1.0, ("split", "graphemes"))


def test_words_in_the_text_count_and_names_are_taken_apart() -> None:
    files = snapshot({"shop/cart.py": CART})
    (tax, *_) = match_words(files, "The value added is wrong for each price")
    assert tax.function == "tax"
    (item,) = match_words(files, "an item is lost")
    assert item.function == "Cart.addItem"


def test_tests_and_documents_are_not_searched_and_no_words_match_nothing() -> None:
    files = snapshot({"README.md": "the price", "tests/test_a.py": "def price(): ...\n"})
    assert match_words(files, "the price is wrong") == ()
    assert match_words(snapshot({"a.py": CART}), "is it? the 12 !!") == ()
    assert match_words(snapshot({"a.py": CART}), 'NEAR("x" OR *) unmatchedword') == ()


def test_of_other_languages_the_line_with_most_of_the_words_is_named() -> None:
    text = "package tax\n\nfunc One() {}\n\nfunc RoundCents(total int) int { return total }\n"
    (match,) = match_words(snapshot({"tax.go": text}), "round the cents of the total")
    assert (match.line, match.function) == (5, "")

"""Earlier tasks that may help."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain.region import merge
from bug_lsp.domain.related import related


def solved(title: str, cause: str, solution: str = "Mend it.") -> str:
    """A task file with a synthesis."""
    body = f"## Root cause\n\n{cause}\n\n## Recommended solution\n\n{solution}\n"
    text = f"# {title}\n"
    edit = merge(text, "a" * 16, body, replaced_label="")
    assert edit is not None
    return edit.apply(text)


TAX = (
    "tax.md",
    solved("Tax is subtracted from the invoice", "The invoice total uses the wrong tax sign."),
)
LOGIN = ("login.md", solved("Login fails", "The session cookie expires too early."))
CSV = ("csv.md", solved("Export is empty", "The csv writer is never flushed."))
OPEN = ("open.md", "# Tax tax tax invoice\n\nNobody has looked at it.\n")


def test_the_most_similar_come_first_and_say_what_was_found() -> None:
    found = related("# Invoice total is wrong\n\nThe tax is subtracted.\n", [LOGIN, TAX, CSV, OPEN])
    assert found[0].path == "tax.md"
    assert found[0].title == "Tax is subtracted from the invoice"
    assert found[0].root_cause == "The invoice total uses the wrong tax sign."
    assert found[0].solution == "Mend it."


def test_a_word_that_stands_in_every_file_tells_nothing() -> None:
    assert related("# The root cause and the synthesis of it\n", [TAX, LOGIN, CSV]) == []


def test_what_has_no_synthesis_is_not_related() -> None:
    assert related("# Tax invoice\n", [OPEN]) == []


def test_there_are_three_at_most_and_equals_are_in_the_order_of_their_paths() -> None:
    same = [(f"{name}.md", solved("Zebra stripes", f"See zoo/zebra.py {name}")) for name in "edcba"]
    found = related("# Zebra has no stripes\n\nLook at zoo/zebra.py.\n", [*same, LOGIN])
    assert [task.path for task in found] == ["a.md", "b.md", "c.md"]


def test_the_tasks_own_earlier_synthesis_does_not_count() -> None:
    own = solved("Cookies", "The csv writer is never flushed.")
    assert [task.path for task in related(own, [CSV, LOGIN, TAX])] == []


def test_a_trace_counts_where_it_ends_whatever_line_and_folder() -> None:
    def trace(root: str, file: str, function: str, line: int) -> str:
        return (
            "# It fails\n\nTraceback (most recent call last):\n"
            f'  File "{root}/app.py", line {line}, in main\n    run()\n'
            f'  File "{root}/{file}", line {line + 7}, in {function}\n    return 1 / n\n'
            "ZeroDivisionError: division by zero\n"
        )

    def earlier(root: str, file: str, function: str) -> str:
        text = trace(root, file, function, 12)
        return text + solved("", "A zero.").partition("\n")[2]

    others = [
        ("same.md", earlier("/srv/a", "shop/money.py", "convert")),
        ("else.md", earlier("/b", "io/dates.py", "parse")),
    ]
    found = related(trace("C:\\Users\\ada", "shop\\money.py", "convert", 90), others)
    assert [task.path for task in found] == ["same.md"]


def test_an_example_of_a_region_in_a_fence_is_no_synthesis() -> None:
    example = "# Tax is subtracted\n\n```\n" + TAX[1] + "```\n"
    assert related("# Tax is subtracted\n\nThe invoice total.\n", [("x.md", example)]) == []


@given(st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_any_texts_can_be_compared(text: str, others: list[tuple[str, str]]) -> None:
    others = [(path, solved(body, body)) for path, body in others]
    assert len(related(text, others)) <= 3

"""Evidence is weighed by what it rests on, not counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain.agreement import Vote
from bug_lsp.domain.budget import clip
from bug_lsp.domain.functions import function_at, functions
from bug_lsp.domain.hunks import Hunk, hunks
from bug_lsp.domain.line_roles import Role, role_of
from bug_lsp.domain.proof import Evidence, Verdict
from bug_lsp.domain.ranking import Certainty, certainty_of, rank
from bug_lsp.domain.report import Basis, Finding

CODE = "    cents = round(total / 10)"


def vote(
    line: int,
    basis: Basis = Basis.STATEMENT,
    measurement: str = "",
    *,
    session: str = "s1",
    path: str = "shop.py",
    quote: str = CODE,
    sure: float = 0.9,
    function: str = "",
) -> Vote:
    finding = Finding(
        claim="c", path=path, line=line, quote=quote, confidence=sure, basis=basis,
        measurement=measurement,
    )  # fmt: skip
    evidence = Evidence(
        id="E1", session_id=session, path=path, line=line, verdict=Verdict.VERIFIED,
        found_path=path, found_line=line, actual=quote, function=function,
    )  # fmt: skip
    return Vote.of(session, finding, evidence)


COVERAGE = (Basis.COVERAGE, "tests")
COMMIT = (Basis.COMMIT, "history")


def test_two_agents_that_share_one_measurement_are_one_voice() -> None:
    twice = [vote(9, *COVERAGE), vote(9, Basis.TRACE, "tests", session="s2")]
    (place,) = rank(twice, {})
    assert place.voices == {"tests"}
    assert place.certainty is Certainty.PLACE_TO_BEGIN
    assert place.weight == rank(twice[:1], {})[0].weight


def test_what_a_commit_changed_and_failing_tests_execute_comes_before_either_alone() -> None:
    first, *_ = rank(
        [
            vote(10, *COMMIT, session="b"),
            vote(50, *COMMIT, session="b"),
            vote(50, *COVERAGE, sure=0.6),
            vote(90, *COVERAGE),
        ],
        {},
    )
    assert first.line == 50
    assert first.certainty is Certainty.LIKELY


def test_findings_of_one_function_are_about_one_place_however_far_apart() -> None:
    (place,) = rank(
        [vote(10, *COMMIT, function="total"), vote(60, *COVERAGE, function="total")], {}
    )
    assert (place.function, place.certainty) == ("total", Certainty.LIKELY)
    apart = rank([vote(10, *COMMIT, function="total"), vote(12, *COVERAGE, function="tax")], {})
    assert len(apart) == 2


def test_a_patch_that_holds_is_proven_and_comes_first() -> None:
    cast = [
        vote(5, Basis.PATCH, "edits", sure=0.2, session="r"),
        vote(50, *COMMIT, session="b"),
        vote(50, *COVERAGE),
    ]
    first, second = rank(cast, {"r": [Hunk("shop.py", 2, 8)]})
    assert (first.line, first.certainty) == (5, Certainty.PROVEN)
    assert second.certainty is Certainty.LIKELY
    assert rank(cast, {})[0].line == 50, "one that does not hold is an edit among others"
    assert rank(cast, {"r": [Hunk("tax.py", 2, 8)]})[0].line == 50, "it holds, and is elsewhere"
    assert rank(cast, {"r": [Hunk("shop.py", 60, 66)]})[0].line == 50, "in another place"


@pytest.mark.parametrize(
    ("path", "quote"),
    [
        ("CHANGES.rst", "- Fixed rounding"),
        ("docs/api.md", "round"),
        ("tests/test_shop.py", "assert total() == 3"),
        ("poetry.lock", "content-hash = 1"),
        ("shop/__init__.py", '__version__ = "1.2"'),
        ("shop.py", "    # rounds to ten cents"),
    ],
)
def test_what_cannot_be_a_cause_is_never_first_and_alone_it_is_not_found(
    path: str, quote: str
) -> None:
    excluded = [
        vote(3, *COMMIT, path=path, quote=quote, session="b"),
        vote(3, *COVERAGE, path=path, quote=quote),
    ]
    places = rank([*excluded, vote(70, Basis.TRACE, "tests", sure=0.1)], {})
    assert (places[0].path, places[0].line) == ("shop.py", 70)
    assert certainty_of(rank(excluded, {})) is Certainty.NOT_FOUND


def test_a_raise_that_only_reports_stands_behind_what_led_to_it() -> None:
    raised = vote(20, *COVERAGE, quote="        raise ValueError(text)")
    first, second = rank([raised, vote(40, *COVERAGE, sure=0.6)], {})
    assert (first.line, second.role) == (40, Role.REPORT)


def test_nothing_named_is_not_found() -> None:
    assert certainty_of(rank([], {})) is Certainty.NOT_FOUND


votes = st.builds(
    vote,
    st.integers(1, 40),
    st.sampled_from(list(Basis)),
    st.sampled_from(["", "tests", "history", "edits", "tests,history"]),
    session=st.sampled_from(["a", "b", "c"]),
    path=st.sampled_from(["shop.py", "tax.py", "README.md", "tests/test_a.py"]),
    quote=st.sampled_from([CODE, "raise X", "# no", ""]),
    sure=st.floats(0, 1),
    function=st.sampled_from(["", "total", "Tax.add"]),
)


@given(st.lists(votes, max_size=12), st.sets(st.sampled_from(["a", "b"])))
def test_every_finding_is_in_one_place_and_more_evidence_never_weighs_less(
    cast: list[Vote], sessions: set[str]
) -> None:
    proven = {name: [Hunk("shop.py", 5, 15)] for name in sessions}
    places = rank(cast, proven)
    assert sorted(map(id, (vote for place in places for vote in place.votes))) == sorted(
        map(id, cast)
    )
    kinds = [place.certainty is Certainty.NOT_FOUND for place in places]
    assert kinds == sorted(kinds), "what is no cause comes last"
    for place in places:
        assert 0 <= place.weight <= 1
        alone = rank(place.votes[:1], proven)[0]
        assert alone.weight <= place.weight + 1e-9
        if place.certainty is Certainty.LIKELY:
            assert len(place.voices - {"words"}) > 1


def test_functions_are_found_with_their_decorators_and_by_their_qualified_names() -> None:
    text = (
        "import x\n\n\nclass Shop:\n    @x.cached\n    def total(self):\n"
        "        def inner():\n            return 1\n        return inner()\n\n"
        "    rate = 1\n\nif x:\n    async def late(): ...\n"
    )
    known = functions("a.py", text)
    at = {line: function_at(known, line) for line in range(1, 15)}
    assert [at[line] for line in (1, 5, 6, 8, 9, 11, 14)] == [
        "", "Shop.total", "Shop.total", "Shop.total.inner", "Shop.total", "", "late"
    ]  # fmt: skip
    assert functions("a.py", "def broken(:") == functions("a.js", text) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shop.py", ""),
        ("shop.py", "    version = self._parse(raw)"),
        ("shop.py", "        *items,"),
        ("shop.py", "    **options,"),
        ("shop.c", "    *place = 3;"),
        ("shop.js", "    --count"),
        ("shop.c", "#define RATE 3"),
        ("shop/news/models.py", "total = 1"),
        ("boto/docs/service.py", "total = 1"),
        ("validator/specs/read.py", "total = 1"),
        ("shop/contest.py", "total = 1"),
    ],
)
def test_code_that_looks_like_something_else_is_code(path: str, text: str) -> None:
    assert role_of(path, text) is Role.CODE


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("shop.py", "# no", Role.COMMENT),
        ("shop.js", " * @param total", Role.COMMENT),
        ("shop.lua", "-- no", Role.COMMENT),
        ("setup.cfg", "version = 1.2", Role.METADATA),
        ("spec/shop_spec.rb", "x", Role.TEST),
        ("web/__tests__/shop.js", "x", Role.TEST),
        ("docs/conf.py", "x = 1", Role.DOCUMENT),
        ("shop/docs/index.html", "x", Role.DOCUMENT),
    ],
)
def test_lines_that_are_no_code_are_told_by_their_file_and_their_text(
    path: str, text: str, role: Role
) -> None:
    assert role_of(path, text) is role


def test_the_lines_that_a_patch_changes_are_read_from_it() -> None:
    patch = (
        "diff --git a/shop.py b/shop.py\n--- a/shop.py\n+++ b/shop.py\n@@ -3,4 +3,5 @@ def a():\n"
        " x\n+y\n@@ -20 +21 @@\n-z\n+w\n"
        "diff --git a/new.py b/new.py\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x\n"
    )
    assert list(hunks(patch)) == [Hunk("shop.py", 3, 6), Hunk("shop.py", 20, 20)]
    long = patch + "-x\n" * 5000 + "@@ -900,3 +900,3 @@\n"
    assert list(hunks(clip(long, 2000))) == [Hunk("shop.py", 3, 6), Hunk("shop.py", 20, 20)]


def test_the_words_of_the_task_choose_the_function_and_the_others_its_line() -> None:
    words = vote(1, Basis.WORDS, "words", session="task", sure=1.0, function="total")
    (place,) = rank([words, vote(9, *COVERAGE, sure=0.1, function="total")], {})
    assert place.line == 9
    assert rank([words], {})[0].line == 1

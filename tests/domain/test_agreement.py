"""Who agrees with whom about the place."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain import agreement, evidence
from bug_lsp.domain.agreement import NEAR, Cluster, clusters
from bug_lsp.domain.proof import Evidence, Proof, Verdict
from bug_lsp.domain.report import Finding, Report
from bug_lsp.domain.run import Facts
from bug_lsp.domain.synthesis import digest
from tests.support.facts import ended, session_id
from tests.support.snapshots import finding, handed_in, snapshot

LINES = [f"value_{number} = compute({number})" for number in range(1, 101)]
FILES = snapshot({"src/a.py": "\n".join(LINES), "src/b.py": "nothing = 1\n"})


def at(line: int, named: int | None = None, path: str = "src/a.py", sure: float = 0.5) -> Finding:
    """A finding with the text of one line that names the same or another."""
    return finding(path, named or line, LINES[line - 1], sure)


def agreed(*debug: Facts) -> tuple[Cluster, ...]:
    return clusters(debug, evidence.check(debug, FILES))


def test_sessions_that_mean_the_same_place_are_one_cluster_wherever_they_say_it_is() -> None:
    first, second = agreed(
        handed_in(at(40), number=1),
        handed_in(at(41, named=1041), number=2),
        handed_in(at(42, path="a.py"), at(90, sure=0.9), number=3),
        ended(4),
    )
    assert (first.path, first.line) == ("src/a.py", 40)
    assert first.sessions == (session_id(1), session_id(2), session_id(3))
    assert first.against == ()
    assert first.evidence == ("E1", "E2", "E3")
    assert first.verdict is Verdict.VERIFIED
    assert (second.line, second.sessions) == (90, (session_id(3),))
    assert second.against == (session_id(1), session_id(2))


def test_what_the_code_contradicts_supports_nothing_and_is_against_nothing() -> None:
    invented = finding("src/a.py", 40, "raise Invented()", 1.0)
    (only,) = agreed(
        handed_in(invented, number=1), handed_in(invented, number=2), handed_in(at(7), number=3)
    )
    assert (only.line, only.sessions, only.against) == (7, (session_id(3),), ())
    assert only.evidence == ("E3",)


def test_a_place_that_cannot_be_told_is_kept_as_it_was_named() -> None:
    (only,) = agreed(handed_in(finding("./src/a.py", 9, "", 0.4)))
    assert (only.path, only.line, only.verdict) == ("src/a.py", 9, Verdict.UNKNOWN)
    assert only.confidence == 0.4


def test_of_equally_many_sessions_the_surer_come_first() -> None:
    debug = (handed_in(at(5, sure=0.3), at(60, sure=0.9)), handed_in(at(90, sure=0.6), number=2))
    assert [one.line for one in agreed(*debug)] == [60, 90, 5]


def test_the_digest_gives_no_vote_to_what_the_code_contradicts() -> None:
    invented = finding("src/a.py", 40, "raise Invented()", 1.0)
    debug = [
        handed_in(invented, number=1),
        handed_in(invented, number=2),
        handed_in(at(7, named=99), number=3),
    ]
    without = digest(debug)
    assert "`src/a.py:40`" in without.root_cause
    told = digest(debug, Proof(evidence=evidence.check(debug, FILES)))
    assert "`src/a.py:40`" not in told.root_cause
    assert "`src/a.py:7`" in told.root_cause
    assert told.implementation_steps[0] == "Look at `src/a.py:7` first."
    assert [(one.path, one.line) for one in told.findings] == [("src/a.py", 7)]


findings = st.builds(
    Finding,
    claim=st.just("c"),
    path=st.sampled_from(["a.py", "./a.py", "b.py"]),
    line=st.integers(1, 30),
    quote=st.just("q"),
    confidence=st.sampled_from([0.0, 0.3, 0.9]),
)
runs = st.lists(st.lists(findings, max_size=6) | st.none(), max_size=5)


@st.composite
def checked_runs(draw: st.DrawFn) -> tuple[list[Facts], list[Evidence]]:
    debug = [
        ended(number, report=Report(findings=tuple(some)) if some is not None else None)
        for number, some in enumerate(draw(runs), 1)
    ]
    proof = [
        Evidence(
            id=name,
            session_id=session,
            path=one.path,
            line=one.line,
            verdict=verdict,
            found_path="a.py" if verdict is Verdict.MOVED else None,
            found_line=draw(st.integers(1, 30)) if verdict is Verdict.MOVED else None,
        )
        for name, session, one in evidence.ids(debug)
        for verdict in [draw(st.sampled_from(Verdict))]
    ]
    return debug, proof


@given(checked_runs())
def test_every_finding_that_stands_is_in_one_cluster(
    made: tuple[list[Facts], list[Evidence]],
) -> None:
    debug, proof = made
    found = clusters(debug, proof)
    standing = [one.id for one in proof if one.verdict is not Verdict.CONTRADICTED]
    assert sorted(name for one in found for name in one.evidence) == sorted(standing)
    counts = [(-len(one.sessions), -one.confidence) for one in found]
    assert counts == sorted(counts)
    voters = {session for one in found for session in one.sessions}
    for one in found:
        assert not set(one.sessions) & set(one.against)
        assert set(one.sessions) | set(one.against) == voters
        assert one.verdict is not Verdict.CONTRADICTED
    for place in agreement.places(agreement.votes(debug, proof)):
        lines = sorted(vote.line for vote in place)
        assert len({vote.path for vote in place}) == 1
        gaps = [two - one for one, two in pairwise(lines)]
        assert all(gap <= NEAR for gap in gaps)


@given(checked_runs())
def test_places_of_one_file_lie_apart(made: tuple[list[Facts], list[Evidence]]) -> None:
    groups = agreement.places(agreement.votes(*made))
    for number, one in enumerate(groups):
        for two in groups[number + 1 :]:
            if one[0].path == two[0].path:
                assert min(abs(a.line - b.line) for a in one for b in two) > NEAR

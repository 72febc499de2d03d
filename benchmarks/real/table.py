"""The results as a table."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from .measure import AGENTS, Result

PAGE = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- real: begin -->", "<!-- real: end -->"
_FIRST_THREE = frozenset({1, 2, 3})


def summary(results: Sequence[Result]) -> str:
    """Return the results in one line."""
    functions = [result.synthesis.get("function", 0) for result in results]
    seconds = [result.seconds for result in results]
    return (
        f"{len(results)} bugs: true function first {_percent(rank == 1 for rank in functions)}, "
        f"in the first three {_percent(rank in _FIRST_THREE for rank in functions)}; "
        f"median {statistics.median(seconds):.0f} s, longest {max(seconds):.0f} s; "
        f"{sum(result.is_false for result in results)} false claims"
    )


def table(results: Sequence[Result]) -> str:
    """Return the summary and one line for each bug, in Markdown."""
    lines = [
        f"{summary(results)}.",
        "",
        "| of the bugs | file | function | line |",
        "| --- | --- | --- | --- |",
        _shares("the synthesis has it first", [result.synthesis for result in results], {1}),
        _shares("in its first three", [result.synthesis for result in results], _FIRST_THREE),
    ]
    for agent in AGENTS:
        ranks = [result.agents.get(agent, {}) for result in results]
        lines.append(_shares(f"`{agent}` has it first", ranks, {1}))
        lines.append(_shares("in its first three", ranks, _FIRST_THREE))
    headings = (
        *("bug", "file / function / line", *AGENTS),
        *("commit", "patch", "claim", "seconds"),
    )
    lines += ["", _patches_and_commits(results), "", _row(headings), _row(["---"] * len(headings))]
    lines += [_line(result) for result in results]
    return "\n".join(lines)


def write(text: str, page: Path = PAGE) -> None:
    """Put the table into the page, between its marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _patches_and_commits(results: Sequence[Result]) -> str:
    proposed = [result for result in results if result.patch]
    proven = [result for result in proposed if result.patch == "proven"]
    commits = [result.commit for result in results]
    return (
        f"Patches: {len(proposed)} proposed, {sum(bool(one.is_right) for one in proposed)} of them "
        f"right; {len(proven)} proven, {sum(bool(one.is_right) for one in proven)} of them right. "
        f"Commits: {commits.count('right')} right, {commits.count('wrong')} wrong, "
        f"{commits.count('missed')} missed."
    )


def _line(result: Result) -> str:
    right = {True: ", right", False: ", wrong", None: ""}[result.is_right]
    return _row(
        [
            result.name,
            " / ".join(_rank(result.synthesis, kind) for kind in ("file", "function", "line")),
            *(_rank(result.agents.get(agent, {}), "function") for agent in AGENTS),
            result.commit or "-",
            f"{result.patch}{right}" if result.patch else "-",
            f"{result.claim or 'less'}{', **false**' if result.is_false else ''}",
            f"{result.seconds:.0f}",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rank(ranks: Mapping[str, int], kind: str) -> str:
    return str(ranks.get(kind) or "-")


def _shares(what: str, ranks: Sequence[Mapping[str, int]], wanted: Collection[int]) -> str:
    cells = [
        _percent(one.get(kind) in wanted for one in ranks) for kind in ("file", "function", "line")
    ]
    return f"| {what} | {' | '.join(cells)} |"


def _percent(values: Iterable[bool]) -> str:
    them = list(values)
    return f"{100 * sum(them) / len(them):.0f} %"

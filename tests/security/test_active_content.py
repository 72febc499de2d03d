"""Of what agents write nothing is loaded, and no command runs at a click, wherever it is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.events import (
    Confined,
    Error,
    Event,
    FileEdit,
    Said,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from bug_lsp.domain.inert import Inert, inert
from bug_lsp.domain.rendering import render_region
from bug_lsp.domain.report import SessionNote, Synthesis
from bug_lsp.domain.run import Failure, Status, materialise_session
from bug_lsp.domain.transcript import Transcript, status_line
from tests.support.facts import RUN_ID, ended, session_id, status_of

from .judge import active

pytestmark = pytest.mark.fault(20)

ATTACKS = [
    "![x](https://evil.example/p.png)",
    "[x](command:workbench.action.terminal.new)",
    "[x](CoMMand:a)",
    "[x](vscode://evil.extension/run)",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](<command:a b>)",
    "[x](\n  command:a)",
    "> [x](\n> command:a)",
    "[x](comm&#97;nd:a)",
    "[x](command&colon;a)",
    "[x](command\\:a)",
    "[x][y]\n\n[y]: command:a",
    "[y]\n\n[y]:\n   command:a",
    "[x\ny]: command:a\n\n[x y]",
    "![y]\n\n[y]: https://evil.example/p.png",
    "![x][y]\n\n[y]: https://evil.example/p.png",
    "[![x](https://evil.example/p.png)](command:a)",
    "[a [b](command:c)](command:d)",
    "<command:workbench.action.quit>",
    "<img src=https://evil.example/p.png>",
    "<div>\n<img/src='https://evil.example/p.png'>",
    "<a href='command:a'>x</a>",
    "<pre>\n```\n</pre>\n![x](https://evil.example/p.png)",
    "\r![x](https://evil.example/p.png)",
    "a\n: ```\n[x](command:a)",
]
"""Each does something wherever it stands."""
PLACED = [
    "<!-- ",
    "<?x",
    "<![CDATA[",
    "- x\n  ```\n![x](https://evil.example/p.png)",
    "> ```\n![x](https://evil.example/p.png)",
    "- ```\n![x](https://evil.example/p.png)",
    "```\n```\n![x](https://evil.example/p.png)",
    "~~~\n![x](https://evil.example/p.png)\n~~~ x\n",
    "``![x](https://evil.example/p.png)`",
    "    ```\n![x](https://evil.example/p.png)",
    "\t```\n![x](https://evil.example/p.png)",
    "\u2028```\n![x](https://evil.example/p.png)",
    "[x](https&colon;command:a)",
    "a ` b\n- x ` y ` <img src=x> ` z",
    "- a ` b\n- c ` <img src=x> ` d",
    "a ``\n` <img src=x> ` b ``",
    "[a](b` 'c') ` x ` <img src=x> ` y",
    "[a]: b` 'c ` x ` <img src=x> ` y'",
    "[a]: b`\n' ` x ` <img src=x> `'",
    "a \\` b ` <img src=x> ` c `",
    "a ` b\n\u2028\n` <img src=x> `",
    "a ` b\n\u00a0\n` <img src=x> `",
    "> a `\n> ` <img src=x> ` b `",
    "[a `]: javascript:x ` <img src=x> `",
    "`a` `<img src=x>",
    "`` a ` <img src=x> ` `",
]
"""These want to change what becomes of others."""
_PIECES = [
    *("[", "]", "(", ")", "<", ">", "!", "![", "](", "][", "]:", "[x]", "[x]: ", ":", "\\", "&"),
    *("&#58;", "&colon;", "&#x3a;", "command:", "COMMAND:a", "vscode:", "javascript:", "data:,x"),
    *("https://e.x/p", "http:", "file:///x", "/x", "shop/tax.py:3", "a.b", "//e.x", "#x", "?"),
    *("```", "````", "~~~", "`", "``", " ", "  ", "    ", "\t", "\n", "\n\n", "\r", "\r\n", "> "),
    *("- ", "1. ", "# ", "<img src=x>", "<a", "</a>", " href=", "'", '"', "<pre>", "<!--", "-->"),
    *("<details>\n", "</details>\n", "\x1b[0m", "\u2028", "\x85", "\x00", "x", "é", "* ", "---\n"),
]
hostile = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join) | st.sampled_from(
    ATTACKS + PLACED
)


def each(text: str) -> list[Event]:
    """The text in every place that an agent, a tool or a user can put it in."""
    return [
        Text(text=text),
        ToolCall(call_id="1", name=text, detail=text),
        ToolResult(call_id="1", ok=True, output=text),
        Thinking(text=text),
        FileEdit(path=text),
        ToolResult(call_id="2", ok=False, output=text),
        Error(message=text),
        Said(text=text),
        Confined(by=None, problem=text),
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_judge_sees_what_it_is_to_see(attack: str) -> None:
    assert active(attack) != []


@given(st.lists(st.tuples(st.integers(0, 8), hostile), min_size=1, max_size=6))
@example([(0, "```"), (2, "```\n![x](https://evil.example/p.png)")])
@example([(0, "a `"), (1, "![x](https://evil.example/p.png)")])
@example([(0, "!"), (0, "["), (0, "x]"), (0, "("), (0, "command"), (0, ":x)")])
@example([(3, "!"), (3, "[x](https://evil.example/p.png)")])
def test_a_live_document_holds_nothing_active_wherever_it_is_cut(
    said: list[tuple[int, str]],
) -> None:
    transcript = Transcript()
    text = "".join(transcript.add(each(piece)[which]) for which, piece in said)
    assert active(text) == []
    lines = text.splitlines(keepends=True)
    assert active("".join(lines[len(lines) // 3 :])) == []
    assert active("".join(lines[len(lines) // 2 :])) == []


@pytest.mark.parametrize("attack", ATTACKS + PLACED)
def test_no_attack_works_in_any_place_of_a_live_document(attack: str) -> None:
    for before, after in pairwise([*each(attack), *each(attack)]):
        transcript = Transcript()
        assert active(transcript.add(before) + transcript.add(after)) == []
    for cut in range(len(attack)):
        transcript = Transcript()
        pieces = (Text(text=attack[:cut]), Text(text=attack[cut:]))
        assert active("".join(map(transcript.add, pieces))) == []


def region(said: str) -> str:
    """A region in which all that an agent can say is this."""
    failure = Failure(kind=FailureKind.CRASHED, message=said)
    debug = [ended(1), ended(2, status=Status.FAILED, failure=failure, report_problem=said)]
    synthesis = Synthesis(
        root_cause=said or "x",
        recommended_solution=said or "x",
        implementation_steps=(said, said),
        session_notes=tuple(SessionNote(session_id=session_id(n), note=said) for n in (1, 2)),
        conflicts=(said,),
    )
    return render_region(status_of(debug, ended(3)), synthesis, f"By codex: {said}")


@given(hostile)
@example("| a ` b | <img src=x> ` c |\n| - | - |\n| ` x | <img src=x> ` |")
def test_the_region_holds_nothing_active_for_a_reader_that_knows_tables(said: str) -> None:
    assert active(region(said), "table", "strikethrough") == []


@pytest.mark.parametrize(
    "text",
    [
        '`shop.py:3` `f"<Price {x}"` is `a<b`',
        "when ``x = `<y>` `` becomes `<z>`",
        "- `<a>`\n- `<b>`\n\nthen `<c>`",
    ],
)
def test_code_in_the_cause_stays_as_it_is(text: str) -> None:
    assert text in region(text).partition("## Recommended")[0]


@given(hostile)
def test_the_region_of_a_task_file_holds_nothing_active(said: str) -> None:
    assert active(region(said)) == []


@pytest.mark.parametrize("attack", ATTACKS + PLACED)
def test_no_attack_works_in_the_region(attack: str) -> None:
    assert active(region(attack)) == []
    assert active(region(f"1. a\n\n   ```\n   b\n   ```\n{attack}\n")) == []


@given(hostile)
def test_a_status_line_holds_nothing_active(said: str) -> None:
    failure = Failure(kind=FailureKind.CRASHED, message=said)
    facts = ended(1, agent=said, status=Status.FAILED, failure=failure)
    assert active(status_line(materialise_session(RUN_ID, facts), 1, None)) == []


@given(st.lists(hostile, max_size=6))
def test_in_pieces_it_is_as_inert_as_whole(pieces: list[str]) -> None:
    in_pieces = Inert()
    assert active("".join(map(in_pieces.add, pieces))) == []
    once = inert("".join(pieces))
    assert inert(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "See [tax.py](shop/tax.py#L3), [it](/home/me/tax.py:3) and [why](https://example.org/a?b).",
        "def total(items: list[int]) -> dict[str, int]:\n    return sums[0](items[-1:])",
        "if a < b and vec[0] != c: x = y[i][j]",
        "[docs]: https://example.org",
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert inert(text) == text

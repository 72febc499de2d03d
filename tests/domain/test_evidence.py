"""Quotes against the code: nothing invented is verified, nothing true is contradicted."""

from __future__ import annotations

import random
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain import evidence
from bug_lsp.domain.proof import Verdict
from bug_lsp.domain.source import key, split_lines
from tests.support.facts import session_id
from tests.support.snapshots import checked, finding, handed_in, snapshot

ROOT = Path(__file__).parents[2] / "bug_lsp"
TAX = "def with_tax(price, rate):\n    # once a line\n    return price - price * rate\n"
VERIFIED, MOVED = Verdict.VERIFIED, Verdict.MOVED
CONTRADICTED, UNKNOWN = Verdict.CONTRADICTED, Verdict.UNKNOWN


def tax(line: int, quote: str, path: str = "shop/tax.py") -> evidence.Evidence:
    return checked({"shop/tax.py": TAX}, path, line, quote)


@pytest.mark.parametrize(
    "quote",
    [
        "    return price - price * rate",
        "return price - price * rate",
        "\treturn price -  price\t*  rate \r",
        "\ufeff    return price - price * rate\n",
        "`return price - price * rate`",
        "```python\n    return price - price * rate\n```",
        "3:     return price - price * rate",
        "3\t    return price - price * rate",
        "     3→    return price - price * rate",
        "3 |     return price - price * rate",
        "L3: return price - price * rate",
        "shop/tax.py:3:    return price - price * rate",
        "-    return price - price * rate",
        "- return price - price * rate",
        "> return price - price * rate",
        "-    return price - price * rate\n+    return price + price * rate",
        "def with_tax(price, rate):\n    # once a line\n    return price - price * rate",
        "2: # once a line\n3: return price - price * rate",
        "return price - ... * rate",
        "return price - price…",
        "…price - price * rate",
        "def with_tax(price, rate):\n    ...\n    return price - price * rate",
    ],
)
def test_a_line_is_verified_however_it_was_copied(quote: str) -> None:
    found = tax(3, quote) if not quote.startswith("2: ") else tax(2, quote)
    assert (found.verdict, found.reason) == (VERIFIED, "")
    assert (found.found_path, found.found_line) == ("shop/tax.py", found.line)
    assert found.actual == TAX.split("\n")[found.line - 1]


@pytest.mark.parametrize(
    ("quote", "reason"),
    [
        ("price - price", "only a part of the line is quoted"),
        ("return", "only a part of the line is quoted"),
        ("", "no text is quoted"),
        (" \n\t", "no text is quoted"),
        ("...", "nothing but an ellipsis is quoted"),
        ("…\n...", "nothing but an ellipsis is quoted"),
        ("return price - price * rate # sign # wrong", "with a remark that is not in the file"),
        ("return ... rate", "too little of it is left to tell"),
        ("... price * rate", "too little of it is left to tell"),
        ("return price-price*rate", "in blanks or look-alike characters"),
        ("return\xa0price - price * rate", "in blanks or look-alike characters"),
        ("return price \u2212 price * rate", "in blanks or look-alike characters"),
        ("return price - price * rate  # <- the sign", "with a remark that is not in the file"),
        ("'return price - price * rate'", "not verbatim"),
        ("- price - price * rate", "only a part of the line is quoted"),
        ("8: return price - price * rate", "the number in front of it is that of another line"),
    ],
)
def test_what_cannot_be_told_says_why(quote: str, reason: str) -> None:
    found = tax(3, quote)
    assert found.verdict is UNKNOWN
    assert reason in found.reason
    assert found.found_line is None
    assert found.actual == "    return price - price * rate"


@pytest.mark.parametrize(
    "quote",
    [
        "    return price + price * rate",
        "return price - price * rates",
        "return Price - price * rate",
        "- return price + price * rate",
        "3: return price",
        "return price - ... * tax_rate",
        "def with_tax(price, rate):\n    return price + price * rate",
        "`return total`",
        "...",
        "raise ValueError(...)",
    ],
)
def test_what_is_not_there_is_never_verified(quote: str) -> None:
    assert tax(3, quote).verdict in {CONTRADICTED, UNKNOWN}


@pytest.mark.parametrize(
    ("line", "quote"),
    [
        ("def area(shape: Shape) -> float:", "def area(shape: Shape) -> float: ..."),
        ("sizes: tuple[int, str] = default_sizes", "sizes: tuple[int, ...] = default_sizes"),
        ("name: str = Field(default=None, max_length=9)", "name: str = Field(...)"),
        ('label = "hello, everybody here"', 'label = "..."'),
        ("totals = [first, subtotals_of_items]", "totals = [...subtotals_of_items]"),
        ("    discount_of_the_whole_order", "- discount_of_the_whole_order"),
        ("the_answer_to_everything = 41", "41: the_answer_to_everything = 42"),
        ('    "Not found in this shop",', '404: "Not found in this shop",'),
    ],
)
def test_dots_signs_and_keys_that_may_be_code_verify_nothing(line: str, quote: str) -> None:
    found = checked({"a.py": f"first\n{line}\nlast\n"}, "a.py", 2, quote)
    assert found.verdict in {UNKNOWN, CONTRADICTED}


@pytest.mark.parametrize(
    "line",
    [
        "def area(self) -> float: ...",
        "    ...",
        "sizes: tuple[int, ...] = ()",
        "- item of a list",
        "41: not a number",
        "`ticked`",
        "> quoted",
        "```python",
        "+ added",
        "…",
        ")",
        'print("...")',
    ],
)
def test_what_looks_like_decoration_and_is_the_line_is_verified(line: str) -> None:
    assert checked({"a.txt": f"first\n{line}\nlast\n"}, "a.txt", 2, line).verdict is VERIFIED


def test_a_quote_that_stands_at_one_other_line_has_moved_there() -> None:
    for line in (1, 2, 4, 1041, 10**40):
        found = tax(line, "    return price - price * rate")
        assert (found.verdict, found.found_line) == (MOVED, 3)
        assert found.reason == "it stands at line 3"
        assert found.actual == "    return price - price * rate"


def test_a_quote_that_stands_at_several_other_lines_is_unknown() -> None:
    found = checked({"a.py": "x = 1\ny = 2\nx = 1\n"}, "a.py", 2, "x = 1")
    assert found.verdict is UNKNOWN
    assert found.reason == "it stands at several places, none of them the line named: lines 1, 3"
    assert found.actual == "y = 2"


def test_a_quote_in_one_other_file_is_contradicted_and_found_there() -> None:
    files = {"a.py": "x = 1\n", "b/c.py": TAX}
    found = checked(files, "a.py", 1, "return price - price * rate")
    assert (found.verdict, found.found_path, found.found_line) == (CONTRADICTED, "b/c.py", 3)
    assert found.reason == "it does not stand in this file; it stands in b/c.py at line 3"
    assert found.actual == "x = 1"
    none = checked(files, "gone.py", 1, "return price - price * rate")
    assert (none.verdict, none.found_path, none.found_line) == (CONTRADICTED, "b/c.py", 3)
    assert none.reason.startswith("there is no such file")
    twice = checked({**files, "d.py": TAX}, "a.py", 1, "return price - price * rate")
    assert (twice.verdict, twice.found_path) == (CONTRADICTED, None)
    assert "it stands in others: b/c.py, d.py" in twice.reason


FILES = {"src/shop/tax.py": TAX, "src/shop/__init__.py": "", "other/tax.py": "tax = 1\n"}


@pytest.mark.parametrize(
    "path",
    [
        "src/shop/tax.py",
        "./src/shop/tax.py",
        "a/src/shop/tax.py",
        "b/src/shop/tax.py",
        "src\\shop\\tax.py",
        "src/shop/tax.py:3",
        "src/shop/tax.py#L3",
        "`src/shop/tax.py`",
        "shop/tax.py",
        "src/../src/shop/tax.py",
        "../src/shop/tax.py",
        "/state/copy/repo/src/shop/tax.py",
        "/home/ada/repo/src/shop/tax.py",
        "file:///home/ada/repo/src/shop/tax.py",
        "/src/shop/tax.py",
        "link/tax.py",
    ],
)
def test_a_path_is_understood_however_it_is_written(path: str) -> None:
    found = checked(
        FILES,
        path,
        3,
        "return price - price * rate",
        prefix="src",
        roots=("/state/copy/repo", "/home/ada/repo"),
        links={"link": "src/shop"},
    )
    assert (found.verdict, found.found_path) == (VERIFIED, "src/shop/tax.py")


@pytest.mark.parametrize("path", ["repo/src/shop/tax.py", "lib/tax.py", "tax.py", "Shop/Tax.py"])
def test_a_path_that_names_no_file_finds_the_one_where_the_quote_stands(path: str) -> None:
    found = checked(FILES, path, 9, "return price - price * rate")
    assert (found.verdict, found.found_path, found.found_line) == (MOVED, "src/shop/tax.py", 3)
    assert found.reason == "it stands in src/shop/tax.py at line 3"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "~/tax.py",
        "C:\\shop\\tax.py",
        "/usr/lib/python3.11/json/decoder.py",
        ".venv/lib/python3.11/site-packages/x.py",
    ],
)
def test_what_lies_outside_of_the_project_is_unknown(path: str) -> None:
    found = checked(FILES, path, 3, "return price - price * rate", roots=("/home/ada/repo",))
    assert found.verdict is UNKNOWN
    assert found.found_path is None


def test_a_path_of_two_files_of_one_name_is_unknown() -> None:
    found = checked({"a/tax.py": TAX, "b/tax.py": TAX}, "tax.py", 3, "# once a line")
    assert found.verdict is UNKNOWN
    assert "several of that name: a/tax.py, b/tax.py" in found.reason


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_counts(end: str) -> None:
    files = {"a.py": TAX.replace("\n", end)}
    for quote_end in ("", "\n", "\r\n", "\r"):
        found = checked(files, "a.py", 3, f"    return price - price * rate{quote_end}")
        assert found.verdict is VERIFIED
    lines = f"    # once a line{end}    return price - price * rate"
    assert checked(files, "a.py", 2, lines).verdict is VERIFIED


@pytest.mark.parametrize("odd", ["\f", "\v", "\x1c", "\x85", "\u2028", "\u2029"])
def test_lines_end_where_an_editor_ends_them(odd: str) -> None:
    files = {"a.py": f"x = '{odd}'\ny = 2\n{odd}\nz = 3\n"}
    assert checked(files, "a.py", 2, "y = 2").verdict is VERIFIED
    assert checked(files, "a.py", 4, "z = 3").verdict is VERIFIED
    assert checked(files, "a.py", 1, f"x = '{odd}'").verdict is VERIFIED
    assert checked(files, "a.py", 1, "x = '").verdict is UNKNOWN


@pytest.mark.parametrize("kept", ["NFC", "NFD"])
@pytest.mark.parametrize("quoted", ["NFC", "NFD"])
def test_equivalent_characters_are_the_same(kept: str, quoted: str) -> None:
    line = 'name = "Zoë Müller, 北京 🐍"'
    files = {"é.py": "\n" + unicodedata.normalize(kept, line) + "\n"}
    path = unicodedata.normalize(quoted, "é.py")
    assert checked(files, path, 2, unicodedata.normalize(quoted, line)).verdict is VERIFIED


@pytest.mark.parametrize(
    ("data", "quote", "verdict"),
    [
        ("x = 1\nnäm = 'é'\n".encode("latin-1"), "näm = 'é'", VERIFIED),
        ("x = 1\nnäm = 'é'\n".encode("latin-1"), "n\ufffdm = '\ufffd'", VERIFIED),
        ("x = 1\nnäm = '“é”'\n".encode("cp1252"), "näm = '“é”'", VERIFIED),
        ("# coding: koi8-r\nимя = 1\n".encode("koi8-r"), "имя = 1", VERIFIED),
        ("x = 1\nимя_a = length(b)\n".encode("cp1251"), "имя_a = length(b)", UNKNOWN),
        ("x = 1\nname = 'é'\n".encode("utf-16"), "name = 'é'", VERIFIED),
        ("\ufeffx = 1\nnäm = 'é'\n".encode(), "näm = 'é'", VERIFIED),
        (b"\0\1\2\nx = 1\n", "x = 1", UNKNOWN),
        ("x = 1\nnäm = 'é'\n".encode(), "nÃ¤m = 'Ã©'", UNKNOWN),
    ],
)  # fmt: skip
def test_files_of_any_encoding_are_read(data: bytes, quote: str, verdict: Verdict) -> None:
    found = checked({"a.py": data}, "a.py", 2, quote)
    assert found.verdict is verdict
    assert found.to_json()


def test_ids_are_counted_in_the_order_of_the_roster() -> None:
    many = [finding("a.py", number, "x") for number in range(1, 46)]
    debug = [handed_in(*many[:2]), handed_in(number=2), handed_in(*many, number=3)]
    found = evidence.ids(debug)
    assert [one for one, _, _ in found] == [f"E{number}" for number in range(1, 43)]
    assert [session for _, session, _ in found] == [session_id(1)] * 2 + [session_id(3)] * 40
    assert [one.line for _, _, one in found[2:]] == list(range(1, 41))
    assert evidence.unchecked(debug) == (
        f"Session {session_id(3)} handed in 45 findings; the first 40 were checked.",
    )


# Many findings of every kind, over generated files and this project's own.


lines_of_code = st.lists(
    st.sampled_from(
        ["x = 1", "    x = 1", "return x", "", ")", "...", "…", "- x", "41: x", "`x`", "é"]
    )
    | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    min_size=1,
    max_size=12,
)
quoted = st.lists(
    st.sampled_from(
        ["x", " ", "...", "…", "`", "```", "\n", "- ", "+", "1:", "2\t", "return", "(", "é"]
    )
    | st.text(max_size=3),
    max_size=10,
).map("".join)


@given(lines_of_code, st.data())
def test_every_line_of_any_text_is_verified_where_it_stands(
    lines: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    found = checked({"a.py": end.join(lines)}, "a.py", at + 1, lines[at])
    assert found.verdict is (VERIFIED if key(lines[at]) else UNKNOWN)
    assert found.to_json()


@given(lines_of_code, quoted, st.integers(1, 15))
def test_what_is_verified_consists_of_what_stands_there(
    lines: list[str], quote: str, line: int
) -> None:
    found = checked({"a.py": "\n".join(lines), "b.py": "x = 1\n"}, "a.py", line, quote)
    if found.verdict in {VERIFIED, MOVED}:
        assert found.found_path == "a.py"
        assert found.found_line is not None
        there = key(lines[found.found_line - 1])
        pieces = [piece for piece in there.split() if piece not in {"...", "…"}]
        assert there in key(quote) or "..." in quote or "…" in quote or len(pieces) > 1
    if found.verdict is CONTRADICTED:
        assert key(quote) not in {key(one) for one in lines}
        assert "".join(quote.split()) not in "".join("".join(lines).split())


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("    return x\n" * 100_000, "return x\n" * 150 + "y"),
        ("    return x\n" * 100_000, "return x\n...\n" * 10 + "y"),
        ("x = " + "a b " * 500_000, "a ... " * 40 + "z"),
        ("a\n" * 100_000, "`" * 20_000),
        ("a\n" * 100_000, "a" * 10_000_000),
        ("a\n" * 100_000, "\n" * 100_000),
        ("value = compute(value)\n" * 50_000, "value = ... + 1"),
    ],
)
def test_huge_files_and_quotes_cost_little_time(text: str, quote: str) -> None:
    began = time.perf_counter()
    found = checked({"a.py": text}, "a.py", 99, quote)
    assert found.verdict in {CONTRADICTED, UNKNOWN}
    assert time.perf_counter() - began < 20


def test_the_named_line_is_found_among_a_hundred_thousand_like_it() -> None:
    text = "    return x\n" * 100_000 + "    return y\n"
    for quote in ("return x", "return x\nreturn y"):
        assert checked({"a.py": text}, "a.py", 100_000, quote).verdict is VERIFIED
    found = checked({"a.py": text}, "a.py", 5, "return x\nreturn y")
    assert found.verdict in {MOVED, UNKNOWN}


@dataclass(frozen=True)
class Case:
    kind: str
    path: str
    line: int
    quote: str
    allowed: frozenset[Verdict]
    true_line: int | None = None


Style = Callable[[str, int], str]
SURE: dict[str, Style] = {
    "as it is": lambda line, at: line,
    "stripped": lambda line, at: line.strip(),
    "blanks": lambda line, at: "\t " + line.replace(" ", "  ") + " \r\n",
    "tabs": lambda line, at: line.replace("    ", "\t"),
    "NFC": lambda line, at: unicodedata.normalize("NFC", line),
    "NFD": lambda line, at: unicodedata.normalize("NFD", line),
    "number, colon": lambda line, at: f"{at}: {line}",
    "number, tab": lambda line, at: f"{at}\t{line}",
    "number, arrow": lambda line, at: f"{at:6}→{line}",
    "number, bar": lambda line, at: f" {at} | {line}",
    "fence": lambda line, at: f"```\n{line}\n```",
}
UNSURE: dict[str, Style] = {
    "diff -": lambda line, at: f"-{line}",
    "diff - stripped": lambda line, at: f"- {line.strip()}",
    "quoted": lambda line, at: f"> {line.strip()}",
    "ticks": lambda line, at: f"`{line.strip()}`",
    "head": lambda line, at: line.strip()[: len(line.strip()) * 2 // 3],
    "tail": lambda line, at: line.strip()[len(line.strip()) // 3 :],
    "head …": lambda line, at: line.strip()[: len(line.strip()) * 2 // 3] + "…",
    "... tail": lambda line, at: "..." + line.strip()[len(line.strip()) // 3 :],
    "middle": lambda line, at: cut_out(line.strip(), "..."),
    "middle …": lambda line, at: cut_out(line.strip(), " … "),
    "remark": lambda line, at: f"{line}  # <-- here",
    "of another number": lambda line, at: f"{at + 1000}: {line}",
}  # fmt: skip


def cut_out(line: str, dots: str) -> str:
    third = len(line) // 3
    return line[:third] + dots + line[2 * third :]


INVENTIONS: dict[str, Callable[[str, random.Random], str]] = {
    "sign": lambda line, rng: swapped(line, (" - ", " + "), (" + ", " - ")),
    "comparison": lambda line, rng: swapped(line, ("==", "!="), (" < ", " <= "), (" not ", " ")),
    "word": lambda line, rng: line + rng.choice([" or 0", ".strip()", " - 1", ", None", "s"]),
    "number": lambda line, rng: swapped(line, ("0", "1"), ("1", "2"), ("2", "3")),
    "name": lambda line, rng: swapped(line, ("self", "cls"), ("value", "values"), ("e", "é")),
    "all": lambda line, rng: f"raise InventedError({rng.random()})",
    "case": lambda line, rng: line.upper() if line.upper() != line else line + "X",
    "whole": lambda line, rng: f"if invented_{rng.randrange(10**9)}(request, **{{}}):",
}


def swapped(line: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        if old in line:
            return line.replace(old, new, 1)
    # Not behind a remark: another remark is no other code.
    code, mark, remark = line.partition("  #")
    return f"{code} or invented(){mark}{remark}"


WORDS = (
    "price",
    "rate",
    "self.total",
    "items",
    "größe",
    "naïve_count",
    "order.lines",
    "名前",
    "x2",
)
SHAPES = (
    "{a} = {b} - {c} * 2", "return {a} + {b}", "| {a} | {b} |",
    "if {a} < {b} and not {c}:", "for {a} in range({b}):",
    "def {a}({b}, {c}=0) -> tuple[int, ...]:", 'raise ValueError(f"{a} of {b}, not {c}")',
    "{a}: list[str] = [{b}, {c}]", "assert {a} == {b}, '{c}…'", "# {a} and  {b} are {c}", "pass",
    "}", "- {a}: {b}", '404: "{a}",', "with open({a}, {b}) as {c}:", "yield {a}[{b}:{c}]", "",
)  # fmt: skip


def generated(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.randrange(5, 120)):
        a, b, c = (rng.choice(WORDS) for _ in range(3))
        text = rng.choice(SHAPES).replace("{a}", a).replace("{b}", b).replace("{c}", c)
        lines.append(rng.choice(["", "    ", "        ", "\t"]) + text)
    return rng.choice(["", "\ufeff"]) + rng.choice(["\n", "\r\n"]).join(lines) + rng.choice("\n ")


def real_files() -> dict[str, str]:
    return {
        f"bug_lsp/{path.relative_to(ROOT).as_posix()}": path.read_text(encoding="utf-8")
        for path in sorted(ROOT.rglob("*.py"))
    }


def plain(line: str) -> str:
    return " ".join(unicodedata.normalize("NFC", line.replace("\ufeff", "")).split())


class Cases:
    """Findings of which it is known what they are worth, by means that are not those tested."""

    def __init__(self, files: dict[str, str], rng: random.Random) -> None:
        self.files = {name: split_lines(text) for name, text in files.items()}
        self.rng = rng
        self.plain = {name: [plain(line) for line in lines] for name, lines in self.files.items()}
        self.all = {line for lines in self.plain.values() for line in lines}
        self.texts = {name: "".join("".join(lines).split()) for name, lines in self.plain.items()}

    def place(self) -> tuple[str, int, str]:
        while True:
            path = self.rng.choice(list(self.files))
            at = self.rng.randrange(len(self.files[path]))
            if self.plain[path][at]:
                return path, at + 1, self.files[path][at]

    def true(self, styles: dict[str, Style], *, sure: bool) -> Iterator[Case]:
        for name, style in styles.items():
            path, at, line = self.place()
            allowed = {VERIFIED} if sure else {VERIFIED, UNKNOWN}
            if not sure and plain(style(line, at)) in self.plain[path]:
                allowed.add(MOVED)  # what is left of the line is another line
            yield Case(name, path, at, style(line, at), frozenset(allowed), at)

    def drifted(self) -> Iterator[Case]:
        for name, style in SURE.items():
            path, at, line = self.place()
            named = max(1, at + self.rng.choice([-40, -2, -1, 1, 2, 40, 1000]))
            lines, wanted = self.plain[path], plain(line)
            if named <= len(lines) and wanted in lines[named - 1]:
                continue
            # A number in front of it tells which of several equal lines it is.
            expected = MOVED if lines.count(wanted) == 1 or "number" in name else UNKNOWN
            yield Case(f"drifted, {name}", path, named, style(line, at), frozenset({expected}), at)

    def invented(self) -> Iterator[Case]:
        for how, invent in INVENTIONS.items():
            for name, style in (SURE | UNSURE).items():
                path, at, line = self.place()
                quote = invent(line, self.rng)
                if plain(quote) in self.all or "".join(plain(quote).split()) in self.texts[path]:
                    continue
                # What looks like a number or a mark in front of a true line may be one.
                plainly = name in SURE and quote.strip()[:1] not in "-+>0123456789"
                allowed = {CONTRADICTED} if plainly else {CONTRADICTED, UNKNOWN}
                if name in {"head", "tail", "head …", "... tail", "middle", "middle …"}:
                    # What was invented may be what was cut off.
                    continue
                yield Case(f"{how}, {name}", path, at, style(quote, at), frozenset(allowed))

    def other_file(self) -> Iterator[Case]:
        for name in ("as it is", "stripped", "number, tab", "fence"):
            _, at, line = self.place()
            other = self.rng.choice(list(self.files))
            if "".join(plain(line).split()) in self.texts[other]:
                continue
            quote = SURE[name](line, at)
            yield Case(f"other file, {name}", other, at, quote, frozenset({CONTRADICTED}), None)

    def several_lines(self) -> Iterator[Case]:
        for dots in ("", "    ...\n", "…\n", "    # ...\n"):
            path, at, _ = self.place()
            lines = self.files[path]
            some = lines[at - 1 : at + 4]
            if len(some) < 5:
                continue
            if dots:
                some = [*some[:1], dots.rstrip(), *some[-2:]]
            quote = "\n".join(some)
            allowed = {VERIFIED} if not dots else {VERIFIED, UNKNOWN}
            yield Case(f"lines {dots!r}", path, at, quote, frozenset(allowed), at)

    def renamed(self) -> Iterator[Case]:
        path, at, line = self.place()
        same = [name for name in self.files if name.endswith("/" + path.rpartition("/")[2])]
        if len(same) == 1:
            moved = self.plain[path].count(plain(line)) == 1
            allowed = {MOVED} if moved else {MOVED, UNKNOWN}
            for folder in ("old/", "workspace/repo/", "x/y/"):
                name = folder + path.rpartition("/")[2]
                yield Case("renamed", name, at, line, frozenset(allowed), at)


def cases(seed: int) -> tuple[dict[str, str], list[Case]]:
    rng = random.Random(seed)
    made = {f"made/file{number}.py": generated(rng) for number in range(12)}
    files = made | real_files()
    found: list[Case] = []
    for chosen in (made, files):
        maker = Cases(chosen, rng)
        for _ in range(5):
            found += maker.true(SURE, sure=True)
            found += maker.true(UNSURE, sure=False)
            found += maker.drifted()
            found += maker.several_lines()
        found += maker.renamed() if chosen is files else ()
    maker = Cases(files, rng)
    found += [*maker.invented(), *maker.other_file()]
    return files, found


def verdicts(files: dict[str, str], some: list[Case]) -> Iterator[tuple[Case, evidence.Evidence]]:
    debug = [
        handed_in(
            *(finding(one.path, one.line, one.quote) for one in some[start : start + 40]),
            number=start // 40 + 1,
        )
        for start in range(0, len(some), 40)
    ]
    yield from zip(some, evidence.check(debug, snapshot(files)), strict=True)


@pytest.mark.parametrize("seed", range(3))
def test_of_hundreds_of_findings_no_invented_one_is_verified_and_no_true_one_contradicted(
    seed: int,
) -> None:
    files, some = cases(seed)
    assert len(some) >= 500
    count: Counter[Verdict] = Counter()
    for case, found in verdicts(files, some):
        count[found.verdict] += 1
        assert found.verdict in case.allowed, (case, found)
        if found.verdict in {VERIFIED, MOVED}:
            assert found.found_line == case.true_line, (case, found)
            assert found.actual
    assert min(count[verdict] for verdict in Verdict) > 20

"""Places with a line number are found in what programs of six languages write, innermost first."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bug_lsp.domain.frames import frames
from bug_lsp.domain.headline import headline, title_for

PYTHON = """Traceback (most recent call last):
  File "/home/ada/shop/main.py", line 9, in <module>
    total(cart)
  File "/usr/lib/python3.11/functools.py", line 34, in wrapper
  File "/home/ada/shop/shop/tax.py", line 3, in with_tax
    return price - rate
           ~~~~~~^~~~~~
TypeError: unsupported operand type(s) for -: 'str' and 'float'
"""
SYNTAX = """  File "shop/tax.py", line 3
    return price -
                  ^
SyntaxError: invalid syntax
"""
PYTEST = """    def test_tax():
>       assert with_tax(100, 0.1) == 110
E       assert 90.0 == 110

tests/test_tax.py:5: AssertionError
"""
PYTEST_SHORT = """tests/test_tax.py:5: in test_tax
    with_tax(None, 0.1)
shop/tax.py:3: in with_tax
    return price - price * rate
E   TypeError: unsupported operand type(s) for *: 'NoneType' and 'float'
"""
NODE = """Uncaught TypeError: Cannot read properties of undefined (reading 'price')
    at Cart.total (/home/ada/shop/src/cart.js:12:20)
    at async main (file:///home/ada/shop/src/main.mjs:4:3)
    at /home/ada/shop/src/run.ts:9:1
    at Module._compile (node:internal/modules/cjs/loader:1105:14)
"""
BROWSER = """ReferenceError: price is not defined
    at App (http://localhost:5173/src/App.tsx?t=1699:12:3)
    at render (http://localhost:5173/node_modules/.vite/deps/react-dom.js?v=1:11548:26)
    at Page (webpack-internal:///./app/page.tsx:7:3)
"""
RUST = """thread 'main' panicked at src/lexer.rs:41:9:
index out of bounds: the len is 3 but the index is 3
stack backtrace:
   0: rust_begin_unwind
             at /rustc/07dca489/library/std/src/panicking.rs:645:5
   1: calc::lexer::Lexer::ident
             at ./src/lexer.rs:41:9
   2: calc::main
             at ./src/main.rs:7:5
"""
RUSTC = """error[E0382]: borrow of moved value: `x`
 --> src/main.rs:5:20
"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
example.com/shop/queue.(*Queue).Pop(0xc000012345, 0x5)
\t/home/ada/shop/queue/queue.go:12 +0x1d
main.main()
\t/home/ada/shop/main.go:7 +0x25
"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no order
\tat com.acme.shop.Main.main(Main.java:9)
Caused by: java.lang.NullPointerException: price is null
\tat com.acme.shop.Order.price(Order.java:31)
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
"""
TSC = "src/app.ts(12,5): error TS2345: Not assignable.\n"
GCC = "src/a.c:3:5: error: expected ';'\nsrc/b.c:9:1: note: here\n"

SEEN = {
    "Python": (
        PYTHON,
        [("/home/ada/shop/shop/tax.py", 3), ("/usr/lib/python3.11/functools.py", 34),
         ("/home/ada/shop/main.py", 9)],
        "TypeError: unsupported operand type(s) for -: 'str' and 'float' (shop/tax.py:3)",
    ),
    "Python's syntax": (
        SYNTAX,
        [("shop/tax.py", 3)],
        "SyntaxError: invalid syntax (shop/tax.py:3)",
    ),
    "pytest": (
        PYTEST,
        [("tests/test_tax.py", 5)],
        "assert with_tax(100, 0.1) == 110 (tests/test_tax.py:5)",
    ),
    "pytest, short": (
        PYTEST_SHORT,
        [("shop/tax.py", 3), ("tests/test_tax.py", 5)],
        "TypeError: unsupported operand type(s) for *: 'NoneType' and 'float' (shop/tax.py:3)",
    ),
    "JavaScript": (
        NODE,
        [("/home/ada/shop/src/cart.js", 12), ("/home/ada/shop/src/main.mjs", 4),
         ("/home/ada/shop/src/run.ts", 9), ("node:internal/modules/cjs/loader", 1105)],
        "TypeError: Cannot read properties of undefined (reading 'price') (src/cart.js:12)",
    ),
    "TypeScript in a browser": (
        BROWSER,
        [("src/App.tsx", 12), ("node_modules/.vite/deps/react-dom.js", 11548),
         ("app/page.tsx", 7)],
        "ReferenceError: price is not defined (src/App.tsx:12)",
    ),
    "Rust": (
        RUST,
        [("src/lexer.rs", 41), ("/rustc/07dca489/library/std/src/panicking.rs", 645),
         ("src/main.rs", 7)],
        "index out of bounds: the len is 3 but the index is 3 (src/lexer.rs:41)",
    ),
    "rustc": (
        RUSTC,
        [("src/main.rs", 5)],
        "error[E0382]: borrow of moved value: `x` (src/main.rs:5)",
    ),
    "Go": (
        GO,
        [("/home/ada/shop/queue/queue.go", 12), ("/home/ada/shop/main.go", 7)],
        "panic: runtime error: index out of range [5] with length 3 (queue/queue.go:12)",
    ),
    "Java": (
        JAVA,
        [("com/acme/shop/Order.java", 31), ("java/util/ArrayList.java", 1511),
         ("com/acme/shop/Main.java", 9)],
        "java.lang.NullPointerException: price is null (com/acme/shop/Order.java:31)",
    ),
    "tsc": (
        TSC,
        [("src/app.ts", 12)],
        "src/app.ts(12,5): error TS2345: Not assignable. (src/app.ts:12)",
    ),
    "gcc": (GCC, [("src/a.c", 3), ("src/b.c", 9)], "src/a.c:3:5: error: expected ';'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_the_frames_are_found_innermost_first(name):
    text, expected, _ = SEEN[name]
    assert [(frame.path, frame.line) for frame in frames(text)] == expected
    crlf = text.replace("\n", "\r\n")
    assert {frame.line for frame in frames(crlf)} <= {line for _, line in expected}


@pytest.mark.parametrize("name", SEEN)
def test_a_trace_has_its_error_and_its_innermost_own_frame_as_title(name):
    text, _, title = SEEN[name]
    assert title_for(text, roots=["/home/ada", "/home/ada/shop"]) == title


def test_the_functions_of_a_trace_are_kept_as_the_language_names_them():
    named = [frame.function for text in (RUST, GO, JAVA) for frame in frames(text)]
    assert "calc::lexer::Lexer::ident" in named
    assert "example.com/shop/queue.(*Queue).Pop" in named
    assert "com.acme.shop.Order.price" in named


def test_an_indented_trace_in_a_log_has_its_error_as_title():
    log = "12:00:01 ERROR\n" + "".join(f"    {line}\n" for line in PYTHON.splitlines())
    assert headline(log).startswith("TypeError: unsupported operand")


def test_of_two_traces_of_python_the_last_one_is_what_went_wrong():
    chained = (
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "b.py", line 2, in g\nRuntimeError\n'
    )
    assert title_for(chained) == "RuntimeError (b.py:2)"


def test_a_diagnostic_has_its_first_line_and_its_place_as_title():
    message = 'Argument of type "str" cannot be assigned\n  "str" is not assignable to "int"'
    title = title_for(message, "shop/cart.py", 12)
    assert title == 'Argument of type "str" cannot be assigned (shop/cart.py:12)'
    long = title_for("x" * 500, "shop/cart.py", 12)
    assert long == "x" * 99 + "… (shop/cart.py:12)"


def test_code_has_its_first_line_as_title_and_an_assertion_itself():
    assert title_for("\n    return 1\n", "a.py", 2) == "return 1 (a.py:2)"
    assert title_for("x = 1\nassert x == 2, x\n", "a.py", 2) == "assert x == 2, x (a.py:2)"


def test_where_nothing_is_said_the_place_is_the_title():
    assert title_for(" \n", "a.py", 2) == "Bug at a.py:2"
    assert not title_for("")


def test_times_addresses_and_versions_are_no_places():
    assert frames("12:30:05 GET http://localhost:8080/ 10.0.0.1:80 v1.2:3 a::b::c:1 x.y") == []


HOSTILE = {
    "at": "    at ",
    "file": 'File "',
    "brackets": "f" + "(" * 500 + "\n",
    "dots": "a.",
    "ats": "@a",
    "package": " at " + "a." * 400 + "\n",
    "rust": " 1: a\n",
    "lines": "\n",
    "url": "ab://",
    "error": ("a" * 99 + ".") * 20 + "\n",
    "places": "a.py:1\n",
    "spaces": " ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_time(piece):
    text = piece * (2_000_000 // len(piece))
    started = time.process_time()
    frames(text)
    title_for(text)
    assert time.process_time() - started < 5


@given(st.text(alphabet='abAE \n\t.:/()"@<>,=1\\`>', max_size=200))
def test_whatever_the_text_its_places_have_a_path_and_its_headline_is_one_short_line(text):
    for frame in frames(text):
        assert frame.path
        assert frame.line >= 0
    line = headline(text)
    assert len(line) <= 100
    assert line == " ".join(line.split())
    assert bool(line) == bool(text.strip())

"""A coverage-guided fuzzer of what reads a task file and what agents write into it.

`make fuzz`, or `python -m tests.fuzz.texts -max_total_time=60` from the root of the repository,
with atheris (the dependency group `fuzz`). What it finds belongs into `FOUND` in `promises.py`,
which every test run tries.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Fuzz until something is found, or the time is over."""
    import atheris

    with atheris.instrument_imports(include=["bug_lsp.domain", "tests.fuzz.promises"]):
        from tests.fuzz.promises import FOUND, check

    def one(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        # Pieces that mean something to the parsers are found sooner than by bytes alone.
        pieces = [*FOUND, "<!-- bug-lsp:", "```", "~~~", "<details>\n", "\r\n", "]:", "](", "{"]
        text = ""
        while given.remaining_bytes():
            text += given.PickValueInList(pieces) if given.ConsumeBool() else ""
            text += given.ConsumeUnicodeNoSurrogates(20)
        check(text)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

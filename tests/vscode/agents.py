"""Agents of the tests: programs that wait until they are let go on.

`python agents.py wait|fail|write FOLDER`: go on when FOLDER has a file of that name.
"""

import json
import sys
import time
from pathlib import Path

AGENTS = Path(__file__)
BUG_LSP = Path(sys.executable).with_name("bug-lsp")
LINES = 120
SYNTHESIS = {
    "rootCause": "`invoices/money.py:7` rounds a negative amount towards zero [E1].",
    "recommendedSolution": "Take the patch of repair.",
    "implementationSteps": ["Apply the patch.", "Run `python -m unittest`."],
    "sessionNotes": [],
    "conflicts": [],
}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def wait_for(path: Path) -> None:
    end = time.monotonic() + 100
    while not path.exists():
        if time.monotonic() > end:
            raise SystemExit(f"{path} did not come")
        time.sleep(0.05)


def main(role: str, folder: Path) -> int:
    sys.stdin.read()
    say(f"I am {role} and I wait.")
    if role == "write":
        for part in range(1, 4):
            for number in range(1, LINES):
                say(f"\nThought {part}.{number}.")
            wait_for(folder / f"write-{part}")
    else:
        wait_for(folder / role)
    if role == "fail":
        sys.stderr.write("the model did not answer\n")
        return 3
    if role == "write":
        say("\nThe last thought.\n")
        say(f"```json\n{json.dumps(SYNTHESIS)}\n```")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))

"""Whether a test that fails on the snapshot fails there because of the bug.

A test that an agent wrote next to its patch may need what only that patch brings: it says nothing
about the code without it. Pure.
"""

from __future__ import annotations

import builtins
import re

from bug_lsp.agents.python_tests import RanTest

_CANNOT_BE_FOUND = frozenset(
    {
        "FixtureLookupError",
        "ImportError",
        "IndentationError",
        "ModuleNotFoundError",
        "NameError",
        "SyntaxError",
        "UnboundLocalError",
    }
)
_NO_ATTRIBUTE = re.compile(
    r"(?:(?:partially initialized )?(?P<thing>module|type object) )?'(?P<type>[^']+)'"
    r"(?: object)? has no attribute"
)
_OTHER_SIGNATURE = re.compile(
    r"unexpected keyword argument|positional arguments? but|required (?:positional|keyword)"
)


def why_not(test: RanTest) -> str | None:
    """Why a failing test does not count; None if it does."""
    failure = test.failure
    if failure is None:
        return None
    frames = failure.frames
    # What the project's own code raises is its behaviour, whatever the error's type.
    if frames and frames[-1].path != test.path:
        return None
    if failure.type in _CANNOT_BE_FOUND:
        return "it needs what is not there"
    if failure.type == "AttributeError" and _is_interface(failure.message):
        return "it needs what is not there"
    if failure.type == "TypeError" and _OTHER_SIGNATURE.search(failure.message):
        return "it calls what takes other arguments"
    return None


def _is_interface(message: str) -> bool:
    """Whether an attribute is missing of the project's own things: a value of Python's own type,
    None above all, is what the code has returned.
    """
    match = _NO_ATTRIBUTE.match(message)
    if match is None:
        return False
    return match["thing"] is not None or (
        match["type"] != "NoneType" and not hasattr(builtins, match["type"])
    )

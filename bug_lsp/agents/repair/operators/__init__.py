"""The edits that are tried, one family a module.

Each has `edits(place)`. None knows a program: what is tried follows from the syntax at a place and
the names in scope, and an edit's cost from how often people make such mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from bug_lsp.agents.repair.place import Edit, Place

from . import (
    arguments,
    arithmetic,
    comparisons,
    conditions,
    constants,
    guards,
    idioms,
    insertions,
    names,
    off_by_one,
    reuse,
    siblings,
    statements,
    subscripts,
    templates,
    wrappers,
)

FAMILIES: MappingProxyType[str, Callable[[Place], Iterator[Edit]]] = MappingProxyType(
    {
        "comparison": comparisons.edits,
        "arithmetic": arithmetic.edits,
        "constant": constants.edits,
        "off by one": off_by_one.edits,
        "name": names.edits,
        "argument": arguments.edits,
        "condition": conditions.edits,
        "idiom": idioms.edits,
        "subscript": subscripts.edits,
        "wrapper": wrappers.edits,
        "statement": statements.edits,
        "sibling": siblings.edits,
        "insertion": insertions.edits,
        "reuse": reuse.edits,
        "guard": guards.edits,
        "template": templates.edits,
    }
)
"""All families by the name that the user reads."""

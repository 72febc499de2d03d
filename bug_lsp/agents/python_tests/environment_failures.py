"""Recognises failures that say something about the environment, and nothing about the code."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from bug_lsp.agents.network import shows_no_network

from .results import Failure

_MODULE = re.compile(r"No module named '(?P<name>[^'.]+)")
_NAME = re.compile(
    r"cannot import name '(?P<what>\w+)' from (?:partially \w+ module )?'(?P<name>\w+)"
)
_ATTRIBUTE = re.compile(r"module '(?P<name>\w+)[\w.]*' has no attribute '(?P<what>\w+)'")
_PROGRAM = re.compile(r"No such file or directory: '(?P<name>[\w+-]+)'$")
_FIXTURE = re.compile(r"fixture '(?P<name>\w+)' not found|^\('(?P<other>\w+)', <")
_ASYNC = "async def functions are not natively supported"


@dataclass(frozen=True, slots=True)
class Lack:
    """What the environment lacks."""

    reason: str
    is_sure: bool
    """Whether no mistake in the project could look the same."""


def lack_of(failure: Failure, own_modules: Collection[str]) -> Lack | None:
    """What a test failed for want of; None where it did not."""
    text = failure.message
    if shows_no_network(failure.told):
        return Lack("it needs the network", is_sure=False)
    if failure.type in {"ModuleNotFoundError", "ImportError", "AttributeError"}:
        return _of_module(text, own_modules)
    if failure.type == "FixtureLookupError" and (match := _FIXTURE.search(text)):
        name = match["name"] or match["other"]
        return Lack(f"no installed plugin has the fixture `{name}`", is_sure=True)
    if _ASYNC in text:
        return Lack("no installed plugin runs tests that are coroutines", is_sure=True)
    if failure.type == "FileNotFoundError" and (match := _PROGRAM.search(text.strip())):
        return Lack(f"the program `{match['name']}` is not installed", is_sure=False)
    if failure.type.endswith("Warning"):
        return Lack(f"a warning is an error here ({failure.summary})", is_sure=False)
    if "unsupported locale" in text:
        return Lack("the locale that it asks for is not installed", is_sure=False)
    return None


def _of_module(text: str, own_modules: Collection[str]) -> Lack | None:
    if match := _MODULE.search(text):
        name = match["name"]
        return None if name in own_modules else Lack(f"`{name}` is not installed", is_sure=True)
    for pattern in (_NAME, _ATTRIBUTE):
        if (match := pattern.search(text)) and match["name"] not in own_modules:
            reason = f"the installed `{match['name']}` has no `{match['what']}`"
            return Lack(reason, is_sure=False)
    return None

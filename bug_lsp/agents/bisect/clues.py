"""Reads from the task which commits are said to work: releases and dates that it names."""

from __future__ import annotations

import re

from .git_copy import GitCopy

_VERSION = re.compile(r"(?<![\w.])v?(\d{1,4}(?:\.\d{1,5}){1,3})(?![\w.]*\d)")
_DATE = re.compile(r"\b(20\d\d-[01]\d-[0-3]\d)\b")
_MOST = 4


async def good_commits(git: GitCopy, task: str, oldest: str, newest: str) -> list[str]:
    """Return the commits to try first: those of releases and dates that the task names.

    Whether they work is not known: "fine in 14.2" and "since 14.2" are both worth a look.
    """
    versions = dict.fromkeys(_VERSION.findall(task))
    found: list[str] = []
    tags = await git.tags() if versions else []
    for version in versions:
        named = [tag for tag in tags if re.fullmatch(rf"\D*{re.escape(version)}", tag)]
        found += [sha for tag in named[:1] if (sha := await git.named(tag))]
    for date in dict.fromkeys(_DATE.findall(task)):
        found += [sha for sha in [await git.before(date, newest)] if sha]
    return [sha for sha in dict.fromkeys(found) if sha != oldest][:_MOST]

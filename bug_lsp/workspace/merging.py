"""A three-way merge of texts, by git. Line ends are those of the present text."""

from __future__ import annotations

from pathlib import Path

from . import git


def three_way(base: str, present: str, patched: str, scratch: Path) -> str | None:
    """The present text with what was changed from `base` to `patched`; None where the user has
    changed the same lines, or their neighbours. Raises `GitError` or `OSError`.
    """
    base, patched = in_its_line_ends(base, patched, present)
    if present == base:
        return patched
    if patched in (present, base):
        return present
    sides = [scratch / name for name in ("present", "base", "patched")]
    for side, text in zip(sides, (present, base, patched), strict=True):
        side.write_bytes(text.encode())
    merged = git.merge_file(*sides)
    return None if merged is None else merged.decode()


def in_its_line_ends(base: str, patched: str, present: str) -> tuple[str, str]:
    """`base` and `patched` with the line ends of `present`, where the user, or their editor, has
    since given the file other ones: that is no change of its lines.
    """
    end = _only_end(present)
    if end is None or "\n" not in base or _only_end(base) == end:
        return base, patched
    return _ending(base, end), _ending(patched, end)


def _ending(text: str, end: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", end)


def _only_end(text: str) -> str | None:
    """The end of all lines; None where there are several kinds, or none."""
    all_of_them = text.count("\n")
    of_two = text.count("\r\n")
    if not all_of_them or 0 < of_two < all_of_them:
        return None
    return "\r\n" if of_two else "\n"

"""Tells the project's code from the tests of it."""

from __future__ import annotations

from .results import Frame, RanTest


def is_test_code(path: str) -> bool:
    """Whether a file is part of the tests, by the names pytest and unittest go by."""
    *folders, name = path.split("/")
    stem = name.removesuffix(".py")
    return (
        name.startswith("test_")
        or stem.endswith("_test")
        or stem in {"conftest", "test", "tests"}
        or any(folder in {"test", "tests"} for folder in folders)
    )


def project_frames(test: RanTest) -> list[Frame]:
    """The places in a failed test's traceback that are not test code, the origin last."""
    frames = test.failure.frames if test.failure is not None else ()
    return [frame for frame in frames if not is_test_code(frame.path) and frame.path != test.path]

"""Tells the project's code from the tests of it."""

from __future__ import annotations

from bug_lsp.domain.line_roles import Role, role_of_file

from .results import Frame, RanTest


def is_test_code(path: str) -> bool:
    """Whether a file is part of the tests, by the names that test runners go by."""
    return role_of_file(path) is Role.TEST


def is_doctest(test_id: str) -> bool:
    """Whether a test is an example in a docstring: its file is no test code then."""
    file, _, rest = test_id.partition("::")
    name = rest.partition("[")[0]
    parts = file.removesuffix(".py").removesuffix("/__init__").split("/")
    modules = (".".join(parts[start:]) for start in range(len(parts)))
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_file(test: RanTest) -> str:
    """The file that is test code by this test; empty where it is the project's own."""
    return "" if is_doctest(test.id) else test.path


def project_frames(test: RanTest) -> list[Frame]:
    """The places in a failed test's traceback that are not test code, the origin last."""
    frames = test.failure.frames if test.failure is not None else ()
    own = test_file(test)
    return [frame for frame in frames if not is_test_code(frame.path) and frame.path != own]

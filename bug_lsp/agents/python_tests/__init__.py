"""A Python project's own tests, run in a copy of it by the project's own interpreter."""

from .code_kind import is_test_code, project_frames
from .command import understand
from .fork_server import ForkServer
from .named import named_tests
from .project import PythonProject, has_python
from .reproduce import (
    NEEDS_NETWORK,
    Chosen,
    Reproduction,
    check_runner,
    chosen_by_command,
    failures_of_the_copy,
    missing_module,
    nothing_fails,
    reproduce,
    run_and_tell,
)
from .results import CollectionError, Failure, Frame, RanTest, SuiteRun
from .suite import Plan, run_tests
from .triage import Triage, triage
from .trials import Batch, Collected, Reply, Request, Tried

__all__ = [
    "NEEDS_NETWORK",
    "Batch",
    "Chosen",
    "Collected",
    "CollectionError",
    "Failure",
    "ForkServer",
    "Frame",
    "Plan",
    "PythonProject",
    "RanTest",
    "Reply",
    "Reproduction",
    "Request",
    "SuiteRun",
    "Triage",
    "Tried",
    "check_runner",
    "chosen_by_command",
    "failures_of_the_copy",
    "has_python",
    "is_test_code",
    "missing_module",
    "named_tests",
    "nothing_fails",
    "project_frames",
    "reproduce",
    "run_and_tell",
    "run_tests",
    "triage",
    "understand",
]

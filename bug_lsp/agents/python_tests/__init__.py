"""A Python project's own tests, run in a copy of it by the project's own interpreter."""

from .chosen import Chosen, chosen_by_command
from .code_kind import is_test_code, project_frames, test_file
from .command import understand
from .fork_server import ForkServer
from .measurement import NEEDS_NETWORK, Measurement, failures_of_the_copy
from .named import named_tests
from .project import PythonProject, has_python
from .reproduce import (
    Reproduction,
    check_runner,
    missing_module,
    nothing_fails,
    own_modules,
    reproduce,
    triaged,
)
from .results import CollectionError, Failure, Frame, RanTest, SuiteRun
from .running import run_and_tell
from .shared import measured
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
    "Measurement",
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
    "measured",
    "missing_module",
    "named_tests",
    "nothing_fails",
    "own_modules",
    "project_frames",
    "reproduce",
    "run_and_tell",
    "run_tests",
    "test_file",
    "triage",
    "triaged",
    "understand",
]

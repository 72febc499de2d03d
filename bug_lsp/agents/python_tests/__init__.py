"""A Python project's own tests, run in a copy of it by the project's own interpreter."""

from .code_kind import is_test_code, project_frames
from .command import understand
from .project import PythonProject, has_python
from .reproduce import Reproduction, reproduce, run_and_tell
from .results import CollectionError, Failure, Frame, RanTest, SuiteRun
from .suite import Plan, run_tests

__all__ = [
    "CollectionError",
    "Failure",
    "Frame",
    "Plan",
    "PythonProject",
    "RanTest",
    "Reproduction",
    "SuiteRun",
    "has_python",
    "is_test_code",
    "project_frames",
    "reproduce",
    "run_and_tell",
    "run_tests",
    "understand",
]

"""Finds the interpreter that a project's dependencies are installed for, without running it."""

from .activate import for_set_up
from .find import Interpreter, Wanted, check_python, find_interpreter, interpreter_at

__all__ = [
    "Interpreter",
    "Wanted",
    "check_python",
    "find_interpreter",
    "for_set_up",
    "interpreter_at",
]

"""The program `bug-lsp`: a language server, and a debug run in the terminal.

Only starts, follows and shows runs: the work is done by session processes that outlive it. What is
wrong with what the user asked for is one line on standard error, never a traceback.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from .args import Options, parse

CANNOT, BAD_USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    from bug_lsp.domain.errors import BadInput, BugLspError

    try:
        return _run(options)
    except BadInput as error:
        from .names import as_typed

        return _say(as_typed(error, options), BAD_USAGE)
    except BugLspError as error:
        from .names import in_terminal

        return _say(in_terminal(error.message), CANNOT)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read our output has seen enough; at exit Python would complain about the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CANNOT
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}", CANNOT)


def _run(options: Options) -> int:
    if options.command in (None, "serve"):
        return _serve(options)
    for stream in (sys.stdout, sys.stderr):
        # Titles and paths may hold what the terminal's encoding cannot say.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    return _in_terminal(options)


def _serve(options: Options) -> int:
    if options.tcp is None and sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write("bug-lsp: waiting for an editor; for the terminal see `bug-lsp --help`\n")
    # Next to all that is imported stays: searching it for garbage would take a tenth of the start.
    usual = gc.get_threshold()
    gc.set_threshold(10_000, 10, 1000)
    from bug_lsp.lsp.main import serve

    gc.freeze()
    gc.set_threshold(*usual)
    return serve(options.tcp)


def _in_terminal(options: Options) -> int:
    if options.command != "doctor":
        from bug_lsp.store.guard import check
        from bug_lsp.store.layout import state_root

        check(state_root())
    # Each command imports what it needs: a server must be up before the editor wonders.
    match options.command:
        case "debug":
            from .debug import debug

            return debug(options)
        case "status":
            from .status import status

            return status(options)
        case "orchestrate":
            from .orchestrate import orchestrate

            return orchestrate(options)
        case "apply":
            from .apply import apply

            return apply(options)
        case "clean":
            from .clean import clean

            return clean(options)
        case "demo":
            from .demo import demo

            return demo(options)
        case "doctor" if options.copies:
            from .copies import copies

            return copies(options.workspace, as_json=options.json)
        case "doctor" if options.project:
            from .project import project

            return project(options)
        case _:
            from .doctor import doctor

            return doctor(as_json=options.json)


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(f"bug-lsp: {' '.join(sentence.split())}\n")
    return code

"""What can be typed after `bug-lsp`. Standard library only: it is read before anything else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bug_lsp import __version__


class Options(argparse.Namespace):
    """What was typed. Which attributes there are depends on the command."""

    command: str | None
    tcp: tuple[str, int] | None
    task: Path | None
    title: str | None
    agents: str | None
    orchestrator: str | None
    test_command: str | None
    workspace: Path | None
    json: bool
    no_orchestrate: bool
    run: str | None
    limit: int
    keep: Path | None
    keep_runs: int | None
    all_finished: bool
    dry_run: bool
    all_workspaces: bool
    copies: bool
    project: bool
    session: str
    force: bool


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"bug-lsp: {message}; see `{self.prog} --help`\n")


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; ends the program at `--help`, `--version` and bad usage."""
    parser = _Parser(
        prog="bug-lsp",
        description="Several agents debug one bug in parallel; one orchestrator writes what they "
        "found into the bug's task file. Without a command: serve.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bug-lsp {__version__}")
    _add_serving(parser, default=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_serve(commands)
    _add_debug(commands)
    _add_status(commands)
    _add_orchestrate(commands)
    _add_apply(commands)
    _add_doctor(commands)
    _add_clean(commands)
    _add_demo(commands)
    for argument in arguments:
        if not _is_text(argument):
            parser.error(f"{argument!a} is not UTF-8")
    return parser.parse_args(arguments, Options())


def _is_text(argument: str) -> bool:
    """Whether it can be written into a file: what was typed may be any bytes."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


_Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse gives the type no other name


def _add_serve(commands: _Commands[_Parser]) -> None:
    parser = _command(commands, "serve", "speak LSP with an editor on standard input and output")
    # Not given after `serve` must not undo what was given before it.
    _add_serving(parser, default=argparse.SUPPRESS)


def _add_serving(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        type=_address,
        default=default,
        help="listen there instead, for debugging",
    )
    # Client libraries add these; the first is what happens anyway, the second LSP says too.
    parser.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--clientProcessId", help=argparse.SUPPRESS)


def _add_debug(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "debug",
        "debug the bug of a task file, with live progress; exit status 0 when a synthesis was "
        "delivered, 3 when all that could be said is that nothing was found, 1 when the run ended "
        "without one, 2 on bad usage",
    )
    parser.add_argument(
        "task", metavar="TASK.md", nargs="?", type=Path, help="a Markdown file about one bug"
    )
    parser.add_argument("--title", help="the bug in one line; without TASK.md a task file is made")
    _add_agents(parser, "default: the setting defaultAgents")
    parser.add_argument(
        "--test-command", metavar="CMD", help="a command that fails while the bug is there"
    )
    _add_workspace(parser, "the repository of the task file")
    _add_json(parser, "the run as one JSON object on standard output, progress on standard error")
    parser.add_argument(
        "--no-orchestrate",
        action="store_true",
        help="start no orchestrator: of several agents there is no synthesis then",
    )


def _add_status(commands: _Commands[_Parser]) -> None:
    parser = _command(commands, "status", "the runs of this workspace, or one run in detail")
    parser.add_argument("run", metavar="RUN", nargs="?", help="a run, or the beginning of its id")
    _add_workspace(parser, "the repository around the current folder")
    _add_json(parser, "as JSON, in the shape of listDebugRuns or getDebugRunStatus")
    parser.add_argument(
        "--limit", metavar="N", type=_positive, default=20, help="how many runs (default: 20)"
    )


def _add_orchestrate(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "orchestrate",
        "start the orchestrator of a run whose sessions have ended, where it has none yet; exit "
        "status as of debug",
    )
    parser.add_argument("run", metavar="RUN", help="a run, or the beginning of its id")
    parser.add_argument("--force", action="store_true", help="another one, although there is one")
    _add_workspace(parser, "the repository around the current folder")


def _add_apply(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "apply",
        "bring what a session changed into your files, merged with what changed since; refused "
        "where that cannot be, or where the patch is not proven",
    )
    parser.add_argument(
        "session", metavar="SESSION", help="a debug session, or the beginning of its id"
    )
    parser.add_argument("--force", action="store_true", help="although it is not proven")
    _add_workspace(parser, "the repository around the current folder")


def _add_doctor(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "doctor",
        "which agents can run here, and how to fix those that cannot; exit status 0 when one can",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--copies",
        action="store_true",
        help="instead: what sessions' copies of this project hold, what they do not, and why",
    )
    instead.add_argument(
        "--project",
        action="store_true",
        help="instead: how this project's tests are run: the interpreter, what is collected (in a "
        "copy), and with --test-command whether that fails and how",
    )
    parser.add_argument("--test-command", metavar="CMD", help="of --project: the command to try")
    _add_workspace(parser, "the repository around the current folder")
    _add_json(parser, "as JSON")


def _add_clean(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "clean",
        "remove old runs, the copies of finished ones and what kills have left; never a run that "
        "is not finished, nor, unless asked, the latest of a task file",
    )
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument(
        "--keep",
        metavar="N",
        dest="keep_runs",
        type=_count,
        help="how many finished runs of a workspace stay (default: the setting keepRuns)",
    )
    how_many.add_argument(
        "--all-finished",
        action="store_true",
        help="remove every finished run, also the latest of a task file",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    where = parser.add_mutually_exclusive_group()
    _add_workspace(where, "the repository around the current folder")
    where.add_argument(
        "--all-workspaces", action="store_true", help="in every folder that was ever debugged"
    )
    _add_json(parser, "as JSON")


def _add_demo(commands: _Commands[_Parser]) -> None:
    parser = _command(
        commands,
        "demo",
        "debug a small real project in a temporary folder; needs no account and no network",
    )
    _add_agents(parser, "default: spectrum,repair,bisect")
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=Path,
        help="make the project in this new folder instead of a temporary one",
    )


def _command(commands: _Commands[_Parser], name: str, what: str) -> _Parser:
    return commands.add_parser(name, help=what, description=what, allow_abbrev=False)


def _add_agents(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--agents", metavar="NAME[:MODEL],...", help=f"who debugs, in parallel ({default})"
    )
    parser.add_argument(
        "--orchestrator", metavar="NAME[:MODEL]", help="who reads it all and concludes"
    )


def _add_workspace(parser: argparse._ActionsContainer, default: str) -> None:
    parser.add_argument(
        "--workspace", metavar="DIR", type=Path, help=f"the project's folder (default: {default})"
    )


def _add_json(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--json", action="store_true", help=what)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:2087")
    return host.strip("[]"), int(port)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return int(text)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)

"""How a command is answered: its one argument validated, its errors mapped, always an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from bug_lsp.domain.errors import BadInput, BugLspError
from bug_lsp.domain.model import Value

from . import wire
from .client import DEADLINE
from .door import Door
from .protocol import refuse
from .server import BugLspServer

log = logging.getLogger(__name__)

_Handler = Callable[[BugLspServer, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Command:
    """A command's name, the shape of its argument, and what it does."""

    name: str
    argument: type[Value]
    handler: _Handler


_COMMANDS: list[_Command] = []


def command(name: str, argument: type[Value]) -> Callable[[_Handler], _Handler]:
    """Make a function the handler of a command with this argument."""

    def remember(handler: _Handler) -> _Handler:
        _COMMANDS.append(_Command(name, argument, handler))
        return handler

    return remember


def register(door: Door, server: BugLspServer) -> None:
    """Make the commands known to pygls."""
    for item in _COMMANDS:
        door.command(item.name)(_answering(server, item))


def _answering(server: BugLspServer, item: _Command) -> Callable[..., Awaitable[dict[str, Any]]]:
    # `*arguments` takes any number of them, so that a wrong number is ours to explain; an error of
    # any kind becomes an answer here and nowhere else.
    async def answer(*arguments: Any) -> dict[str, Any]:
        try:
            argument = wire.from_wire(item.argument, arguments)
            # The first command may come before the client has answered what its settings are.
            with anyio.move_on_after(DEADLINE):
                await server.settings_read.wait()
            return await item.handler(server, argument)
        except BadInput as error:
            raise JsonRpcException(
                message=error.message, code=types.ErrorCodes.InvalidParams
            ) from error
        except BugLspError as error:
            raise refuse(error.message) from error
        except JsonRpcException:
            raise
        except asyncio.CancelledError as error:
            # A cancelled command would never be answered by pygls.
            raise JsonRpcException(
                message="cancelled", code=types.LSPErrorCodes.ServerCancelled
            ) from error
        except Exception as error:
            log.exception("in command %s", item.name)
            raise JsonRpcException(message="", code=types.ErrorCodes.InternalError) from error

    return answer

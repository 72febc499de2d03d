"""pygls with its sharp edges taken off: every request is answered, no answer holds a traceback,
and late or odd answers of a client do no harm. Each override names what it mends.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method

from .announced import announce
from .text import ExactWorkspace

log = logging.getLogger(__name__)

INTERNAL = types.ResponseError(
    code=types.ErrorCodes.InternalError,
    message="bug-lsp made a mistake; server.log in its state folder (`bug-lsp doctor`) says which",
)


class Protocol(LanguageServerProtocol):
    """What bug-lsp needs that pygls 2.1.1 does not do."""

    options: Any = None
    """What the client has sent as `initializationOptions`."""

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Announce what is registered only after the answer, and virtual documents, which pygls
        never announces; and split lines as LSP does.
        """
        self.options = params.initialization_options
        result = yield from super().lsp_initialize(params)
        announce(result.capabilities)
        if self._workspace is not None:
            self._workspace = ExactWorkspace.like(self._workspace)
        return result

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Cancel what is in flight without stumbling over it (openlawlibrary/pygls#606)."""
        mine = self.msg_id
        others = {key: value for key, value in self._request_futures.items() if key != mine}
        for future in others.values():
            if not future.done():
                future.cancel()
        self._request_futures = {
            key: value for key, value in self._request_futures.items() if key not in others
        }
        return (yield from super().lsp_shutdown(*args))

    def _execute_handler(self, msg_id: Any, *args: Any, **kwargs: Any) -> None:
        """Forget the future of what has been handled: pygls keeps that of each notification, and of
        each step of a request, for ever.
        """
        super()._execute_handler(msg_id, *args, **kwargs)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(partial(self._forget, msg_id))

    def _forget(self, msg_id: Any, future: Any) -> None:
        if self._request_futures.get(msg_id) is future:
            del self._request_futures[msg_id]

    @property
    def initialised(self) -> bool:
        """Whether `initialize` has been handled."""
        return self._workspace is not None

    @property
    def shut_down(self) -> bool:
        """Whether `shutdown` has been handled."""
        return self._shutdown

    def send(self, method: str, *params: str) -> None:
        """Notifications whose parameters are JSON already: objects of LSP take a hundred times as
        long to be turned into it. They are one write: each would wake the client.
        """
        bodies = [
            f'{{"jsonrpc": "2.0", "method": "{method}", "params": {one}}}'.encode()
            for one in params
        ]
        if bodies and self.writer is not None:
            framed = (b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
            self.writer.write(b"".join(framed))

    def as_json(self, value: object) -> Any:
        """A value of LSP as JSON."""
        return self._converter.unstructure(value)

    def structure(self, data: dict[str, Any]) -> Any | None:
        """One message from the wire; None where it could not be understood and was answered.

        pygls would decode every nested object that has a key "jsonrpc", and leave a request with
        malformed params without an answer.
        """
        try:
            return super().structure_message(data)
        except Exception:  # noqa: BLE001 - whatever cattrs raises
            identity = data.get("id")
            if identity is None:
                log.warning("ignored a malformed notification %r", data.get("method"))
            elif "method" in data:
                self._send_response(
                    identity,
                    error=types.ResponseError(
                        code=types.ErrorCodes.InvalidParams,
                        message=f"{data['method']}: its parameters have not the form of LSP 3.18",
                    ),
                )
            else:
                self._settle_odd_answer(identity)
            return None

    def _settle_odd_answer(self, identity: Any) -> None:
        # Some clients answer what they do not know with `null` (eglot 1.9, lsp-mode 8.0).
        future = self._request_futures.pop(identity, None)
        if future is not None and not future.done():
            future.set_exception(JsonRpcInvalidParams("the client's answer makes no sense"))

    def _handle_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        """Ignore an answer that nobody waits for any more (openlawlibrary/pygls#621)."""
        future = self._request_futures.get(msg_id)
        if future is None or future.done():
            self._request_futures.pop(msg_id, None)
            return
        super()._handle_response(msg_id, result, error)

    def _send_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        """Keep tracebacks, and the paths in them, to ourselves."""
        if error is not None and error.code == types.ErrorCodes.InternalError:
            log.error("internal error: %s", error.message)
            error = INTERNAL
        super()._send_response(msg_id, result, error)


def refuse(message: str) -> JsonRpcException:
    """A request that is understood but cannot be done: `RequestFailed`."""
    return JsonRpcException(message=message, code=types.LSPErrorCodes.RequestFailed)

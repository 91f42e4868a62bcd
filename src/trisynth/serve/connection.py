"""Connections of a server: how many there may be, and how long a request may take to arrive."""

import json
import resource
import socket
import struct
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# Seconds in which a whole request must arrive, and a closed connection must have taken its answer.
PATIENCE = 10.0
_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
_FILES = 2_000 if _LIMIT == resource.RLIM_INFINITY else min(2_000, _LIMIT)
# Connections that are open, and accepted at once: of the latter, four times as many exist before one can be closed.
MOST, BACKLOG = _FILES // 4, _FILES // 16


class Connection(H11Protocol):
    """HTTP connection that is closed if no whole request arrives in time, or if its place is needed.

    uvicorn itself limits neither: a client that never ends its request would keep a file for good.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # What answers can end a connection, as `scope["state"]["cut"]`.
        self.app_state = {**self.app_state, "cut": self._cut}
        self._timer = None

    def connection_made(self, transport: Any) -> None:
        """Take a place: a free one, or that of the connection that has waited longest."""
        super().connection_made(transport)
        self._expect()
        if len(self.connections) > MOST:
            others = [each for each in self.connections if each.waits and each is not self]
            last = min(others, key=Connection._order, default=self)
            # Its file is closed later; others that arrive with this one take other places.
            self.connections.discard(last)
            last.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._expect()
        super().on_response_complete()

    @property
    def waits(self) -> bool:
        """True while no request is being answered: none has arrived, or not all of it."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def _order(self) -> tuple[bool, float]:
        """Return what decides who leaves first: clients that have sent no request, then those that wait longest."""
        return self.cycle is not None, self._since

    def _expect(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._since = time.monotonic()
        self._timer = self.loop.call_later(PATIENCE, self._late)

    def _cut(self) -> None:
        """Close the connection at once, and drop what the system still holds for the client."""
        linger = struct.pack("ii", 1, 0)
        with suppress(OSError):  # closed already
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def _late(self) -> None:
        if self.transport.is_closing():
            # The client does not take the end of its answer.
            self.transport.abort()
        elif self.waits:
            if self.cycle is not None and self.cycle.more_body and self.cycle.response_started:
                # The answer did not need the rest of the body, which still comes.
                self.transport.close()
            else:
                self._refuse(408, f"no whole request arrived within {PATIENCE:g} s; send it at once")
            self._expect()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is no HTTP."""
        self._refuse(400, "this is no request of HTTP 1.1, or its header is too long; see / for a form")

    def _refuse(self, status: int, reason: str) -> None:
        body = json.dumps({"error": reason}) + "\n"
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.transport.write((head + body).encode())
        self.transport.close()

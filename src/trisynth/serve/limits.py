"""Limits of a server, and the guard that applies them to every request."""

import asyncio
import hmac
import json
from dataclasses import dataclass, fields
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trisynth.errors import InputError, require_number

# Requests that are answered whatever else is going on, and their answers hold nothing of a table.
_FREE = ("/", "/page.js", "/page.css", "/health", "/version")


@dataclass(frozen=True)
class Limits:
    """Limits of one request, and of all at the same time.

    Parameters
    ----------
    max_rows : int
        Rows of one request.
    max_body : int
        Bytes of the body of one request.
    max_seconds : float
        Time of one request, from its first byte to the last one that the client takes.
    max_requests : int
        Requests that are answered at the same time.
    """

    max_rows: int = 10_000_000
    max_body: int = 100_000
    max_seconds: float = 60.0
    max_requests: int = 8

    @classmethod
    def parse(cls, given: dict[str, str]) -> "Limits":
        """Read limits from texts; raise ``InputError`` for one that is no positive number."""
        found: dict[str, Any] = {}
        for each in fields(cls):
            if each.name not in given:
                continue
            text = given[each.name]
            try:
                found[each.name] = each.type(text)
            except ValueError:
                raise InputError(each.name, text, "must be a number, such as " + repr(each.default)) from None
            require_number(each.name, found[each.name], 0.1 if each.type is float else 1, 1e12)
        return cls(**found)


class Refused(Exception):
    """A request that is answered by a status and one line.

    Parameters
    ----------
    status : int
    reason : str
    """

    def __init__(self, status: int, reason: str):
        super().__init__(status, reason)
        self.status, self.reason = status, reason


class Guard:
    """ASGI middleware that checks the token and the time, and counts the requests that are being answered.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
    token : str or None
        Of the header ``Authorization: Bearer TOKEN``; None admits everybody.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None = None):
        self._app, self._limits, self._token = app, limits, token
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        if not self._admits(scope):
            await refuse(send, 401, "the token is absent or wrong; send the header Authorization: Bearer TOKEN")
            return
        if self._active >= self._limits.max_requests:
            await refuse(send, 429, f"{self._active} requests are being answered, which is the limit; try again later")
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        self._active += 1
        try:
            async with asyncio.timeout(self._limits.max_seconds):
                await self._app(scope, receive, noted)
        except TimeoutError:
            # An answer that has begun is cut off, which clients notice: its last chunk is missing.
            if begun:
                raise ConnectionResetError("the answer took too long") from None
            await refuse(send, 503, f"the answer took more than {self._limits.max_seconds:g} s; request fewer rows")
        finally:
            self._active -= 1

    def _admits(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, b"Bearer " + self._token.encode())


async def refuse(send: Send, status: int, reason: str) -> None:
    """Answer a request by a status and one line of JSON."""
    body = json.dumps({"error": reason}, ensure_ascii=False).encode() + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 429:
        headers.append((b"retry-after", b"1"))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

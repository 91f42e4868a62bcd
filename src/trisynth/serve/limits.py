"""Limits of a server, and the guard that applies them to every request."""

import asyncio
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trisynth.errors import InputError, require_number

# Requests that are answered whatever else is going on, and their answers hold nothing of a table.
_FREE = ("/", "/page.js", "/page.css", "/health", "/version")
# Seconds that a request waits for a place: several that arrive together must not be refused for that alone.
_PAUSE = 0.3


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
                found[each.name] = each.type(text if text.isascii() else "")
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
    """ASGI middleware that admits requests, reads their bodies, and limits number and time of the answers.

    Parameters
    ----------
    app : ASGI application
    limits : Limits
    token : str or None
        Of the header ``Authorization: Bearer TOKEN``; None admits everybody.
    hosts : sequence of str
        Names under which clients may address the server; empty for any name.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None = None, hosts: Sequence[str] = ()):
        self._app, self._limits, self._token, self._hosts = app, limits, token, hosts
        self._places = asyncio.Semaphore(limits.max_requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        headers = dict(scope["headers"])
        if self._hosts and (name := _host(headers)) not in self._hosts:
            remedy = f"address it as {self._hosts[0]} (which a proxy sets as Host), or start it with host=0.0.0.0"
            await refuse(send, 400, f"Host={name[:80]!r}: no name of this server; {remedy}")
        elif scope["path"] in _FREE:
            await self._app(scope, receive, send)
        elif not self._admits(headers):
            await refuse(send, 401, "the token is absent or wrong; send the header Authorization: Bearer TOKEN")
        elif (body := await self._body(headers, receive)) is None:
            await refuse(send, 413, f"the body has more than {self._limits.max_body:,} bytes; shorten it")
        # A request takes a place when all of it is there: a slow client cannot keep one by sending slowly.
        elif not await self._place():
            most = self._limits.max_requests
            await refuse(send, 429, f"{most} requests are being answered, which is the limit; try again later")
        else:
            try:
                await self._answer(scope, body, receive, send)
            finally:
                self._places.release()

    async def _place(self) -> bool:
        """Take a place, for which the request waits for a moment; return whether there was one."""
        try:
            async with asyncio.timeout(_PAUSE):
                await self._places.acquire()
        except TimeoutError:
            return False
        return True

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Answer until all is sent, the client leaves, or the time is over."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        answer = asyncio.create_task(self._app(scope, _again(body), noted))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((answer, leaving), timeout=self._limits.max_seconds, return_when=asyncio.FIRST_COMPLETED)
            ended, left = answer.done(), leaving.done()
        except asyncio.CancelledError:
            # The server ends, and has waited for the answer.
            if begun:
                scope["state"]["cut"]()
            else:
                await refuse(send, 503, "the server is being stopped; try again later")
            return
        finally:
            # A batch that is being drawn is drawn to its end, as a thread cannot be stopped; nobody waits for it.
            answer.cancel()
            leaving.cancel()
        if ended:
            answer.result()
        elif begun and not left:
            # An answer that has begun is cut off, which clients notice: its last chunk is missing.
            scope["state"]["cut"]()
            await _left(receive)
        elif not left:
            await refuse(send, 503, f"the answer took more than {self._limits.max_seconds:g} s; request fewer rows")

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
        """Read the body; None if it is too long, or announced as such."""
        body, more = b"", True
        if int(headers.get(b"content-length", 0)) > self._limits.max_body:
            return None
        while more:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._limits.max_body:
                return None
            more = message.get("more_body", False)
        return body

    def _admits(self, headers: Mapping[bytes, bytes]) -> bool:
        if self._token is None:
            return True
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # The name of the scheme has no case.
        return scheme.lower() == b"bearer" and hmac.compare_digest(token, self._token.encode())


def _host(headers: Mapping[bytes, bytes]) -> str:
    """Return the name under which a client addresses the server, without the port."""
    return re.sub(r":\d*$", "", headers.get(b"host", b"").decode("latin-1")).lower()


def _again(body: bytes) -> Receive:
    """Return what gives an application a body that was read, and nothing after it."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        for message in messages:
            return message
        return await asyncio.Future()

    return receive


async def _left(receive: Receive) -> None:
    """Wait until a client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass


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

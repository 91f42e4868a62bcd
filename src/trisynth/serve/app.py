"""Web application of a server: rows, schema, health, version and a page to try them."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

import trisynth
from trisynth.commandline.doors import DIGITS
from trisynth.errors import InputError
from trisynth.output.parts import total
from trisynth.serve.formats import FORMATS
from trisynth.serve.limits import Guard, Limits, Refused
from trisynth.serve.source import Source

_HERE = Path(__file__).parent
_SETTINGS = ("n", "class", "seed", "format", "given")
# Batches of long answers that are drawn at the same time, also for clients that have left; short answers, of at most
# so many rows, do not wait for them.
_DRAWS, _SHORT = 2, 10_000
_WHOLE = re.compile("[0-9]+")
# Characters of a wrong value that an answer repeats.
_SHOWN = 40
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
# The page loads from this server alone, and no other page may show it.
_SOURCES = ("script-src", "style-src", "connect-src")
_NONE = ("default-src", "form-action", "frame-ancestors", "base-uri")
_POLICY = "; ".join([*(f"{name} 'self'" for name in _SOURCES), *(f"{name} 'none'" for name in _NONE)])
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def application(source: Source, limits: Limits, token: str | None = None, hosts: Sequence[str] = ()) -> Starlette:
    """Build the web application.

    Parameters
    ----------
    source : Source
    limits : Limits
    token : str, optional
        What clients must send; None admits everybody who reaches the server.
    hosts : sequence of str
        Names under which clients may address the server, against pages that rebind a name to it; empty for any name.
    """
    routes = [Route(path, partial(_file, name, kind)) for path, (name, kind) in _FILES.items()]
    routes += [
        Route("/health", _health),
        Route("/version", partial(_version, source)),
        Route("/schema", partial(_schema, source, limits)),
        Route("/rows", partial(_rows, source, limits, asyncio.Semaphore(_DRAWS)), methods=["GET", "POST"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, limits=limits, token=token, hosts=hosts)],
        exception_handlers={Refused: _refusal, InputError: _mistake, 404: _unknown, 405: _unknown, 500: _failure},
    )


async def _file(name: str, kind: str, request: Request) -> Response:
    return Response(
        (_HERE / name).read_bytes(), media_type=kind, headers={**_HEADERS, "Content-Security-Policy": _POLICY}
    )


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


async def _version(source: Source, request: Request) -> Response:
    content = {"trisynth": trisynth.__version__, "generator": type(source.generator).__name__, "sha256": source.sha}
    return JSONResponse(content, headers=_HEADERS)


async def _schema(source: Source, limits: Limits, request: Request) -> Response:
    return JSONResponse({**source.schema(), "limits": vars(limits)}, headers=_HEADERS)


async def _rows(source: Source, limits: Limits, draws: asyncio.Semaphore, request: Request) -> Response:
    settings = await _settings(request)
    n, given = _number(settings), settings.get("given")
    rows = total(n)
    if rows > limits.max_rows:
        raise Refused(413, f"n: more than {limits.max_rows:,} rows, the limit of one request; send several requests")
    if not rows:
        raise Refused(422, "n=0: would be an answer without rows; give a larger number")
    if given is not None and not (isinstance(given, Mapping) and given):
        raise Refused(422, 'given: must be an object of columns and cells, such as {"age": 40}')
    form = settings.get("format", "json")
    if not isinstance(form, str) or form not in FORMATS:
        raise Refused(422, f"format={str(form)[:_SHOWN]!r}: must be one of {', '.join(FORMATS)}")
    seed = _whole("seed", settings["seed"]) if "seed" in settings else secrets.randbelow(2**31)
    write, kind = FORMATS[form]
    content = write(source.tables(n, seed, given))

    async def piece() -> bytes | None:
        async with draws if rows > _SHORT else nullcontext():
            return await run_in_threadpool(next, content, None)

    # The first batch is drawn before the answer begins, so that a mistake becomes a status.
    first = await piece()

    async def pieces() -> AsyncIterator[bytes]:
        if request.method == "HEAD":
            return
        yield first
        while (found := await piece()) is not None:
            yield found

    return StreamingResponse(pieces(), media_type=kind, headers={**_HEADERS, "X-Seed": str(seed)})


async def _settings(request: Request) -> dict[str, Any]:
    """Read the settings of a request from its query, or from a body of JSON."""
    found: dict[str, Any] = dict(request.query_params)
    if len(found) != len(request.query_params.multi_items()):
        raise Refused(422, "a setting is given twice; give each once")
    if body := await request.body():
        try:
            content = json.loads(body, object_pairs_hook=_once, parse_int=_integer)
        except (ValueError, RecursionError):
            remedy = 'send an object such as {"n": 100, "seed": 1}'
            raise Refused(422, f"the body is no JSON, or nested too deeply; {remedy}") from None
        if not isinstance(content, dict):
            raise Refused(422, 'the body must be an object such as {"n": 100, "seed": 1}')
        if both := [name for name in content if name in found]:
            raise Refused(422, f"{both[0]}: is given in the query and in the body; give it once")
        found |= content
    if unknown := [name for name in found if name not in _SETTINGS]:
        raise Refused(422, f"{unknown[0][:80]!r}: no such setting; the settings are {', '.join(_SETTINGS)}")
    if isinstance(found.get("given"), str):
        try:
            found["given"] = json.loads(found["given"], object_pairs_hook=_once, parse_int=_integer)
        except (ValueError, RecursionError):
            raise Refused(422, 'given: must be JSON such as {"age": 40}') from None
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, which Python would read with the last of equal names alone."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(422, "a name is given twice in the same object; give each once")
    return found


def _integer(text: str) -> int:
    """Return a whole number of JSON, if it has no more digits than a command line may have."""
    _require_short("the request", text)
    return int(text)


def _require_short(name: str, text: str) -> None:
    if len(text) > DIGITS:
        raise Refused(422, f"{name} contains a number of more than {DIGITS:,} digits; shorten it")


def _number(settings: Mapping[str, Any]) -> int | dict[str, int]:
    """Return the rows that are requested: a number, or one for each class."""
    n = settings.get("n", 100)
    if isinstance(n, Mapping):
        if "class" in settings:
            raise Refused(422, "class: cannot be combined with rows per class")
        return {str(label): _whole("n", count) for label, count in n.items()}
    n = _whole("n", n)
    return {str(settings["class"]): n} if "class" in settings else n


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not _WHOLE.fullmatch(str(value)):
        raise Refused(422, f"{name}={str(value)[:_SHOWN]!r}: must be a whole number, 0 or more")
    _require_short(name, str(value))
    return int(value)


async def _refusal(request: Request, error: Refused) -> Response:
    return JSONResponse({"error": error.reason}, error.status, headers=_HEADERS)


async def _mistake(request: Request, error: InputError) -> Response:
    return JSONResponse({"error": str(error)}, 422, headers=_HEADERS)


async def _failure(request: Request, error: Exception) -> Response:
    """Answer without details; Starlette raises the error again, and the server logs it."""
    return JSONResponse({"error": "the server failed to answer; its log has the cause"}, 500, headers=_HEADERS)


async def _unknown(request: Request, error: Any) -> Response:
    reason = {404: "no such page; see / for a form and /schema for the columns", 405: "no such method here; use GET"}
    return JSONResponse(
        {"error": reason[error.status_code]}, error.status_code, headers={**_HEADERS, **(error.headers or {})}
    )

"""``trisynth serve``: an HTTP server of synthetic rows."""

import ipaddress
import os
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trisynth import commandline, data, sampling
from trisynth.cache import sha256
from trisynth.config import target_name
from trisynth.data.stream import whole
from trisynth.errors import InputError, printable
from trisynth.generators.base import Generator
from trisynth.serve.limits import Limits
from trisynth.serve.source import Source

if TYPE_CHECKING:
    import uvicorn

OWN = ("host", "port", "max_rows", "max_body", "max_seconds", "max_requests")
TOKEN = "TRISYNTH_TOKEN"


def parse(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split a command line into this command's own arguments and overrides of the configuration."""
    own, rest = {}, []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name in OWN and equals:
            own[name] = value
        else:
            rest.append(argument)
    return own, rest


def opened(overrides: list[str]) -> Source:
    """Load the generator that ``generator=FILE.zip`` names, or fit one to a table.

    Raises
    ------
    InputError
        If there is no such file, or a private generator would be fitted.
    """
    files = [o.removeprefix("generator=") for o in overrides if o.startswith("generator=") and o.endswith(".zip")]
    if files:
        allow = [o for o in overrides if o.startswith("allow=")]
        others = [o for o in overrides if o not in (f"generator={files[0]}", *allow)]
        if others:
            raise InputError("argument", others[0], "cannot be combined with a saved generator; leave it out")
        packages = commandline.composed(allow)["allow"] if allow else ()
        generator = Generator.load(files[0], packages)
        return Source(generator, sha256(Path(files[0])))
    config = commandline.composed(overrides)
    commandline.require_budget_read(config, overrides)
    if "privacy" in config["generator"]:
        remedy = (
            "would spend a privacy budget at every start; fit once, save the generator, and serve generator=FILE.zip"
        )
        raise InputError("generator", target_name(config["generator"]), remedy)
    dataset = data.load(
        config["dataset"], config["paths"]["raw"], data.reader(config["dataset"], config.get("allow", ()))
    )
    generator, sha = sampling.stored(config, whole(config["dataset"], dataset))
    return Source(generator, sha, dataset.layout)


def listening(host: str, port: str) -> socket.socket:
    """Open the server's socket.

    Raises
    ------
    InputError
        If the address does not exist or is in use.
    """
    if not (port.isascii() and port.isdigit() and len(port) < 6) or int(port) > 65535:
        raise InputError("port", port, "must be a number from 0 to 65535; 0 takes a free one")
    made = None
    try:
        family, *_, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        # Clients that come while the generator is loaded wait.
        made.listen()
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", "no name of a machine")
        raise InputError("host", host, f"cannot be opened ({reason}); name another one") from None
    except OSError as error:
        if made is not None:
            made.close()
        raise InputError("port", f"{host}:{port}", f"cannot be opened ({error.strerror}); name another one") from None
    return made


def is_loopback(host: str) -> bool:
    """Return whether an address reaches this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def configured(app: Any) -> "uvicorn.Config":
    """Return the settings of the server under an application; it answers by one process."""
    import uvicorn

    from trisynth.serve.connection import BACKLOG, Connection

    return uvicorn.Config(
        app,
        http=Connection,
        backlog=BACKLOG,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=16_384,
    )


def main(arguments: list[str]) -> None:
    """Run the command line until it is interrupted."""
    import uvicorn

    from trisynth.serve.app import application

    own, overrides = parse(arguments)
    host = own.pop("host", "127.0.0.1")
    limits, token = Limits.parse(own), os.environ.get(TOKEN) or None
    local = is_loopback(host)
    if token is not None and not (token.isascii() and token.isprintable() and len(token) >= 16):
        raise InputError(TOKEN, "...", "must have at least 16 printable characters of ASCII")
    with listening(host, own.get("port", "8000")) as opening:
        source = opened(overrides)
        if token is None and not local:
            token = secrets.token_urlsafe(24)
            print(f"token: {token} (set {TOKEN} to choose one)")
        address = opening.getsockname()
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        for note in source.generator.notes:
            print(printable(note), file=sys.stderr)
        print(f"{type(source.generator).__name__} at http://{name}:{address[1]}/ (Ctrl-C ends it)", flush=True)
        hosts = (name, "127.0.0.1", "localhost", "[::1]") if local else ()
        config = configured(application(source, limits, token, hosts))
        # An interrupt is the usual end of a server, after the answers that it has begun.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[opening])


if __name__ == "__main__":
    commandline.enter("serve", sys.argv[1:])

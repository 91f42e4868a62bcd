"""One command of the server in ``warm.py``, seen from outside like a process of its own.

It imports little, since it is started for every command.
"""

import contextlib
import json
import os
import signal
import socket
import sys


def main(path: str, *line: str) -> None:
    """Have the server run a command with this process's folder, environment and files, and end as it ended."""
    if sys.platform == "linux" and os.environ.get("TRISYNTH_PARENT") == str(os.getppid()):
        # As `lifeline` does for the command itself, whose parent is the server.
        import ctypes

        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    # pathlib takes longer to import than all of this.
    content = json.dumps({"line": line, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()  # noqa: PTH109
    server.sendall(len(content).to_bytes(8, "big"))
    socket.send_fds(server, [content[:1]], [0, 1, 2])
    server.sendall(content[1:])
    number = int.from_bytes(server.recv(8, socket.MSG_WAITALL), "big")
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda received, _: _send(number, received))
    # The command alone holds the pipes: whoever reads them waits for its end.
    status = int.from_bytes(server.recv(8, socket.MSG_WAITALL), "big", signed=True)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _send(number: int, received: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, received)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Commands in processes that need not import anything: a server imports once, and forks for each command.

``python warm.py SOCKET`` is the server, ``python warm_client.py SOCKET trisynth.run ARGUMENTS`` one command, as well as
``python warm_client.py SOCKET -c SOURCE ARGUMENTS``. The command has a process of its own, with the folder, environment
and files of the client, and ends as with ``python -m`` or ``python -c``. With ``WARM_WORKERS`` in its environment, the
workers of a sweep are forked, too.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import shlex
import signal
import socket
import sys
import threading
import warnings
from multiprocessing import popen_fork
from pathlib import Path

# What commands import late; all modules of the package are imported, too.
LATE = (
    "alembic.command",
    "hydra._internal.core_plugins.basic_launcher",
    "hydra._internal.hydra",
    "joblib",
    "matplotlib.backends.backend_agg",
    "mlflow.data",
    "mlflow.data.code_dataset_source",
    "mlflow.data.pandas_dataset",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna.samplers",
    "pyarrow.csv",
    "pyarrow.parquet",
    "scipy.stats",
    "seaborn",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "sklearn.neighbors",
    "sklearn.pipeline",
    "torch",
    "torch._dynamo",
)


def preload() -> None:
    """Import the package and what its commands import late."""
    import trisynth

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [module.name for module in pkgutil.walk_packages(trisynth.__path__, "trisynth.")]
        for name in (*LATE, *(name for name in found if not name.endswith("__main__"))):
            # Extras may be missing, and a module may need what the command prepares.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        rehearse([name for name in found if not name.endswith("__main__")])


def rehearse(modules: list[str]) -> None:
    """Compute what each process otherwise computes once more: Hydra's plugins, and the source that is part of keys."""
    from trisynth import config
    from trisynth.commandline import composed

    composed([])
    for module in modules:
        config._source(module)


def listen(path: str) -> socket.socket:
    """Open the address, so that commands can wait there."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("listening", flush=True)
    return listener


def serve(listener: socket.socket) -> dict:
    """Fork for each command; return in the new process, with the command. Ends when standard input does."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ended, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    clients: dict[socket.socket, int] = {}
    while True:
        ready, _, _ = select.select([listener, ended, sys.stdin.fileno(), *clients], [], [])
        if sys.stdin.fileno() in ready:
            os._exit(0)
        if ended in ready:
            os.read(ended, 4096)
            _reap(clients)
        for client in [client for client in ready if client in clients]:
            # A client sends nothing more: it was killed, and its command is killed as well.
            number = clients.pop(client)
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            client.close()
        if listener in ready:
            client, _ = listener.accept()
            size = int.from_bytes(client.recv(8, socket.MSG_WAITALL), "big")
            content, files, _, _ = socket.recv_fds(client, 1, 3)
            content += client.recv(size - 1, socket.MSG_WAITALL) if size > 1 else b""
            number = os.fork()
            if not number:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for own in (listener, client, *clients):
                    own.close()
                os.close(ended)
                os.close(wake)
                return {**json.loads(content), "files": files}
            for file in files:
                os.close(file)
            with contextlib.suppress(OSError):
                client.sendall(number.to_bytes(8, "big"))
            clients[client] = number


def _reap(clients: dict[socket.socket, int]) -> None:
    """Tell each client whose command has ended how it ended."""
    for client, number in list(clients.items()):
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            # A client that was killed meanwhile reads nothing.
            with contextlib.suppress(OSError):
                client.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, "big", signed=True))
            client.close()
            del clients[client]


def interpreter(path: str) -> str:
    """Write a program that stands for the interpreter, so that commands of a command are forked as well."""
    client = shlex.join([sys.executable, "-IS", str(Path(__file__).with_name("warm_client.py")), path])
    lines = ["#!/bin/sh", 'case "$1 $2" in', f'"-m trisynth."*) shift; exec {client} "$@" ;;', "esac"]
    program = Path(f"{path}-python")
    program.write_text("\n".join([*lines, f'exec {shlex.quote(sys.executable)} "$@"', ""]))
    program.chmod(0o755)
    return str(program)


def become(command: dict) -> None:
    """Take over folder, environment and files of the client, and run its command to the end of the process."""
    os.setsid()
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    for number, file in enumerate(command["files"]):
        os.dup2(file, number)
        os.close(file)
    if os.environ.pop("WARM_WORKERS", ""):
        # joblib's workers are forked as well; the queues between them stay as they are.
        from joblib.externals.loky.backend.process import LokyProcess

        LokyProcess._Popen = staticmethod(popen_fork.Popen)
    first, *arguments = command["line"]
    # As Python itself sets the path: this folder, and those of PYTHONPATH.
    own = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder not in ("", *sys.path)]
    sys.path[:1] = [command["folder"], *own]
    if first == "-c":
        source, *arguments = arguments
        sys.argv = ["-c", *arguments]
        exec(source, {"__name__": "__main__"})
    else:
        # Nothing has imported the module that `python -m` runs.
        sys.modules.pop(first, None)
        sys.argv = [first, *arguments]
        runpy.run_module(first, run_name="__main__", alter_sys=True)


def leave(command: dict) -> None:
    """Run the command and end as Python does, but leave modules as they are: clearing them takes half a second."""
    status = 0
    try:
        become(command)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except Exception:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = 120
    os._exit(status & 0xFF)


if __name__ == "__main__":
    address = sys.argv[1]
    opened = listen(address)
    preload()
    gc.freeze()
    if threading.active_count() > 1:
        sys.exit(f"a forked process lacks the threads {threading.enumerate()}")
    sys.executable = interpreter(address)
    leave(serve(opened))

"""Load on ``trisynth serve``: answers at a fixed rate, streams, mistakes, and a client that takes nothing.

    python -m benchmarks.serving --seconds 30

Starts the server on the loopback interface and writes ``benchmarks/serving.csv``.
"""

import argparse
import csv
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np

from trisynth import data
from trisynth.commandline import composed
from trisynth.generators.base import fit

OUT = Path(__file__).with_suffix(".csv")
BAD = (
    ("GET", "/rows?n=-1"),
    ("GET", "/rows?n=99999999999"),
    ("GET", "/rows?class=absent"),
    ("GET", "/rows?given=" + quote('{"absent": 1}')),
    ("GET", "/rows?format=xml"),
    ("GET", "/../../etc/passwd"),
    ("DELETE", "/rows"),
    ("POST", "/rows"),
    ("GET", "/rows?" + "x=1&" * 500),
    ("RAW", "\x00\x01 nonsense\r\n\r\n"),
)


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, int]:
    """Status and bytes of an answer."""
    if method == "RAW":
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(path.encode())
            answer = client.recv(1000)
        return int(answer.split()[1]) if answer else 0, len(answer)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request(method, path, body)
        answer, size = connection.getresponse(), 0
        while piece := answer.read(1 << 20):
            size += len(piece)
        return answer.status, size
    finally:
        connection.close()


def paced(port: int, seconds: int, rate: int = 20) -> np.ndarray:
    """Milliseconds of requests of 100 rows that begin at fixed times, whether others have ended or not."""
    begun, took = time.perf_counter(), []

    def one(due: float) -> None:
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        status, _ = request(port, "GET", "/rows?n=100")
        took.append((status, (time.perf_counter() - start) * 1000))

    threads = [threading.Thread(target=one, args=(begun + i / rate,)) for i in range(seconds * rate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in took} == {200}, "a request was refused"
    return np.array([time_ for _, time_ in took])


def used(pid: int) -> float:
    """Processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Largest memory of a process so far, in megabytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rows", type=int, default=5_000_000)
    given = parser.parse_args()
    found = []

    def note(what: str, figure: str, value: float) -> None:
        found.append({"part": what, "figure": figure, "value": round(float(value), 2)})
        print(found[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        config = composed(["dataset=paper_cohort", "generator=circuit"])
        dataset = data.load(config["dataset"], config["paths"]["raw"], data.reader(config["dataset"], ()))
        fit(config["generator"], dataset, 0).save(Path(folder) / "model.zip")
        line = [
            sys.executable,
            "-m",
            "trisynth",
            "serve",
            f"generator={folder}/model.zip",
            "port=0",
            "max_seconds=600",
            "max_requests=1000",
        ]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int(re.search(r":(\d+)/", server.stdout.readline())[1])
                request(port, "GET", "/rows?n=100")
                for name, slow in (("20 requests a second", False), ("with a client that takes nothing", True)):
                    held = socket.create_connection(("127.0.0.1", port)) if slow else None
                    if held:
                        held.sendall(b"GET /rows?n=10000000&format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    before = used(server.pid)
                    took = paced(port, given.seconds)
                    note(name, "median ms", np.median(took))
                    note(name, "p95 ms", np.quantile(took, 0.95))
                    note(name, "CPU ms of a request", (used(server.pid) - before) * 1000 / len(took))
                    if held:
                        held.close()
                for form in ("arrow", "csv", "json"):
                    rows = given.rows // (10 if form == "json" else 1)
                    before, start = used(server.pid), time.perf_counter()
                    request(port, "GET", f"/rows?n={rows}&format={form}")
                    note(f"stream, {form}", "rows a second", rows / (time.perf_counter() - start))
                    note(f"stream, {form}", "rows a CPU second", rows / (used(server.pid) - before))
                statuses = [
                    request(port, *BAD[i % len(BAD)], b"{" if BAD[i % len(BAD)][0] == "POST" else None)[0]
                    for i in range(1000)
                ]
                note("1,000 bad requests", "answered by 4xx", sum(400 <= status < 500 for status in statuses))
                note("1,000 bad requests", "rows afterwards", request(port, "GET", "/rows?n=100")[0] == 200)
                note("server", "largest memory in MB", memory(server.pid))
            finally:
                server.terminate()
    with OUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, found[0])
        writer.writeheader()
        writer.writerows(found)
    print(json.dumps({"written": str(OUT)}))


if __name__ == "__main__":
    main()

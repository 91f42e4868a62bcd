"""Server of synthetic rows: what it answers, what it refuses, and whom it admits."""

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import uvicorn

from trisynth import Circuit
from trisynth.commandline import enter
from trisynth.data import tensors
from trisynth.data.dataset import Column
from trisynth.errors import InputError
from trisynth.generators.arrays.class_gaussian import ClassGaussian
from trisynth.generators.base import Generator
from trisynth.serve import __main__ as door
from trisynth.serve import connection
from trisynth.serve import limits as limiting
from trisynth.serve import source as sources
from trisynth.serve.app import application
from trisynth.serve.limits import Limits
from trisynth.serve.source import Source

TOKEN = "0123456789abcdef"
LIMITS = Limits(max_rows=5000, max_body=1000, max_seconds=30, max_requests=2)


@pytest.fixture(scope="module")
def generator() -> Generator:
    rng = np.random.default_rng(5)
    n = 150
    frame = pd.DataFrame(
        {
            "patient": np.arange(1, n + 1),
            "age": rng.integers(20, 90, n),
            "dose": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 3, n).round(2)),
            "sex": rng.choice(["female", "male"], n),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
        }
    ).assign(outcome=np.where(rng.random(n) < 0.3, "sick", "well"))
    facts = {"patient": Column("identifier"), "age": Column("number", bounds=(0, 120))}
    return Circuit(n_states=2, decision_regions=False).fit(
        frame, target="outcome", facts=facts, rare=0, relations=False
    )


@contextmanager
def running(source: Source, limits: Limits = LIMITS, token: str | None = None, hosts: tuple = ()) -> Iterator[int]:
    """Run a server in a thread; yields its port."""
    with door.listening("127.0.0.1", "0") as opening:
        server = uvicorn.Server(door.configured(application(source, limits, token, hosts)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opening]})
        thread.start()
        try:
            yield opening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port(generator) -> Iterator[int]:
    with running(Source(generator, "digest")) as found:
        yield found


def get(port: int, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_arrays_are_served_in_every_format_that_has_them():
    images = tensors.column(np.random.default_rng(0).normal(size=(40, 4)), "image")
    made = ClassGaussian().fit(images.to_frame().assign(y=["a", "b"] * 20), target="y")
    with running(Source(made, "")) as port:
        drawn = made.sample(3, 1)
        status, body, _ = get(port, "/rows?n=3&seed=1")
        assert status == 200
        assert np.allclose([row["image"] for row in json.loads(body)], tensors.values(drawn["image"]).tolist())
        assert json.loads(get(port, "/schema")[1])["columns"][0] == {"name": "image", "kind": "tensor", "shape": [4]}
        status, body, _ = get(port, "/rows?n=3&seed=1&format=arrow")
        assert status == 200 and pa.ipc.open_stream(body).read_all()["image"].to_pylist() == [
            *map(list, drawn["image"])
        ]
        status, body, _ = get(port, "/rows?n=3&format=csv")
        assert status == 422
        remedy = "format='csv': cannot hold column image, whose cells are arrays; take json or arrow"
        assert json.loads(body) == {"error": remedy}


@pytest.fixture
def rows(port) -> Callable[..., list[dict]]:
    def run(**query: object) -> list[dict]:
        status, body, _ = get(port, f"/rows?{urlencode(query)}")
        assert status == 200, body
        return json.loads(body)

    return run


def error(answer: tuple) -> str:
    """The one line of a refusal."""
    text = json.loads(answer[1])["error"]
    assert "\n" not in text and "Traceback" not in text
    return text


def test_rows_are_those_of_the_generator(rows, generator):
    found, expected = rows(n=7, seed=3), generator.sample(7, 3)
    assert [list(row) for row in found] == [list(expected)] * 7
    assert [row["age"] for row in found] == expected["age"].tolist()
    assert [row["dose"] for row in found] == [None if np.isnan(dose) else dose for dose in expected["dose"]]
    assert [row["seen"] for row in found] == [cell.isoformat() for cell in expected["seen"]]


def test_formats_hold_the_same_rows(port, generator):
    tables = {}
    for form in ("json", "csv", "arrow"):
        status, body, headers = get(port, f"/rows?n=40&seed=2&format={form}")
        assert status == 200 and headers["X-Seed"] == "2"
        tables[form] = (
            pd.DataFrame(json.loads(body))
            if form == "json"
            else pd.read_csv(io.BytesIO(body))
            if form == "csv"
            else pa.ipc.open_stream(body).read_pandas()
        )
    for name in ("age", "dose", "sex", "outcome"):
        cells = {form: table[name].tolist() for form, table in tables.items()}
        np.testing.assert_array_equal(cells["json"], cells["arrow"])
        np.testing.assert_array_equal(cells["csv"], cells["arrow"])


def test_without_a_seed_rows_differ_and_can_be_repeated(port):
    first, second = (get(port, "/rows?n=30") for _ in range(2))
    assert first[1] != second[1]
    assert get(port, f"/rows?n=30&seed={first[2]['X-Seed']}")[1] == first[1]


def test_classes_and_conditions(port, rows):
    assert {row["outcome"] for row in rows(n=9, **{"class": "sick"})} == {"sick"}
    asked = json.dumps({"n": {"sick": 2, "well": 5}}).encode()
    found = json.loads(get(port, "/rows", asked)[1])
    assert sorted(row["outcome"] for row in found) == ["sick"] * 2 + ["well"] * 5
    found = rows(n=6, given=json.dumps({"age": 44, "sex": "male", "outcome": "well"}))
    assert {(row["age"], row["sex"], row["outcome"]) for row in found} == {(44, "male", "well")}


def test_a_long_answer_comes_in_batches_with_unique_identifiers(port, monkeypatch):
    monkeypatch.setattr(sources, "BATCH", 100)
    status, body, _ = get(port, "/rows?n=450&seed=1&format=arrow")
    frame = pa.ipc.open_stream(body).read_pandas()
    assert status == 200 and len(frame) == 450 and frame["patient"].is_unique
    assert frame["patient"].min() > 150
    assert not frame["age"][:100].equals(frame["age"][100:200].reset_index(drop=True))


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("n=5001", 413, "more than 5,000 rows"),
        ("n=10000000000", 413, "more than 5,000 rows"),
        ("n=0", 422, "n=0: would be an answer without rows; give a larger number"),
        ("n=-1", 422, "whole number"),
        ("n=many", 422, "whole number"),
        ("n=1e9", 422, "whole number"),
        (f"n={'9' * 400}", 413, "more than 5,000 rows"),
        (f"n={'9' * 1001}", 422, "n contains a number of more than 1,000 digits; shorten it"),
        (f"seed={'9' * 5000}", 422, "seed contains a number of more than 1,000 digits; shorten it"),
        ('given={"age":' + "9" * 5000 + "}", 422, "contains a number of more than 1,000 digits; shorten it"),
        (f"format={'x' * 5000}", 422, f"format='{'x' * 40}': must be one of"),
        ("n=%D9%A3", 422, "whole number"),
        ("seed=x", 422, "whole number"),
        ("n=1&n=2", 422, "given twice"),
        ("class=dead", 422, "the classes are sick, well"),
        ("format=xml", 422, "must be one of json, csv, arrow"),
        ("rows=5", 422, "no such setting"),
        ("given=5", 422, "must be an object"),
        ("given={", 422, "must be JSON"),
        ("given={}", 422, "must be an object"),
        ('given={"agge":5}', 422, "no such column"),
        ('given={"patient":5}', 422, "no such column"),
        ('given={"sex":"x"}', 422, "known: female, male"),
        ('given={"age":"old"}', 422, "must be a whole number"),
        ('given={"age":[1]}', 422, "must be a whole number"),
        ('given={"age":44.5}', 422, "must be a whole number"),
        ('given={"age":1e300}', 422, "does not fit into int64"),
        ('given={"age":121}', 422, "within its bounds 0 to 120"),
        ('given={"age":true}', 422, "must be a whole number"),
        ('given={"dose":Infinity}', 422, "must be a number"),
        ('given={"dose":null}', 422, "must be a number"),
        ('given={"seen":5}', 422, "must be a date"),
        ('given={"age":5}&class=sick', 422, "cannot be combined with classes"),
    ],
)
def test_a_wrong_request_is_one_line(port, query, status, message):
    answer = get(port, "/rows?" + query.replace('"', "%22").replace("{", "%7B").replace("}", "%7D"))
    assert answer[0] == status and message in error(answer)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"x" * 2000, 413, "more than 1,000 bytes"),
        (b"{", 422, "no JSON"),
        (b"[1]", 422, "must be an object"),
        (b"[" * 900, 422, "no JSON"),
        (b'{"n": true}', 422, "whole number"),
        (b'{"given": {"age": %s}}' % (b"9" * 900), 422, "does not fit into int64"),
        (b'{"n": 1, "n": 5}', 422, "given twice"),
        (b'{"n": 1, "given": {"age": 40, "age": 50}}', 422, "given twice"),
        (b'{"format": {}}', 422, "must be one of"),
        (b'{"format": ["csv"]}', 422, "must be one of"),
        (b'{"n": {"sick": 1}, "class": "sick"}', 422, "cannot be combined"),
        (b'{"n": {"sick": 9999}}', 413, "more than 5,000 rows"),
    ],
)
def test_a_wrong_body_is_one_line(port, body, status, message):
    answer = get(port, "/rows", body)
    assert answer[0] == status and message in error(answer)


def test_a_seed_may_be_as_large_as_on_a_command_line(rows, generator):
    seed = 10**1000 - 1
    assert [row["age"] for row in rows(n=3, seed=seed)] == generator.sample(3, seed)["age"].tolist()


def test_a_setting_of_query_and_body_is_refused(port):
    answer = get(port, "/rows?n=2", b'{"n": 3}')
    assert answer[0] == 422 and "in the query and in the body" in error(answer)


def test_the_server_describes_itself(port):
    assert json.loads(get(port, "/health")[1]) == {"status": "ok"}
    assert json.loads(get(port, "/version")[1])["sha256"] == "digest"
    known = json.loads(get(port, "/schema")[1])
    assert known["classes"] == ["sick", "well"] and known["limits"]["max_rows"] == 5000
    kinds = {column["name"]: column["kind"] for column in known["columns"]}
    assert kinds == {
        "patient": "identifier",
        "age": "number",
        "dose": "number",
        "sex": "category",
        "seen": "date",
        "outcome": "category",
    }
    assert error(get(port, "/elsewhere")) and get(port, "/elsewhere")[0] == 404
    assert get(port, "/health", b"x")[0] == 405


def test_the_page_loads_nothing_from_elsewhere(port):
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")):
        status, body, headers = get(port, path)
        assert status == 200 and headers["Content-Type"].startswith(kind)
        assert b"http:" not in body and b"https:" not in body
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_token_is_needed_where_there_is_one(generator):
    with running(Source(generator, "digest"), token=TOKEN) as port:
        for path in ("/rows", "/schema"):
            assert get(port, path)[0] == 401
            assert get(port, path, Authorization=f"Bearer {TOKEN}x")[0] == 401
            for scheme in ("Bearer", "bearer"):
                assert get(port, path, Authorization=f"{scheme} {TOKEN}")[0] == 200
        assert get(port, "/health")[0] == 200 and get(port, "/")[0] == 200


def test_a_name_that_was_rebound_to_this_machine_is_refused(generator):
    with running(Source(generator, "digest"), hosts=("localhost", "127.0.0.1")) as port:
        answer = get(port, "/health", Host="evil.example")
        assert answer[0] == 400 and "address it as" in error(answer)
        assert get(port, "/health", Host=f"localhost:{port}")[0] == 200


def slow(port: int) -> socket.socket:
    """Client of a long answer that takes its beginning only."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /rows?n=3000000&format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client.recv(100)
    return client


def full(port: int) -> bool:
    """Return whether a request finds no place; on a slow machine one that has a place may be cut as well."""
    try:
        return get(port, "/rows?n=1")[0] == 429
    except (http.client.HTTPException, ConnectionError):
        return False


def rest(client: socket.socket) -> bytes:
    """Read what is left of an answer, and close the connection."""
    found = b""
    with suppress(ConnectionError), client:
        while piece := client.recv(65_536):
            found = (found + piece)[-65_536:]
    return found


def test_more_requests_than_allowed_are_refused(generator):
    with running(Source(generator, "digest"), Limits(max_seconds=1e6, max_requests=2)) as port:
        held = [slow(port), slow(port)]
        refused = get(port, "/rows?n=1")
        assert refused[0] == 429 and "which is the limit" in error(refused) and refused[2]["Retry-After"] == "1"
        assert get(port, "/health")[0] == 200
        for client in held:
            client.close()


def test_a_slow_client_is_cut(generator):
    with running(Source(generator, "digest"), Limits(max_seconds=1, max_requests=1)) as port:
        client = slow(port)
        while full(port):
            time.sleep(0.2)
        assert get(port, "/health")[0] == 200
        assert not rest(client).endswith(b"0\r\n\r\n")  # the end of a whole stream


def test_a_server_that_is_stopped_ends_its_answers_without_a_traceback(generator, monkeypatch, capfd):
    drawn, arrived, held, answers = Source.tables, threading.Semaphore(0), threading.Event(), []

    def tables(self, n, *arguments):
        if n == 2:
            yield next(drawn(self, n, *arguments))
        arrived.release()
        held.wait()

    def read():
        answers.extend(map(rest, clients))
        held.set()

    monkeypatch.setattr(Source, "tables", tables)
    with running(Source(generator, "digest"), Limits(max_seconds=1e6)) as port:
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for n, client in enumerate(clients, 1):
            client.sendall(b"GET /rows?n=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n)
            arrived.acquire()
        threading.Thread(target=read).start()
    waiting, begun = answers
    assert b" 503 " in waiting and waiting.endswith(b'the server is being stopped; try again later"}\n')
    assert not begun.endswith(b"0\r\n\r\n")
    assert "Traceback" not in capfd.readouterr().err


def test_a_head_is_answered_without_drawing_all_rows(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("HEAD", "/rows?n=5000&seed=3")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["X-Seed"], answer.read()) == (200, "3", b"")
    connection.close()


def test_a_client_that_leaves_frees_its_place(generator):
    with running(Source(generator, "digest"), Limits(max_requests=1)) as port:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /rows?n=5000000&format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.recv(100)
        client.close()
        while (status := get(port, "/rows?n=1")[0]) == 429:
            time.sleep(0.2)
        assert status == 200


def test_a_client_that_leaves_frees_its_place_before_its_batch_is_drawn(generator, monkeypatch):
    source, drawn = Source(generator, "digest"), threading.Event()

    def tables(self: Source, n: int, seed: int, given: None) -> Iterator[pa.Table]:
        if n > 1:
            drawn.wait()
        yield pa.table({"n": [n]})

    monkeypatch.setattr(Source, "tables", tables)
    with running(source, Limits(max_requests=1)) as port:
        client = begun(port, b"GET /rows?n=20000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while get(port, "/rows?n=1")[0] == 200:
            time.sleep(0.01)
        client.close()
        found = [get(port, "/rows?n=1")[0] for _ in range(200)]
        drawn.set()
        assert found[-1] == 200


def begun(port: int, content: bytes) -> socket.socket:
    """Client that has sent the beginning of a request."""
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(content)
    return client


HALF = b"GET /rows HTTP/1.1\r\nHost: localh"
HALF_BODY = b"POST /rows HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"


def test_idle_connections_keep_nobody_out(generator, monkeypatch):
    monkeypatch.setattr(connection, "MOST", 5)
    with running(Source(generator, "digest")) as port:
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        held = []
        for i in range(20):
            held += [begun(port, HALF), begun(port, b"")]
            if i % 5 == 0:
                kept.request("GET", "/health")
                assert kept.getresponse().read() and get(port, "/health")[0] == 200
        assert rest(held[0]) == rest(held[1]) == b""
        for client in held:
            client.close()
        kept.close()


def test_a_new_client_takes_the_place_of_one_that_was_answered(generator, monkeypatch):
    monkeypatch.setattr(connection, "MOST", 5)
    with running(Source(generator, "digest")) as port:
        held = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(5)]
        for client in held:
            client.request("GET", "/health")
            assert client.getresponse().read()
        assert [get(port, "/health")[0] for _ in range(3)] == [200] * 3
        for client in held:
            client.close()


def test_requests_that_come_together_wait_for_a_place(generator, monkeypatch):
    # On a busy machine the answers before may take longer than a request waits.
    monkeypatch.setattr(limiting, "_PAUSE", 60)
    with running(Source(generator, "digest"), Limits(max_requests=1)) as port, ThreadPoolExecutor(8) as clients:
        assert set(clients.map(lambda _: get(port, "/rows?n=1")[0], range(8))) == {200}


def test_a_body_that_does_not_arrive_takes_no_place(generator):
    with running(Source(generator, "digest"), Limits(max_requests=1)) as port:
        client = begun(port, HALF_BODY)
        assert get(port, "/rows?n=1")[0] == 200
        client.close()


@pytest.mark.parametrize("content", [b"", HALF, HALF_BODY])
def test_a_request_that_does_not_arrive_is_refused(generator, monkeypatch, content):
    monkeypatch.setattr(connection, "PATIENCE", 0.1)
    with running(Source(generator, "digest")) as port:
        answer = rest(begun(port, content))
    assert answer.startswith(b"HTTP/1.1 408") and b"no whole request" in answer


def test_a_body_that_announces_its_length_is_refused_before_it_comes(port):
    with begun(port, HALF_BODY.replace(b"50", b"9" * 12)) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 413")


def test_what_is_no_http_is_refused(port):
    answer = rest(begun(port, b"\0 nonsense\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 400") and b"no request of HTTP" in answer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generator=absent.zip"], "absent.zip"),
        (["generator=absent.zip", "dataset=pima"], "cannot be combined with a saved generator"),
        (["dataset=framingham", "generator=mst"], "would spend a privacy budget"),
        (["generator=absent.zip", "port=x"], "must be a number from 0 to 65535"),
        (["generator=absent.zip", "port=٣"], "must be a number from 0 to 65535"),
        (["generator=absent.zip", "max_rows=٣"], "must be a number"),
        (["generator=absent.zip", "max_rows=0"], "from 1 to"),
        (["generator=absent.zip", "max_rows=many"], "must be a number"),
        (["generator=absent.zip", "host=256.1.1.1"], "host='256.1.1.1': cannot be opened"),
        (["generator=absent.zip", f"host={'x' * 64}"], "cannot be opened"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    port = [] if any(a.startswith("port=") for a in arguments) else ["port=0"]
    with pytest.raises(SystemExit) as exit_:
        enter("serve", [*arguments, *port])
    err = capsys.readouterr().err
    assert exit_.value.code == 2 and err.count("\n") == 1 and message in err


def test_a_port_in_use_is_one_line():
    with door.listening("127.0.0.1", "0") as taken, pytest.raises(InputError, match="cannot be opened"):
        door.listening("127.0.0.1", str(taken.getsockname()[1]))


def test_a_table_of_ones_own_is_served_in_its_layout(tables, overrides, tmp_path):
    source = door.opened([*overrides(tmp_path, "classes")])
    (table,) = source.tables({"sick": 4, "well": 2}, seed=0)
    assert table.column_names == ["age", "dose", "sex", "stage", "outcome"]
    assert sorted(table["outcome"].to_pylist()) == ["sick"] * 4 + ["well"] * 2


def test_only_this_machine_is_loopback():
    assert door.is_loopback("127.0.0.1") and door.is_loopback("::1") and door.is_loopback("localhost")
    assert not door.is_loopback("0.0.0.0") and not door.is_loopback("example.org")

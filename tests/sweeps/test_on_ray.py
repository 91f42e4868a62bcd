"""Tasks of Ray: results keep their places, lost ones do not stop the others, and a failing start is one line."""

import socket
import sys
from types import ModuleType, SimpleNamespace

import pytest
from hydra.core.utils import JobReturn

from trisynth.errors import InputError
from trisynth.sweeps import on_ray


class Lost(Exception):
    """Stands for the error of a worker that died."""


class RayError(Exception):
    """Stands for all errors of Ray."""


class TaskError(RayError):
    def __init__(self, cause):
        super().__init__(cause)
        self.cause = cause


@pytest.fixture
def ray(monkeypatch) -> SimpleNamespace:
    """Stand-in for Ray that runs tasks at once, yields the last one first, and fails to start ``failures`` times."""
    fake, calls = ModuleType("ray"), SimpleNamespace(init=[], ended=0, failures=0, options={})

    def init(**options):
        calls.init.append(options)
        if len(calls.init) <= calls.failures:
            raise Exception("Timed out waiting for file metrics_agent_port\nmore")

    def end():
        calls.ended += 1

    def remote(**options):
        calls.options = options

        def submitter(function):
            def submit(*arguments):
                try:
                    return ("value", function(*arguments))
                except Exception as error:
                    own = isinstance(error, Lost | RayError)
                    return ("error", error if own else TaskError(error))

            return SimpleNamespace(remote=lambda *a: Reference(submit(*a)))

        return submitter

    def get(reference):
        kind, value = reference.value
        if kind == "error":
            raise value
        return value

    class Reference:
        def __init__(self, value):
            self.value = value

    fake.init, fake.shutdown, fake.put, fake.remote, fake.get = init, end, lambda content: content, remote, get
    fake.wait = lambda waiting: (waiting[-1:], waiting[:-1])
    errors = ModuleType("ray.exceptions")
    errors.WorkerCrashedError = errors.NodeDiedError = errors.OutOfMemoryError = Lost
    errors.RayTaskError, errors.RayError = TaskError, RayError
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setitem(sys.modules, "ray.exceptions", errors)
    for name in on_ray._SETTINGS:
        monkeypatch.delenv(name, raising=False)
    return calls


def squared(content, number):
    if number == 2:
        raise Lost
    return content + number**2


def test_results_come_with_their_places_and_lost_ones_are_left_out(ray):
    found = list(on_ray.mapped(squared, 100, [(1,), (2,), (3,)], cpus=2, retries=5))
    assert found == [(2, 109), (0, 101)]
    assert ray.options == {"num_cpus": 2, "max_retries": 5}


def test_a_mistake_in_a_task_is_raised_as_it_is(ray):
    def wrong(content):
        raise InputError("seed", -1, "must be 0 or more")

    with pytest.raises(InputError, match=r"^seed=-1: must be 0 or more$"):
        list(on_ray.mapped(wrong, None, [()]))


def test_a_lost_cluster_is_one_line(ray):
    def lost(content):
        raise RayError("The task's local raylet died.\nCheck raylet.out")

    message = r"^launcher='ray': the cluster was lost \(The task's local raylet died\); .* run the same command again$"
    with pytest.raises(InputError, match=message):
        list(on_ray.mapped(lost, None, [()]))


def test_jobs_keep_their_order_and_a_lost_one_has_no_value(ray, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run_shared(content, digest, number, overrides):
        if number == 8:
            raise Lost
        return JobReturn(overrides=overrides, _return_value=number)

    monkeypatch.setattr(on_ray.worker, "run_shared", run_shared)
    done = on_ray.run(b"content", [(7, ["a=1"]), (8, ["a=2"]), (9, ["a=3"])])
    assert [job.overrides for job in done] == [["a=1"], ["a=2"], ["a=3"]]
    assert done[0]._return_value == 7 and done[1]._return_value is None and done[2]._return_value == 9


def test_a_cluster_here_is_closed_and_ends(ray):
    with on_ray.cluster(None, 2):
        pass
    (options,) = ray.init
    assert options["address"] == "local" and options["num_cpus"] == 2 and options["_node_ip_address"] == "127.0.0.1"
    assert ray.ended == 1


def test_an_address_is_passed_on(ray):
    with pytest.raises(KeyboardInterrupt), on_ray.cluster("auto", 2):
        raise KeyboardInterrupt
    assert ray.init[0]["address"] == "auto" and "num_cpus" not in ray.init[0] and ray.ended == 1


def test_a_start_that_fails_once_is_tried_again(ray, capsys):
    ray.failures = 1
    with on_ray.cluster(None, 1):
        pass
    assert len(ray.init) == 2 and "trying once more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "given", "verb"),
    [(None, "hydra/launcher='ray'", "started"), ("auto", "hydra.launcher.address='auto'", "reached")],
)
def test_a_start_that_fails_twice_is_one_line(ray, address, given, verb):
    ray.failures = 2
    message = f"^{given}: cannot be {verb} .Timed out waiting for file metrics_agent_port.; [^\n]*$"
    with pytest.raises(InputError, match=message), on_ray.cluster(address, 1):
        pass


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_at_which_nothing_listens_is_one_line(ray, scheme):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{free.getsockname()[1]}"
        message = r"^hydra.launcher.address=.*: cannot be reached \(.*\); check the address"
        with pytest.raises(InputError, match=message), on_ray.cluster(address, 1):
            pass
    assert not ray.init


def test_a_cluster_that_listens_is_connected_to(ray):
    with socket.create_server(("127.0.0.1", 0)) as there:
        address = f"ray://127.0.0.1:{there.getsockname()[1]}"
        with on_ray.cluster(address, 1):
            assert ray.init[0]["address"] == address


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'trisynth\[ray\]'"), on_ray.cluster(None, 1):
        pass

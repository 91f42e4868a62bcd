"""Fresh identifiers: of the form of the real ones, unique, and none of them real."""

import random
import re
import uuid
from itertools import islice

import numpy as np
import pytest

from trisynth.data.disclosure.identifiers import Running, form_of
from trisynth.data.disclosure.seen import Seen

_R = random.Random(0)
IDS = {
    "running": ([str(i) for i in range(10_001, 10_400)], r"\d{5}"),
    "padded": ([f"P{i:05d}" for i in range(300)], r"P\d{5}"),
    "every tenth": ([f"K-{i}" for i in range(10, 4000, 10)], r"K-\d+"),
    "uuid": (
        [str(uuid.UUID(int=_R.getrandbits(128), version=4)) for _ in range(400)],
        r"[0-9a-f-]{36}",
    ),
    "telephone": ([f"4915{_R.randrange(10**9):09d}" for _ in range(400)], r"4915\d{9}"),
    "two lengths": ([f"AB{_R.randrange(10 ** (4 + i % 2)):0{4 + i % 2}d}" for i in range(400)], r"AB\d{4,5}"),
    "mail": ([f"{''.join(_R.choices('abcdefgh', k=9))}@web.de" for _ in range(50)], r"[a-z]+@example\.org"),
    "address": ([f"192.168.{i % 250}.{i % 7}" for i in range(250)], r"10(\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}"),
    "few": (["x7q", "b2k"], r"[a-z]\d[a-z]"),
    "all taken": ([f"{i}{j}" for i in "abc" for j in "0123456789"], r"[a-z][0-9]+"),
}


def fresh(texts, n, seed=1):
    form = form_of(texts, Seen.learn(texts, np.random.default_rng(0)))
    return list(islice(form.stream(np.random.default_rng(seed)), n))


@pytest.mark.parametrize(("texts", "pattern"), IDS.values(), ids=IDS)
def test_fresh_identifiers_have_the_form_are_unique_and_none_is_real(texts, pattern):
    made = fresh(texts, 3000)
    assert len(set(made)) == 3000 and not set(made) & set(texts)
    assert all(re.fullmatch(pattern, text) for text in made[:50])


def test_equal_seeds_make_equal_identifiers_and_other_seeds_others():
    texts, _ = IDS["uuid"]
    assert fresh(texts, 50) == fresh(texts, 200)[:50] != fresh(texts, 50, seed=2)


def test_running_numbers_continue_beyond_the_last():
    assert fresh(IDS["padded"][0], 2) == ["P00300", "P00301"]
    assert fresh(IDS["every tenth"][0], 2) == ["K-4000", "K-4010"]
    assert not isinstance(form_of(IDS["telephone"][0], None), Running)


def test_the_memory_of_real_values_misses_none_and_marks_many_others():
    real = [f"n{i}" for i in range(1000)]
    seen = Seen.learn(real, np.random.default_rng(0))
    assert seen.has(real).all()
    others = seen.has([f"m{i}" for i in range(20_000)]).mean()
    assert 1 / 40 < others < 1 / 12


def test_numbers_of_many_digits_are_no_running_numbers():
    texts = ["9" * 5000 + str(i) for i in range(10, 60)]
    assert not isinstance(form_of(texts, Seen.learn(texts, np.random.default_rng(0))), Running)

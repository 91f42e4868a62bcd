"""Configs: an allow-list that aliases cannot pass, digests that move with code and not with words."""

import math
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trisynth import config
from trisynth.config import canonical, code_digest, digest, instantiate, locate, target_name, targets
from trisynth.errors import InputError


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.run",
        "trisynthevil.run",
        "sklearn.utils.os.system",
        "sklearn.utils._testing.os.system",
        "trisynth.cache.os.system",
        "trisynth.cache.shutil.rmtree",
        "trisynth.config.importlib.import_module",
        "trisynth.config.math.inf",
        "trisynth.config.LIBRARIES",
        "sklearn",
        "",
        "trisynth",
        None,
    ],
)
def test_what_is_not_on_the_allow_list_is_refused(target):
    with pytest.raises(InputError, match="_target_="):
        locate(target)


@pytest.mark.parametrize("alias", ["trisynth.cache.mkdtemp", "trisynth.cache.system"])
def test_an_alias_is_judged_by_where_the_object_comes_from(alias, monkeypatch):
    import os
    import tempfile

    monkeypatch.setattr("trisynth.cache.mkdtemp", tempfile.mkdtemp, raising=False)
    monkeypatch.setattr("trisynth.cache.system", os.system, raising=False)
    with pytest.raises(InputError, match="must be a class or function of"):
        locate(alias)


def test_foreign_modules_are_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError):
        locate("evil.run")


PARTS = """\
from trisynth.places import part


@part
class Part:
    pass


def help_out():
    raise AssertionError("it was called")
"""


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """Two packages outside this one, on Python's path."""
    for name in ("mygen", "yourgen"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("from os import system\nfrom .parts import help_out, Part\n")
        (folder / "parts.py").write_text(PARTS)
    (tmp_path / "single.py").write_text("import mygen.parts\n\nclass Thing:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    config._source.cache_clear()
    yield tmp_path
    config._source.cache_clear()
    for name in ("mygen", "mygen.parts", "yourgen", "yourgen.parts", "single"):
        sys.modules.pop(name, None)


def test_an_allowed_package_is_admitted_and_no_other(outside):
    made = instantiate({"a": [{"_target_": "mygen.parts.Part"}]}, allow=["mygen"])
    assert type(made["a"][0]) is locate("mygen.Part", allow=["mygen"])
    with pytest.raises(InputError, match="must be a class for use in a configuration"):
        instantiate({"_target_": "mygen.help_out"}, allow=["mygen"])
    with pytest.raises(InputError, match=r"to admit an installed package, add allow=\[yourgen\]"):
        locate("yourgen.help_out", allow=["mygen"])
    assert "yourgen" not in sys.modules


def test_an_alias_in_an_allowed_package_is_judged_by_where_the_object_comes_from(outside):
    with pytest.raises(InputError, match=r"must be a class or function of trisynth, sklearn, imblearn, mygen$"):
        locate("mygen.system", allow=["mygen"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("os", "standard library"),
        ("my-gen", "name by which Python imports"),
        ("mygen2", "no package of this name is installed"),
        (3, "name by which Python imports"),
    ],
)
def test_what_cannot_be_allowed_is_refused_in_one_line(name, message):
    with pytest.raises(InputError, match=rf"^allow={name!r}: .*{message}"):
        locate("trisynth.seeds.integer", allow=[name])


def test_the_source_of_a_local_package_counts_in_keys(outside):
    (module,) = targets({"_target_": "mygen.help_out"})
    before, single = code_digest(module), code_digest("single")
    (outside / "mygen" / "parts.py").write_text("def help_out():\n    return 2\n")
    config._source.cache_clear()
    assert code_digest(module) != before
    assert code_digest("single") != single


def test_the_version_of_an_installed_package_counts_in_keys(outside, monkeypatch):
    before = code_digest("mygen")
    for release in ("mygen 1.0", "mygen 1.1"):
        monkeypatch.setattr(config, "_release", {"mygen": release}.get)
        assert code_digest("mygen") != before
        before = code_digest("mygen")
    assert targets({"_target_": "mygen.help_out"}) == ["mygen"]


def test_a_release_is_that_of_an_installed_package():
    assert config._release("joblib").startswith("joblib ")
    assert config._release("trisynth") is None


def test_a_local_package_needs_no_list_of_all_installed_ones(outside, monkeypatch):
    monkeypatch.setattr(config, "_distributions", None)
    config._release.cache_clear()
    assert config._release("mygen") is None


def test_a_misspelt_class_is_named():
    with pytest.raises(InputError, match=r"LogisticRegresion.*no such class"):
        locate("sklearn.linear_model.LogisticRegresion")
    with pytest.raises(InputError, match="no such class"):
        locate("trisynth.generators.nowhere.Copula")


def test_instantiate_makes_nested_objects():
    made = instantiate(
        {
            "_target_": "sklearn.pipeline.Pipeline",
            "steps": [["scale", {"_target_": "sklearn.preprocessing.StandardScaler", "with_mean": False}]],
        }
    )
    assert made.steps[0][1].with_mean is False


def test_an_unknown_argument_is_named_with_the_known_ones():
    with pytest.raises(
        InputError, match=r"k_neighbours=3: SMOTE has no such argument; its arguments are .*k_neighbors"
    ):
        instantiate({"_target_": "trisynth.generators.smote.SMOTE", "k_neighbours": 3})


def test_a_former_argument_is_named_with_its_present_name(monkeypatch):
    from trisynth.generators.smote import SMOTE

    monkeypatch.setattr(SMOTE, "renamed", {"neighbours": "k_neighbors"}, raising=False)
    with pytest.raises(InputError, match=r"^generator.neighbours=3: is now called generator.k_neighbors$"):
        instantiate({"_target_": "trisynth.generators.smote.SMOTE", "neighbours": 3}, "generator")


def test_an_argument_that_scikit_learn_refuses_is_a_users_mistake():
    with pytest.raises(InputError, match=r"^C=-1: .*must be a float"):
        instantiate({"_target_": "sklearn.linear_model.LogisticRegression", "C": -1})


def test_extra_arguments_win():
    made = instantiate({"_target_": "sklearn.linear_model.LogisticRegression", "C": 1.0}, C=2.0)
    assert made.C == 2.0


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=5), plain, max_size=4))
def test_canonical_text_ignores_the_order_of_keys(value):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_canonical_text_of_odd_values():
    assert canonical({"b": (1, 2), "a": math.nan, 3: "é"}) == '{"3":"é","a":"nan","b":[1,2]}'
    assert canonical({"a": math.inf}) != canonical({"a": -math.inf})


@pytest.mark.parametrize(("left", "right"), [(1, 1.0), (1, "1"), (None, "None"), ([], {}), (0, False), ([1], [[1]])])
def test_digests_tell_values_apart(left, right):
    assert digest(left) != digest(right)
    assert len(digest(left)) == 16


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in the place of this one; returns a function that rewrites a module."""
    monkeypatch.setattr(config, "ROOT", tmp_path)

    def write(name: str, source: str) -> None:
        (tmp_path / f"{name}.py").write_text(source)
        config._source.cache_clear()

    write("__init__", "")
    write("first", '"""Words."""\nfrom trisynth import second\n\ndef f():\n    return second.g()  # why\n')
    write("second", "def g():\n    return 1\n")
    write("apart", "def h():\n    return 1\n")
    yield write
    config._source.cache_clear()


def test_words_make_no_result_stale(package):
    before = code_digest("trisynth.first")
    package("first", '"""Other."""\nfrom trisynth import second\n\n\ndef f():\n    """New."""\n    return second.g()\n')
    assert code_digest("trisynth.first") == before


@pytest.mark.parametrize(
    ("module", "source", "moved"),
    [
        ("first", "from trisynth import second\n\ndef f():\n    return second.g() + 1\n", True),
        ("second", "def g():\n    return 2\n", True),
        ("apart", "def h():\n    return 2\n", False),
    ],
)
def test_code_and_what_it_imports_count_and_nothing_else(package, module, source, moved):
    before = code_digest("trisynth.first")
    package(module, source)
    assert (code_digest("trisynth.first") != before) == moved


@pytest.mark.parametrize(
    "start",
    [
        "if True:\n    pass\nelse:",
        "try:\n    pass\nexcept ImportError:",
        "try:\n    pass\nfinally:",
        "for _ in ():\n    pass\nelse:",
        "with open('x'):",
        "match 1:\n  case 1:",
        "class A:\n  async def f(self):",
    ],
)
def test_imports_count_and_docstrings_do_not_at_any_depth(package, start):
    def text(words, line):
        return f'{start}\n    def g():\n        """{words}"""\n        {line}\n'

    found = []
    for words, line in (("One.", "import trisynth.second"), ("Two.", "import trisynth.second"), ("One.", "pass")):
        package("first", text(words, line))
        found.append(config._source.__wrapped__("trisynth.first"))
    assert found[0] == found[1]
    assert (found[0][1], found[2][1]) == (["trisynth.second"], [])


def test_an_import_inside_a_function_counts(package):
    package("first", "def f():\n    from trisynth.second import g\n    return g()\n")
    before = code_digest("trisynth.first")
    package("second", "def g():\n    return 2\n")
    assert code_digest("trisynth.first") != before


def test_a_docstring_only_body_stays_code(package):
    package("first", 'class A:\n    """Words."""\n')
    assert code_digest("trisynth.first")


def test_library_versions_count(monkeypatch):
    before = code_digest("trisynth.seeds")
    monkeypatch.setattr(config, "versions", lambda: {"numpy": "0"})
    assert code_digest("trisynth.seeds") != before


def test_targets_are_the_modules_of_this_package():
    found = targets(
        {
            "_target_": "trisynth.generators.neural.vae.VAE",
            "encoder": {"_target_": "trisynth.encoders.table.TableEncoder"},
            "others": [{"_target_": "sklearn.svm.SVC"}, {"_target_": "trisynth.generators.copy.Copy"}],
        }
    )
    assert found == ["trisynth.encoders.table", "trisynth.generators.copy", "trisynth.generators.neural.vae"]


@pytest.mark.parametrize(
    ("cls", "name"), [("Copula", "copula"), ("BorderlineSMOTE", "borderline_smote"), ("VAE", "vae")]
)
def test_names_are_those_of_the_yaml_files(cls, name):
    assert target_name({"_target_": f"trisynth.generators.x.{cls}"}) == name


def test_errors_are_one_short_line():
    assert str(InputError("n", "x" * 1000, "too long")).count("\n") == 0
    assert len(str(InputError("n", "x" * 1000, "too long"))) < 250
    assert "\n" not in str(InputError("n", "a\nb", "has a line break"))


@pytest.mark.parametrize("allow", [3, True, {"lightgbm": 1}, object()])
def test_allow_is_a_list(allow):
    with pytest.raises(InputError, match=r"^allow=.*must be a list"):
        instantiate({"_target_": "trisynth.generators.copula.Copula"}, "generator", allow=allow)


def test_no_package_is_allowed_by_null():
    with pytest.raises(InputError, match=r"add allow=\[json\]|must be a class or function of"):
        instantiate({"_target_": "json.JSONDecoder"}, "generator", allow=None)
    made = instantiate({"_target_": "trisynth.generators.copula.Copula"}, "generator", allow=None)
    assert type(made).__name__ == "Copula"


def test_a_base_class_is_refused():
    with pytest.raises(InputError, match=r"^generator\._target_=.*is a base class"):
        instantiate({"_target_": "trisynth.generators.base.Generator"}, "generator")


@pytest.mark.parametrize("code", ["raise RuntimeError('boom')", "import sys; sys.exit(3)", "1 / 0", "def ("])
def test_a_package_that_fails_at_import_is_one_line(tmp_path, monkeypatch, code):
    (tmp_path / "failing_package.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"^g\._target_='failing_package.X': its import fails with "):
        instantiate({"_target_": "failing_package.X"}, "g", allow=["failing_package"])


def test_a_package_that_is_no_python_has_no_key(tmp_path, monkeypatch):
    (tmp_path / "no_python.py").write_text("x = 1\ndef (")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"'no_python': is not valid Python \(.*line 2\)"):
        code_digest("no_python")

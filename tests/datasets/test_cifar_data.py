import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from resbench.datasets.cifar import FOLDER, published_files
from resbench.datasets.opening import open_data
from resbench.datasets.verify import verify
from resbench.errors import UsageError

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

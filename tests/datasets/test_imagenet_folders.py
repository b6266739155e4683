"""Folders laid out as ImageNet: for training and testing, and the drawn one that stands in for them."""

import pickle
from pathlib import Path

import pytest
from PIL import Image

from resbench.datasets import imagenet
from resbench.datasets.image_folder import open_image_folder
from resbench.datasets.labelled import open_labelled
from resbench.datasets.opening import open_data
from resbench.datasets.sample_cache import ensure_folders, is_sample
from resbench.datasets.sample_folder import EACH, LABEL
from resbench.datasets.sample_looks import LOOKS
from resbench.datasets.verify import verify
from resbench.errors import UsageError


def fill(root: Path, parts: dict[str, dict[str, int]]) -> Path:
    for part, classes in parts.items():
        for name, count in classes.items():
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (8 + number, 6), (number, 0, 0)).save(root / part / name / f"{number}.png")
    return root


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return fill(tmp_path / "two", {"train": {"cat": 3, "dog": 2}, "val": {"cat": 1, "dog": 2}})


def test_train_is_trained_on_and_val_tested(two: Path) -> None:
    data = open_data("imagenet", two)
    assert (data.train.labels, data.test.labels) == ((0, 0, 0, 1, 1), (0, 1, 1))
    assert data.classes == ("cat", "dog")
    identity = data.identity
    assert (identity.kind, identity.label, identity.official) == ("imagenet", "pictures in 2 folders", False)
    assert (identity.train_samples, identity.test_samples, identity.majority) == (5, 3, 2 / 3)
    assert pickle.loads(pickle.dumps(data.train.load))(2).size == (10, 6)


def test_torchvision_reads_the_same(two: Path) -> None:
    from torchvision.datasets import ImageFolder

    data = open_data("imagenet", two)
    for part, split in (("train", data.train), ("val", data.test)):
        peer = ImageFolder(str(two / part))
        assert split.labels == tuple(peer.targets)
        assert [split.load(i).tobytes() for i in range(len(split))] == [found.tobytes() for found, _ in peer]


def test_the_folder_above_may_be_given(two: Path, tmp_path: Path) -> None:
    two.rename(tmp_path / "imagenet")
    assert open_data("imagenet", tmp_path).identity == open_data("imagenet", tmp_path / "imagenet").identity


def test_another_picture_is_another_data_set(two: Path) -> None:
    before = open_data("imagenet", two).identity.fingerprint
    Image.new("RGB", (64, 64)).save(two / "val/cat/0.png")
    assert open_data("imagenet", two).identity.fingerprint != before


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"train": {"cat": 1}}, "it needs the folders train and val"),
        ({"train": {"cat": 1}, "test": {"cat": 1}}, "it needs the folders train and val.*holds test, train"),
        ({"train": {"cat": 1, "dog": 1}, "val": {"cat": 1}}, "train has the class dog, which .*val has not"),
        (
            {"train": {"cat": 1}, "val": {"cat": 1, "ape": 1, "dog": 1}},
            r"val has the class ape.*\(2 differ\)",
        ),
        ({"train": {"cat": 1, "dog": 0}, "val": {"cat": 1}}, r"1 of the 2 folders .*no picture \(dog\)"),
    ],
)
def test_what_can_not_be_trained_and_tested_on(
    tmp_path: Path, parts: dict[str, dict[str, int]], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        open_data("imagenet", fill(tmp_path, parts))


def test_only_the_published_numbers_are_imagenet(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify("imagenet", two).problems == (
        "0 folders are named as WordNet's nouns, published are 1,000",
        "5 training pictures, published are 1,281,167",
        "3 validation pictures, published are 50,000",
        "2 classes have other than 50 validation pictures, published are 0",
    )
    whole = fill(
        two.parent / "whole",
        {"train": {"n01440764": 2, "n15075141": 1}, "val": {"n01440764": 2, "n15075141": 2}},
    )
    for name, value in (("CLASSES", 2), ("TRAINING", 3), ("VALIDATION", 4)):
        monkeypatch.setattr(imagenet, name, value)
    assert verify("imagenet", whole).holds
    identity = open_data("imagenet", whole).identity
    assert (identity.label, identity.official) == ("ImageNet", True)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return ensure_folders()


def test_the_sample_is_drawn_once_and_says_what_it_is(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(drawn.parent))
    before = (drawn / "imagenet/train/cat/000.jpg").stat().st_mtime_ns
    data = open_data("imagenet", None)
    assert (data.identity.label, data.identity.official) == (LABEL, False)
    assert data.classes == tuple(sorted(LOOKS))
    assert (len(data.train), len(data.test)) == tuple(each * len(LOOKS) for each in EACH.values())
    assert len({data.train.load(i).size for i in range(4)}) > 1
    assert (drawn / "imagenet/train/cat/000.jpg").stat().st_mtime_ns == before


def test_a_copy_of_the_sample_is_no_imagenet(drawn: Path) -> None:
    assert is_sample(drawn / "imagenet")
    assert open_data("imagenet", drawn).identity.label == LABEL


def test_weights_can_be_tested_on_the_same_folder(two: Path) -> None:
    """What is evaluated is what a training is tested on."""
    found, data = open_labelled(f"imagefolder:{two}"), open_data("imagenet", two)
    assert found.split == data.test
    assert found.fingerprint == open_image_folder(two / "val").fingerprint

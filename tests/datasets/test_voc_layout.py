from collections.abc import Callable
from pathlib import Path

import pytest

from resbench.datasets.voc_layout import (
    PARTITIONS,
    VOC_07_12,
    choose_partition,
    find_devkit,
    read_list,
)
from resbench.errors import UsageError

PICTURE = [("dog", (1, 1, 50, 50), 0)]
MakeDevkit = Callable[[object], Path]


def test_the_published_numbers_of_pictures() -> None:
    # https://github.com/deep-learning-algorithm/ResNet/blob/f185d1d/docs/dataset.md: 16,551 + 4,952
    assert VOC_07_12.pictures == 16_551 + 4_952
    # http://host.robots.ox.ac.uk/pascal/VOC/voc2012/dbstats.html: 5,717 train + 5,823 val
    assert PARTITIONS["2012",].pictures == 5_717 + 5_823


@pytest.mark.parametrize("inside", ["", "VOCdevkit"])
def test_the_devkit_or_the_folder_that_holds_it_may_be_given(small_devkit: Path, inside: str) -> None:
    assert find_devkit(small_devkit / inside) == small_devkit / "VOCdevkit"


def test_a_folder_without_voc_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()

    with pytest.raises(UsageError, match=r"neither VOC2007 nor VOC2012, but holiday.*data prepare voc0712"):
        find_devkit(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        find_devkit(tmp_path / "nowhere")


def test_a_year_in_place_of_the_devkit_gets_its_parent_named(small_devkit: Path) -> None:
    devkit = small_devkit / "VOCdevkit"

    with pytest.raises(UsageError, match=f"give the VOCdevkit above it: {devkit}$"):
        find_devkit(devkit / "VOC2012")


@pytest.mark.parametrize(
    ("lists", "name"),
    [
        ([("2007", "trainval"), ("2007", "test"), ("2012", "trainval"), ("2012", "train")], "VOC 07+12"),
        ([("2007", "trainval"), ("2007", "test")], "VOC2007 trainval / test"),
        ([("2012", "train"), ("2012", "val"), ("2012", "trainval")], "VOC2012 train / val"),
    ],
)
def test_the_partition_follows_from_what_is_there(
    make_devkit: MakeDevkit, lists: list[tuple[str, str]], name: str
) -> None:
    root = make_devkit({entry: {"1": PICTURE} for entry in lists})

    assert choose_partition(root / "VOCdevkit").name == name


@pytest.mark.parametrize(
    ("lists", "missing", "found"),
    [
        ([("2007", "trainval")], "VOC2007/ImageSets/Main/test.txt", "VOC2007 trainval"),
        (
            [("2007", "trainval"), ("2012", "trainval")],
            "VOC2007/ImageSets/Main/test.txt",
            "VOC2007 trainval, VOC2012 trainval",
        ),
        (
            [("2007", "trainval"), ("2007", "test"), ("2012", "val")],
            "VOC2012/ImageSets/Main/trainval.txt",
            "VOC2012 val",
        ),
        (
            [("2012", "trainval")],
            "VOC2012/ImageSets/Main/train.txt, VOC2012/ImageSets/Main/val.txt",
            "VOC2012 trainval",
        ),
    ],
)
def test_anything_else_is_refused_with_what_was_found_and_what_is_needed(
    make_devkit: MakeDevkit, lists: list[tuple[str, str]], missing: str, found: str
) -> None:
    root = make_devkit({entry: {"1": PICTURE} for entry in lists})

    with pytest.raises(UsageError) as raised:
        choose_partition(root / "VOCdevkit")

    assert f"{missing} is missing" in str(raised.value)
    assert found in str(raised.value)
    assert "Needed: VOC2007 trainval + test" in str(raised.value)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"7\n8\n7\n", "names 7 more than once"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_bad_list_is_named(small_devkit: Path, contents: bytes, complaint: str) -> None:
    path = small_devkit / "VOCdevkit/VOC2012/ImageSets/Main/train.txt"
    path.write_bytes(contents)

    with pytest.raises(UsageError, match=f"{path} {complaint}"):
        read_list(small_devkit / "VOCdevkit", ("2012", "train"))


def test_the_lists_of_one_class_are_read_too(small_devkit: Path) -> None:
    path = small_devkit / "VOCdevkit/VOC2012/ImageSets/Main/train.txt"
    path.write_text("2012_1  1\n\n2012_2 -1\n")

    assert read_list(small_devkit / "VOCdevkit", ("2012", "train")) == ("2012_1", "2012_2")

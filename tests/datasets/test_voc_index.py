"""The index against an independent list of every box of VOC 07+12, and against what folders can lack."""

import lzma
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from resbench.datasets.verify import verify
from resbench.datasets.voc_annotation import VocObject
from resbench.datasets.voc_crops import describe, is_official, open_voc
from resbench.datasets.voc_index import VocIndex, class_counts, read_index, samples
from resbench.datasets.voc_layout import PARTITIONS
from resbench.datasets.voc_published import CLASSES, COUNTS
from resbench.errors import UsageError

BOXES = Path(__file__).parent / "data" / "voc0712_boxes.csv.xz"
"""Year, split, picture, class, box and difficult of all 62,199 boxes of VOC 07+12."""

MakeDevkit = Callable[[object], Path]


def _rows() -> Iterator[list[str]]:
    with lzma.open(BOXES, "rt") as file:
        next(file)
        for line in file:
            yield line.rstrip("\n").split(",")


@pytest.fixture(scope="module")
def whole_voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the XML of all 21,503 pictures; the pictures themselves are empty files."""
    root = tmp_path_factory.mktemp("voc")
    objects: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for year, split, image, name, xmin, ymin, xmax, ymax, difficult in _rows():
        objects[year, split][image].append(
            f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmax>{xmax}</xmax>"
            f"<xmin>{xmin}</xmin><ymax>{ymax}</ymax><ymin>{ymin}</ymin></bndbox></object>"
        )
    for (year, split), images in objects.items():
        folder = root / "VOCdevkit" / f"VOC{year}"
        for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "ImageSets/Main" / f"{split}.txt").write_text("\n".join(images))
        for image, blocks in images.items():
            xml = f"<annotation>{''.join(blocks)}</annotation>"
            (folder / "Annotations" / f"{image}.xml").write_text(xml)
            (folder / "JPEGImages" / f"{image}.jpg").touch()
    return root


@pytest.fixture(scope="module")
def whole_index(whole_voc: Path) -> VocIndex:
    return read_index(whole_voc)


def test_the_published_table_adds_up() -> None:
    # deep-learning-algorithm/ResNet, docs/dataset.md: 40,058 objects to train on, 12,032 to test on.
    assert sum(train for train, _ in COUNTS.values()) == 40_058
    assert sum(test for _, test in COUNTS.values()) == 12_032
    assert sorted(COUNTS) == list(CLASSES)


def test_the_index_holds_every_row_as_it_was_published(whole_index: VocIndex) -> None:
    def row(found: VocObject) -> tuple[str, ...]:
        box = map(str, found.box)
        return (found.year, found.split, found.image, found.class_name, *box, str(int(found.difficult)))

    expected = [tuple(fields) for fields in _rows()]
    indexed = [row(found) for found in (*whole_index.train, *whole_index.test)]

    assert len(indexed) == 62_199
    assert sorted(indexed) == sorted(expected)


def test_the_samples_are_exactly_those_of_the_forty_published_counts(whole_index: VocIndex) -> None:
    table = pd.read_csv(BOXES, dtype={"image": str}).query("difficult == 0")
    test = table.split == "test"

    assert len(samples(whole_index.train)) == 40_058
    assert len(samples(whole_index.test)) == 12_032
    assert class_counts(whole_index.train) == table[~test]["class"].value_counts().to_dict()
    assert class_counts(whole_index.test) == table[test]["class"].value_counts().to_dict()
    for name, published in COUNTS.items():
        assert (class_counts(whole_index.train)[name], class_counts(whole_index.test)[name]) == published
    assert whole_index.pictures == (16_551, 4_952)


def test_only_the_whole_set_is_called_by_its_name(whole_voc: Path) -> None:
    identity = open_voc(whole_voc).identity

    assert identity.official
    assert identity.label == "VOC 07+12"
    assert (identity.train_samples, identity.test_samples, identity.classes) == (40_058, 12_032, 20)
    assert identity.majority == 4528 / 12_032  # person


def test_verify_agrees_with_the_published_counts(whole_voc: Path) -> None:
    found = verify("voc0712", whole_voc, pictures=False)

    assert found.holds
    assert found.problems == ()
    assert {count.name: (count.train, count.test) for count in found.counts} == COUNTS


def test_one_object_less_is_not_the_whole_set(whole_index: VocIndex) -> None:
    number = next(n for n, found in enumerate(whole_index.train) if not found.difficult)
    less = replace(whole_index, train=whole_index.train[:number] + whole_index.train[number + 1 :])

    assert is_official(whole_index)
    assert not is_official(less)
    assert (
        describe(less) == "VOC 07+12, altered: 40,057 + 12,032 objects, other counts per class than published"
    )


def test_the_same_counts_through_other_lists_are_not_official(whole_index: VocIndex) -> None:
    assert not is_official(replace(whole_index, partition=PARTITIONS["2012",]))


@pytest.mark.parametrize(
    ("pictures", "label"),
    [
        ((16_551, 4_952), "VOC 07+12"),
        ((16_550, 4_952), "VOC 07+12, a subset: 16,550 + 4,952 of 21,503 pictures"),
        ((16_552, 4_952), "VOC 07+12, altered: 16,552 + 4,952 pictures where 21,503 were published"),
    ],
)
def test_the_label_tells_other_numbers_of_pictures(
    whole_index: VocIndex, pictures: tuple[int, int], label: str
) -> None:
    assert describe(replace(whole_index, pictures=pictures)) == label


def test_objects_come_in_the_order_of_lists_and_xml(small_devkit: Path) -> None:
    index = read_index(small_devkit)

    assert [(found.image, found.class_name) for found in index.train] == [
        ("2012_1", "person"),
        ("2012_1", "dog"),
        ("2012_2", "cat"),
    ]
    assert [found.class_name for found in samples(index.train)] == ["person", "cat"]
    assert index.train[0].box == (10, 20, 60, 80)  # not that of the person's head
    assert index.pictures == (2, 1)


def test_progress_counts_up_to_the_pictures_there_are(small_devkit: Path) -> None:
    told: list[tuple[int, int]] = []
    read_index(small_devkit, progress=lambda _, done, total: told.append((done, total)))

    assert told == [(1, 3), (2, 3), (3, 3)]
    assert all(before < after for before, after in pairwise(told))


@pytest.mark.parametrize(("folder", "kind"), [("Annotations", "annotation"), ("JPEGImages", "picture")])
def test_missing_files_are_counted_and_the_first_named(
    make_devkit: MakeDevkit, folder: str, kind: str
) -> None:
    picture = [("dog", (1, 1, 50, 50), 0)]
    root = make_devkit(
        {("2012", "train"): {f"t{n}": picture for n in range(9)}, ("2012", "val"): {"v": picture}}
    )
    for path in sorted((root / "VOCdevkit/VOC2012" / folder).glob("t*"))[2:7]:
        path.unlink()

    with pytest.raises(UsageError) as raised:
        read_index(root)

    suffix = "xml" if kind == "annotation" else "jpg"
    assert f"5 of 9 {kind}s are missing" in str(raised.value)
    assert f": t2.{suffix}, t3.{suffix}, t4.{suffix}, ..." in str(raised.value)


def test_a_picture_in_both_parts_is_refused(small_devkit: Path) -> None:
    with (small_devkit / "VOCdevkit/VOC2012/ImageSets/Main/val.txt").open("a") as file:
        file.write("2012_2\n")

    with pytest.raises(UsageError, match=r"pictures in common, 1 in all \(2012_2\)"):
        read_index(small_devkit)

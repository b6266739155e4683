from collections.abc import Callable
from pathlib import Path

import pytest

from resbench.datasets.verify import verify
from resbench.errors import UsageError

LISTS = "ImageSets/Main"
DOG = [("dog", (1, 1, 50, 50), 0)]


@pytest.fixture
def devkit(make_devkit: Callable[[object], Path]) -> Path:
    """Return a VOCdevkit of the three lists, with a handful of pictures."""
    root = make_devkit(
        {
            ("2007", "trainval"): {"000001": DOG, "000002": [("cat", (1, 1, 50, 50), 1)]},
            ("2007", "test"): {"000003": DOG, "000004": DOG},
            ("2012", "trainval"): {"2008_1": [("dog", (1, 1, 9, 9), 0), ("cow", (5, 5, 99, 99), 0)]},
        }
    )
    return root / "VOCdevkit"


def test_counts_are_compared_per_class(devkit: Path) -> None:
    found = verify("voc0712", devkit)
    counts = {count.name: count for count in found.counts}

    assert len(counts) == 20
    assert (counts["dog"].train, counts["dog"].test) == (2, 2)
    assert (counts["dog"].train_published, counts["dog"].test_published) == (2025, 489)
    assert (counts["cow"].train, counts["cat"].train) == (1, 0)
    assert len(found.differing) == 20
    assert found.pictures == 5
    assert found.problems == (
        f"{devkit}/VOC2007/{LISTS}/trainval.txt names 2 pictures, published are 5,011",
        f"{devkit}/VOC2012/{LISTS}/trainval.txt names 1 pictures, published are 11,540",
        f"{devkit}/VOC2007/{LISTS}/test.txt names 2 pictures, published are 4,952",
    )
    assert not found.holds


def test_a_missing_list_is_named_with_what_it_should_have(devkit: Path) -> None:
    (devkit / f"VOC2007/{LISTS}/test.txt").unlink()

    found = verify("voc0712", devkit)

    expected = f"{devkit}/VOC2007/{LISTS}/test.txt is missing: VOC2007 test has 4,952 pictures"
    assert expected in found.problems
    assert all(count.test == 0 for count in found.counts)


def test_missing_files_and_bad_xml_are_all_named(devkit: Path) -> None:
    (devkit / "VOC2007/JPEGImages/000003.jpg").unlink()
    (devkit / "VOC2007/Annotations/000004.xml").unlink()
    (devkit / "VOC2012/Annotations/2008_1.xml").write_text("<annotation>")
    (devkit / f"VOC2007/{LISTS}/trainval.txt").write_text("")

    problems = "\n".join(verify("voc0712", devkit).problems)

    assert f"1 of 2 pictures are missing in {devkit}/VOC2007/JPEGImages: 000003.jpg" in problems
    assert f"1 of 2 annotations are missing in {devkit}/VOC2007/Annotations: 000004.xml" in problems
    assert f"{devkit}/VOC2012/Annotations/2008_1.xml cannot be read as XML" in problems
    assert f"{devkit}/VOC2007/{LISTS}/trainval.txt is empty" in problems


def test_pictures_that_cannot_be_decoded_or_do_not_hold_their_objects_are_named(devkit: Path) -> None:
    torn = devkit / "VOC2007/JPEGImages/000003.jpg"
    torn.write_bytes(torn.read_bytes()[:200])
    small = devkit / "VOC2012/Annotations/2008_1.xml"
    small.write_text(small.read_text().replace(">5<", ">900<").replace(">99<", ">999<"))

    problems = verify("voc0712", devkit).problems

    assert [line for line in problems if line.startswith(f"{torn} cannot be decoded")]
    picture = (
        f"{devkit}/VOC2012/JPEGImages/2008_1.jpg has 200x150 pixels, which does not reach to its object at"
    )
    assert [line for line in problems if line.startswith(picture)]


def test_pictures_are_left_alone_where_that_is_asked(devkit: Path) -> None:
    (devkit / "VOC2007/JPEGImages/000003.jpg").write_bytes(b"torn")

    found = verify("voc0712", devkit, pictures=False)

    assert found.pictures == 0
    assert not [line for line in found.problems if "000003" in line]


def test_every_picture_of_the_real_subset_can_be_decoded(real_data: Path) -> None:
    found = verify("voc0712", real_data)

    assert found.pictures == 792
    assert sum(count.train for count in found.counts) == 1473 + 604
    assert len(found.problems) == 3  # the two lists of VOC2007, and the length of that of VOC2012


def test_no_data_set_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither VOC2007 nor VOC2012"):
        verify("voc0712", tmp_path)
    with pytest.raises(UsageError, match="no CIFAR-10"):
        verify("cifar10", tmp_path)
    with pytest.raises(UsageError, match="unknown data set 'voc': did you mean voc0712"):
        verify("voc", tmp_path)

import multiprocessing
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resbench.datasets.voc_crops import crop, open_voc, read_picture
from resbench.errors import ResbenchError, UsageError

MakeDevkit = Callable[[object], Path]
PICTURES = "VOCdevkit/VOC2012/JPEGImages"


def positions(height: int, width: int) -> np.ndarray:
    y_HW, x_HW = np.indices((height, width), dtype=np.uint8)
    return np.stack([x_HW, y_HW, np.zeros_like(x_HW)], axis=2)


def test_the_crop_is_the_slice_of_the_protocol(small_devkit: Path) -> None:
    data = open_voc(small_devkit)

    assert [data.classes[label] for label in data.test.labels] == ["cat", "sofa", "cat"]
    for number, (xmin, ymin, xmax, ymax) in enumerate([(30, 40, 90, 100), (100, 50, 180, 140), (2, 2, 9, 9)]):
        picture = data.test.load(number)
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture), positions(150, 200)[ymin:ymax, xmin:xmax])
        # Counted from 1, pixel xmin is column xmin - 1: the first row and column are lost.
        assert picture.getpixel((0, 0)) == (xmin, ymin, 0)


def test_like_the_slice_the_crop_ends_where_the_picture_ends() -> None:
    picture = Image.fromarray(positions(20, 30))

    cropped = np.asarray(crop(picture, (10, 5, 99, 99), Path("p.jpg")))

    np.testing.assert_array_equal(cropped, positions(20, 30)[5:99, 10:99])


@pytest.mark.parametrize("box", [(30, 1, 40, 9), (1, 20, 9, 40)])
def test_a_picture_too_small_for_its_object_is_named(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ResbenchError, match=r"p\.jpg has 30x20 pixels, which does not reach"):
        crop(Image.fromarray(positions(20, 30)), box, Path("p.jpg"))


def test_the_identity_is_that_of_a_part(small_devkit: Path) -> None:
    identity = open_voc(small_devkit).identity

    assert identity.kind == "voc_crops"
    assert identity.label == "VOC2012 train / val, a subset: 2 + 1 of 11,540 pictures"
    assert not identity.official
    assert (identity.train_samples, identity.test_samples, identity.classes) == (2, 3, 20)
    assert identity.majority == 2 / 3


def _change_box(root: Path) -> None:
    path = root / "VOCdevkit/VOC2012/Annotations/2012_3.xml"
    path.write_text(path.read_text().replace("<xmin>30<", "<xmin>31<"))


def _change_class(root: Path) -> None:
    path = root / "VOCdevkit/VOC2012/Annotations/2012_2.xml"
    path.write_text(path.read_text().replace("cat", "cow"))


def _change_picture(root: Path) -> None:
    with (root / PICTURES / "2012_1.jpg").open("ab") as file:
        file.write(b"\0")


def _change_order(root: Path) -> None:
    (root / "VOCdevkit/VOC2012/ImageSets/Main/train.txt").write_text("2012_2\n2012_1\n")


def _swap_parts(root: Path) -> None:
    lists = root / "VOCdevkit/VOC2012/ImageSets/Main"
    train, val = (lists / "train.txt").read_text(), (lists / "val.txt").read_text()
    (lists / "train.txt").write_text(val)
    (lists / "val.txt").write_text(train)


@pytest.mark.parametrize("change", [_change_box, _change_class, _change_picture, _change_order, _swap_parts])
def test_the_fingerprint_differs_when_any_sample_does(
    small_devkit: Path, change: Callable[[Path], None]
) -> None:
    before = open_voc(small_devkit).identity.fingerprint
    assert open_voc(small_devkit / "VOCdevkit").identity.fingerprint == before

    change(small_devkit)

    assert open_voc(small_devkit).identity.fingerprint != before


def test_the_fingerprint_is_of_samples_alone(small_devkit: Path) -> None:
    before = open_voc(small_devkit).identity.fingerprint
    path = small_devkit / "VOCdevkit/VOC2012/Annotations/2012_1.xml"
    path.write_text(path.read_text().replace("<xmin>5<", "<xmin>6<"))  # of the difficult dog

    assert open_voc(small_devkit).identity.fingerprint == before


def test_a_split_loads_in_a_spawned_process(small_devkit: Path) -> None:
    test = pickle.loads(pickle.dumps(open_voc(small_devkit).test))

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        loaded = pool.map(test.load, range(len(test)))

    assert [picture.size for picture in loaded] == [(60, 60), (80, 90), (7, 7)]


def test_no_sample_to_test_on_is_told(make_devkit: MakeDevkit) -> None:
    root = make_devkit(
        {
            ("2012", "train"): {"a": [("dog", (1, 1, 9, 9), 0)]},
            ("2012", "val"): {"b": [("dog", (1, 1, 9, 9), 1)]},
        }
    )

    with pytest.raises(UsageError, match="1 training and 0 test objects that are not difficult"):
        open_voc(root)


def _truncated() -> bytes:
    import io

    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    "contents", [b"", b"<html>404</html>", _truncated()], ids=["empty", "html", "truncated"]
)
def test_a_picture_that_cannot_be_decoded_is_named(small_devkit: Path, contents: bytes) -> None:
    data = open_voc(small_devkit)
    path = small_devkit / PICTURES / "2012_3.jpg"
    path.write_bytes(contents)

    with pytest.raises(ResbenchError, match=r"2012_3\.jpg cannot be decoded") as raised:
        data.test.load(0)
    assert "\n" not in str(raised.value)


def test_a_picture_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResbenchError, match=r"gone\.jpg cannot be decoded"):
        read_picture(tmp_path / "gone.jpg")


def test_a_grey_picture_becomes_rgb(tmp_path: Path) -> None:
    Image.new("L", (4, 3), 77).save(tmp_path / "grey.png")

    assert read_picture(tmp_path / "grey.png").getpixel((1, 1)) == (77, 77, 77)


def test_the_real_pictures_are_read_and_called_a_subset(real_data: Path) -> None:
    from torchvision.datasets import VOCDetection

    data = open_voc(real_data)
    peer = VOCDetection(str(real_data), year="2012", image_set="val")
    expected = [
        (found["name"], *(int(found["bndbox"][field]) for field in ("xmin", "ymin", "xmax", "ymax")))
        for number in range(len(peer))
        for found in peer.parse_voc_xml(_root(peer.annotations[number]))["annotation"]["object"]
        if found["difficult"] == "0"
    ]

    assert data.identity.label == "VOC2012 train / val, a subset: 543 + 249 of 11,540 pictures"
    assert not data.identity.official
    assert (len(data.train), len(data.test)) == (1473, 604)
    assert [data.classes[label] for label in data.test.labels] == [name for name, *_ in expected]
    assert data.identity.majority == max(Counter(name for name, *_ in expected).values()) / 604
    for number in range(0, 604, 60):
        _, xmin, ymin, xmax, ymax = expected[number]
        assert data.test.load(number).size == (xmax - xmin, ymax - ymin)


def _root(path: str) -> object:
    from defusedxml.ElementTree import parse

    return parse(path).getroot()

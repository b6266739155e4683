"""Against `torchvision.datasets.ImageFolder`: the same classes, samples and order."""

from pathlib import Path

import numpy as np
import pytest
import torchvision
from PIL import Image

from resbench.datasets.image_folder import open_image_folder
from resbench.errors import ResbenchError, UsageError


def draw(path: Path, shade: int, size: tuple[int, int] = (12, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade if mode == "L" else (shade, 255 - shade, 7)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose order on disk, upper case and depth try the sorting."""
    names = (
        ("n02", "b.png"),
        ("n02", "a.JPG"),
        ("n02", "B.png"),
        ("n10", "deep/z.png"),
        ("n10", "a.bmp"),
        ("N3", "x.webp"),
    )
    for shade, (name, file) in enumerate(names):
        draw(tmp_path / "val" / name / file, 20 * shade)
    (tmp_path / "val/n02/readme.txt").write_text("no picture")
    (tmp_path / "val/synsets.txt").write_text("no class")
    return tmp_path / "val"


def test_classes_samples_and_order_are_torchvisions(folder: Path) -> None:
    theirs = torchvision.datasets.ImageFolder(str(folder))
    ours = open_image_folder(folder)
    assert list(ours.classes) == theirs.classes == ["N3", "n02", "n10"]
    assert list(ours.split.labels) == theirs.targets
    for index, (path, _) in enumerate(theirs.samples):
        assert str(folder / ours.split.load.paths[index]) == path  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(ours.split.load(index)), np.asarray(theirs[index][0]))


def test_a_grey_picture_becomes_rgb(tmp_path: Path) -> None:
    draw(tmp_path / "grey/a.png", 77, mode="L")
    assert open_image_folder(tmp_path).split.load(0).getpixel((0, 0)) == (77, 77, 77)


def test_the_fingerprint_tells_other_pictures(folder: Path) -> None:
    before = open_image_folder(folder).fingerprint
    assert open_image_folder(folder).fingerprint == before
    draw(folder / "n10/b.png", 1)
    assert open_image_folder(folder).fingerprint != before


def test_what_can_not_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        open_image_folder(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="a folder of pictures for each class"):
        open_image_folder(tmp_path)
    draw(tmp_path / "full/a.png", 1)
    for name in "abcd":
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=r"4 of the 5 folders in .* hold no picture \(a, b, c and 1 more\)"):
        open_image_folder(tmp_path)


def test_a_torn_picture_is_named_when_it_is_read(tmp_path: Path) -> None:
    draw(tmp_path / "full/a.png", 1)
    (tmp_path / "full/a.png").write_bytes(b"torn")
    split = open_image_folder(tmp_path).split
    with pytest.raises(ResbenchError, match=r"full/a\.png cannot be decoded"):
        split.load(0)

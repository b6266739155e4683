from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from resbench.datasets.labelled import named_kind, open_labelled
from resbench.errors import UsageError


def draw(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (len(name), 0, 0)).save(path)


def test_samples_of_one_picture_share_its_number(small_devkit: Path) -> None:
    """The test picture has three objects that are not difficult: a cat, a sofa and a cat."""
    found = open_labelled(f"voc:{small_devkit}")
    assert found.kind == "voc0712"
    assert found.pictures == (0, 0, 0)
    assert [found.classes[label] for label in found.split.labels] == ["cat", "sofa", "cat"]
    assert found.train is not None
    assert len(found.train) == 2


def test_pictures_of_a_folder_are_one_sample_each(tmp_path: Path) -> None:
    draw(tmp_path, "cat/1.png", "cat/2.png", "dog/3.png")
    found = open_labelled(str(tmp_path))
    assert (found.kind, found.classes, found.pictures) == ("imagefolder", ("cat", "dog"), (0, 1, 2))
    assert found.train is None


def test_a_folder_of_parts_is_tested_on_its_validation_part(tmp_path: Path) -> None:
    draw(tmp_path, "train/cat/1.png", "train/dog/2.png", "train/dog/3.png", "val/cat/4.png", "val/dog/5.png")
    found = open_labelled(f"imagefolder:{tmp_path}")
    assert found.label == str(tmp_path / "val")
    assert len(found) == 2
    assert found.train is not None
    assert len(found.train) == 3


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    draw(tmp_path, "train/1.png", "aeroplane/2.png")
    assert open_labelled(str(tmp_path)).classes == ("aeroplane", "train")


def test_parts_with_other_classes_are_refused(tmp_path: Path) -> None:
    draw(tmp_path, "train/cat/1.png", "val/dog/5.png")
    with pytest.raises(UsageError, match="same names"):
        open_labelled(str(tmp_path))


@pytest.mark.parametrize(
    ("folders", "kind"),
    [
        (("VOCdevkit/VOC2007",), "voc0712"),
        (("VOC2012",), "voc0712"),
        (("cifar-10-batches-py",), "cifar10"),
        (("cifar-100-python",), "cifar100"),
        (("cat",), "imagefolder"),
    ],
)
def test_a_folder_says_what_it_is(tmp_path: Path, folders: tuple[str, ...], kind: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert named_kind(str(tmp_path)) == (kind, tmp_path)


def test_a_folder_of_two_data_sets_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "VOCdevkit/VOC2007").mkdir(parents=True)
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(
        UsageError, match=f"more than one data set: give voc:{tmp_path} or cifar10:{tmp_path}"
    ):
        open_labelled(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cifar:x", "unknown kind of data 'cifar': did you mean cifar10"),
        ("nowhere", "there is no folder nowhere: give KIND:PATH"),
        ("imagefolder:nowhere", "there is no folder nowhere"),
        ("voc:nowhere", "there is no folder nowhere"),
        ("cifar10:nowhere", "no CIFAR-10 in nowhere"),
    ],
)
def test_what_is_not_there(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        open_labelled(text)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data that is known"):
        open_labelled(str(tmp_path))


def test_real_voc_and_cifar(real_data: Path) -> None:
    voc, cifar = open_labelled(f"voc:{real_data}"), open_labelled(f"cifar10:{real_data}")
    assert 1 < len(set(voc.pictures)) < len(voc)
    assert (len(cifar), len(cifar.classes), len(set(cifar.pictures))) == (10_000, 10, 10_000)


def test_the_sample_needs_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path | None] = []
    import_path = "resbench.datasets.labelled.open_data"

    def fake(name: str, root: Path | None, *, progress: Callable[[str, int, int], None]) -> None:
        opened.append(root)
        raise UsageError(name)

    monkeypatch.setattr(import_path, fake)
    with pytest.raises(UsageError, match="voc0712"):
        open_labelled("sample")
    assert opened == [None]

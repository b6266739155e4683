"""Every kind of feed against torchvision's transforms on PIL pictures, one picture at a time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms
from torchvision.transforms import functional as pil

from resbench.datasets.data import Split
from resbench.errors import ResbenchError, UsageError
from resbench.specs import Pictures
from resbench.training import feeds
from resbench.training.draws import draw
from resbench.training.feeds import Feed, Kind, open_feed
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020

CPU = torch.device("cpu")
CIFAR = replace(HE2015_CIFAR.pictures, crop=16, pad=2)
VOC = replace(VOC_ZJ2020.pictures, resize=40, crop=32)
SIZES = [(50, 37), (29, 70), (63, 60), (40, 40), (81, 44)]
COUNT = 12
BATCHES = [[3, 0, 11, 7, 1], [2, 5], [4, 6, 8, 9, 10]]
KINDS: tuple[Kind, ...] = ("store", "loader")


def picture(index: int, *, ragged: bool) -> Image.Image:
    width, height = SIZES[index % len(SIZES)] if ragged else (16, 16)
    noise = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def torn(index: int) -> Image.Image:
    if index == 7:
        raise ResbenchError("picture 7 cannot be decoded")
    return picture(index, ragged=True)


LABELS = tuple(index % 5 for index in range(COUNT))
RAGGED = Split(labels=LABELS, load=partial(picture, ragged=True))
SMALL = Split(labels=LABELS, load=partial(picture, ragged=False))


def opened(split: Split, pictures: Pictures, folder: Path, **settings: Any) -> Feed:
    given = {"device": CPU, "cache": folder, "identity": "made/train", **settings}
    return open_feed(split, range(COUNT), pictures, **given)


def trained(feed: Feed, batches: Sequence[Sequence[int]] = BATCHES) -> dict[int, Tensor]:
    """Return the training view of each sample."""
    found: dict[int, Tensor] = {}
    for samples, (images_BCHW, labels_B) in zip(
        batches, feed.training_batches(batches, seed=4, epoch=2), strict=True
    ):
        assert labels_B.tolist() == [LABELS[sample] for sample in samples]
        found.update(zip(samples, images_BCHW.clone(), strict=True))
    return found


def expected_view(split: Split, pictures: Pictures, sample: int) -> Tensor:
    """Return what torchvision's functions make of a picture, with what was drawn for it; no jitter."""
    draws = draw(pictures, COUNT, seed=4, epoch=2)
    image = split.load(sample)
    if pictures.random_resized:
        part = draws.part(sample, image.height, image.width, pictures.random_ratio)
        image = pil.resized_crop(image, *part, [pictures.crop, pictures.crop])
    else:
        side = pictures.resize if draws.side_N is None else int(draws.side_N[sample])
        image = image if side is None else pil.resize(image, [side])
        image = pil.pad(image, pictures.pad)
        image = pil.crop(image, *draws.crop(sample, image.height, image.width, pictures.crop))
    image = pil.hflip(image) if draws.flip_N[sample] else image
    found = pil.to_tensor(image)
    if draws.erased_N4 is not None and draws.erased_N4[sample][2]:
        found = pil.erase(found, *draws.erased_N4[sample].tolist(), v=torch.zeros(()))
    normalised: Tensor = pil.normalize(found, pictures.mean, pictures.std)
    return normalised


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"erase": 0.9},
        {"pad": 3, "pad_space": "picture"},
        {"random_resized": True},
        {"scale_range": (34, 48)},
    ],
    ids=["crop and flip", "erase", "padded", "random part", "drawn scale"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_training_views_are_those_of_torchvision_to_the_bit(
    kind: Kind, changes: dict[str, Any], tmp_path: Path
) -> None:
    pictures = replace(VOC, **{"color_jitter": 0.0, "erase": 0.0, **changes})
    found = trained(opened(RAGGED, pictures, tmp_path, kind=kind))
    for sample in range(COUNT):
        assert torch.equal(found[sample], expected_view(RAGGED, pictures, sample))


@pytest.mark.parametrize("kind", ["resident", *KINDS])
@pytest.mark.parametrize("erase", [0.0, 0.9])
def test_black_pixels_around_small_pictures(kind: Kind, erase: float, tmp_path: Path) -> None:
    pictures = replace(CIFAR, pad_space="picture", mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4), erase=erase)
    found = trained(opened(SMALL, pictures, tmp_path, kind=kind))
    for sample in range(COUNT):
        assert torch.equal(found[sample], expected_view(SMALL, pictures, sample))


@pytest.mark.parametrize("kind", ["resident", *KINDS])
@pytest.mark.parametrize("statistics", ["pixels", "channels"])
def test_zeros_around_the_networks_input(kind: Kind, statistics: str, tmp_path: Path) -> None:
    """Normalised, then padded with zeros, cropped and mirrored: He et al. subtract the mean of each pixel first."""
    pictures = CIFAR if statistics == "pixels" else replace(CIFAR, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    feed = opened(SMALL, pictures, tmp_path, kind=kind)
    whole_NCHW = torch.stack([pil.to_tensor(SMALL.load(sample)) for sample in range(COUNT)])
    if statistics == "pixels":
        assert feed.mean_CHW is not None
        assert torch.allclose(feed.mean_CHW, whole_NCHW.double().mean(dim=0).float(), atol=1e-7)
        whole_NCHW -= feed.mean_CHW
    else:
        whole_NCHW = pil.normalize(whole_NCHW, pictures.mean, pictures.std)
    draws, found = draw(pictures, COUNT, seed=4, epoch=2), trained(feed)
    for sample in range(COUNT):
        image_CHW = pil.crop(pil.pad(whole_NCHW[sample], 2), *draws.crop(sample, 20, 20, 16))
        image_CHW = pil.hflip(image_CHW) if draws.flip_N[sample] else image_CHW
        assert torch.equal(found[sample], image_CHW)


def test_workers_batches_and_kinds_make_no_difference(tmp_path: Path) -> None:
    """With jitter and all: a resumed run asks for fewer batches, several processes for other ones."""
    settings: list[dict[str, Any]] = [
        {"kind": "store", "workers": 2},
        {"kind": "loader"},
        {"kind": "loader", "workers": 1},
    ]
    first = trained(opened(RAGGED, VOC, tmp_path, kind="store"))
    for given in settings:
        others = trained(opened(RAGGED, VOC, tmp_path, **given))
        assert all(torch.equal(first[sample], others[sample]) for sample in range(COUNT))
    rest = trained(opened(RAGGED, VOC, tmp_path, kind="store"), [[9, 4], [7]])
    assert all(torch.equal(first[sample], rest[sample]) for sample in (9, 4, 7))


def test_jitter_of_a_resident_batch_is_that_of_each_picture(tmp_path: Path) -> None:
    pictures = replace(
        CIFAR, pad_space="picture", color_jitter=0.4, erase=0.5, mean=(0.5,) * 3, std=(0.5,) * 3
    )
    resident, loader = (
        trained(opened(SMALL, pictures, tmp_path, kind=kind)) for kind in ("resident", "loader")
    )
    assert all(torch.equal(resident[sample], loader[sample]) for sample in range(COUNT))


@pytest.mark.parametrize("crop", [32, 31, 40])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("views", [1, 10])
def test_test_views_are_torchvisions_to_the_bit(kind: Kind, views: int, crop: int, tmp_path: Path) -> None:
    pictures = replace(VOC, test_views=views, crop=crop)
    normalise = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
    ten, one = transforms.TenCrop(crop), transforms.CenterCrop(crop)
    feed = opened(RAGGED, pictures, tmp_path, kind=kind, training=False)
    for samples, (images_BVCHW, labels_B) in zip(BATCHES, feed.test_batches(BATCHES), strict=True):
        assert labels_B.tolist() == [LABELS[sample] for sample in samples]
        for sample, images_VCHW in zip(samples, images_BVCHW, strict=True):
            scaled = transforms.Resize(40)(RAGGED.load(sample))
            crops = ten(scaled) if views == 10 else (one(scaled),)
            assert torch.equal(images_VCHW, torch.stack([normalise(crop) for crop in crops]))


@pytest.mark.parametrize("views", [1, 10])
def test_test_views_of_resident_pictures_are_those_of_files(views: int, tmp_path: Path) -> None:
    pictures = replace(CIFAR, crop=11, test_views=views, mean=(0.5,) * 3, std=(0.5,) * 3)
    one, other = (
        [
            images_BVCHW.clone()
            for images_BVCHW, _ in opened(SMALL, pictures, tmp_path, kind=kind).test_batches(BATCHES)
        ]
        for kind in ("resident", "loader")
    )
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_auto_takes_what_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(SMALL, CIFAR, tmp_path).kind == "resident"
    chosen = opened(RAGGED, VOC, tmp_path)
    assert chosen.kind == "store"
    assert str(tmp_path) in chosen.note
    assert opened(RAGGED, VOC, tmp_path, identity="").kind == "loader"
    monkeypatch.setattr(feeds, "bytes_free", lambda _folder: 1000)
    assert opened(RAGGED, VOC, tmp_path).kind == "loader"
    monkeypatch.setattr(feeds, "LIMIT_B", 1000)
    assert opened(SMALL, CIFAR, tmp_path).kind == "loader"


def test_pictures_are_read_once_for_a_store(tmp_path: Path) -> None:
    reads: Counter[int] = Counter()

    def load(index: int) -> Image.Image:
        reads[index] += 1
        return picture(index, ragged=True)

    split = Split(labels=LABELS, load=load)
    for _ in range(2):
        trained(opened(split, VOC, tmp_path, kind="store"))
    assert reads == dict.fromkeys(range(COUNT), 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_is_one_line(kind: Kind, workers: int, tmp_path: Path) -> None:
    split = Split(labels=LABELS, load=torn)
    with pytest.raises(ResbenchError) as caught:
        trained(opened(split, VOC, tmp_path, kind=kind, workers=workers))
    assert str(caught.value) == "picture 7 cannot be decoded"
    assert not list(tmp_path.glob("*.p*"))


@pytest.mark.parametrize(
    ("split", "pictures", "settings", "said"),
    [
        (RAGGED, VOC, {"kind": "resident"}, "differing sizes"),
        (RAGGED, VOC, {"kind": "store", "identity": ""}, "identity"),
        (RAGGED, CIFAR, {"kind": "loader"}, "pictures.mean"),
        (SMALL, replace(CIFAR, random_resized=True), {"kind": "resident"}, "at random"),
        (SMALL, replace(CIFAR, erase=0.5), {}, "pad_space"),
        (SMALL, replace(CIFAR, pad=0, crop=17), {}, "no crop of 17"),
        (RAGGED, replace(VOC, resize=None), {"kind": "store"}, "no crop of 32"),
    ],
)
def test_what_cannot_be_fed_is_one_line(
    split: Split, pictures: Pictures, settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        trained(opened(split, pictures, tmp_path, **settings))
    assert "\n" not in str(caught.value)


def test_an_empty_list_of_samples_is_one_line() -> None:
    with pytest.raises(UsageError, match="empty"):
        open_feed(SMALL, [], CIFAR, device=CPU)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["resident", *KINDS])
def test_a_gpu_gets_what_the_cpu_gets(kind: Kind, tmp_path: Path) -> None:
    device = torch.device("cuda")
    found = trained(opened(SMALL, CIFAR, tmp_path, kind=kind, device=device))
    expected = trained(opened(SMALL, CIFAR, tmp_path, kind=kind))
    for sample in range(COUNT):
        assert found[sample].device.type == "cuda"
        assert torch.allclose(found[sample].cpu(), expected[sample], atol=1e-6)


@pytest.mark.parametrize(("pages", "kind"), [(10**9, "store"), (1, "loader")])
def test_unscaled_pictures_that_memory_can_not_hold_stay_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, kind: str
) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": pages, "SC_PAGE_SIZE": 4096}.get)
    random = replace(VOC, scale_range=(40, 50))
    assert opened(RAGGED, random, tmp_path).kind == kind
    assert opened(RAGGED, VOC, tmp_path).kind == "store"

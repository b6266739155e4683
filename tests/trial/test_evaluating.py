"""Against plain loops over torchvision's data sets and transforms: the same answers, sample by sample."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import transforms

from resbench.datasets.labelled import Labelled, open_labelled
from resbench.errors import ResbenchError, UsageError
from resbench.models.outside import open_model
from resbench.specs import Precision
from resbench.training.protocols import IMAGENET_MEAN, IMAGENET_STD, Protocol, Views, protocol_of
from resbench.training.recipes import HE2015_CIFAR, VOC_ZJ2020
from resbench.trial.evaluating import evaluate
from resbench.trial.published_protocol import published_protocol
from resbench.trial.weighted import Evaluation

SMALL = Protocol(views=Views.CENTER, resize=36, crop=32)

NET = """
from torch import nn

def make(classes=3):
    return nn.Sequential(
        nn.Conv2d(3, 6, 5, stride=4), nn.BatchNorm2d(6), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes),
    )
"""


@pytest.fixture
def net(tmp_path: Path) -> Callable[[int], tuple[str, Path]]:
    """Return a function that writes a user's network and weights for so many classes."""

    def make(classes: int) -> tuple[str, Path]:
        (tmp_path / "net.py").write_text(NET)
        name = f"{tmp_path / 'net.py'}:make(classes={classes})"
        torch.manual_seed(classes)
        module = open_model(name).module
        for part in module.modules():
            if isinstance(part, nn.Linear | nn.Conv2d):
                nn.init.normal_(part.weight, std=0.5)
        save_file(module.state_dict(), tmp_path / "net.safetensors")
        return name, tmp_path / "net.safetensors"

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of parts: 24 pictures of three classes and several sizes to test, 9 to train."""
    random = np.random.default_rng(0)
    for part, count in (("train", 3), ("val", 8)):
        for label, name in enumerate(("ant", "bee", "cow")):
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for i in range(count):
                size = (40 + 3 * i, 61 - 2 * i, 3)
                pixels = random.integers(0, 120 + 60 * label, size, dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / part / name / f"{i}.png")
    return tmp_path / "data"


def plain_loop(model: nn.Module, samples: list[tuple[Tensor, int]]) -> tuple[list[int], list[int]]:
    """Predicted classes and labels, one sample after the other; the mean of the logits of its views (V, C, H, W)."""
    predicted = []
    with torch.no_grad():
        predicted = [int(model(images).mean(dim=0).argmax()) for images, _ in samples]
    return predicted, [label for _, label in samples]


def opened(name: str, weights: Path) -> nn.Module:
    from safetensors.torch import load_file

    module = open_model(name).module.eval()
    module.load_state_dict(load_file(weights))
    return module


def transform(resize: int, crop: int) -> transforms.Compose:
    return transforms.Compose(
        [
            transforms.Resize(resize),
            transforms.CenterCrop(crop),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_folder_is_answered_as_a_plain_loop_does(
    net: Callable[[int], tuple[str, Path]], folder: Path, workers: int
) -> None:
    name, weights = net(3)
    reference = torchvision.datasets.ImageFolder(str(folder / "val"), transform(36, 32))
    predicted, labels = plain_loop(
        opened(name, weights),
        [(image[None], label) for image, label in map(reference.__getitem__, range(24))],
    )
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL, batch_size=5, workers=workers)
    found = evaluate(asked, open_labelled(str(folder)))
    assert list(found.predicted) == predicted
    assert list(found.labels) == labels
    assert 0 < sum(place == 0 for place in found.places) < 24
    assert found.weights.startswith("net.safetensors, SHA-256 ")


def test_places_and_losses_are_those_of_the_scores(
    net: Callable[[int], tuple[str, Path]], folder: Path
) -> None:
    name, weights = net(3)
    data = open_labelled(str(folder))
    found = evaluate(Evaluation(model=name, weights=str(weights), protocol=SMALL), data)
    reference = torchvision.datasets.ImageFolder(str(folder / "val"), transform(36, 32))
    model = opened(name, weights)
    for i in range(24):
        image_CHW, label = reference[i]
        with torch.no_grad():
            logits_K = model(image_CHW[None])[0]
        assert found.places[i] == int((logits_K > logits_K[label]).sum())
        assert found.losses[i] == pytest.approx(-logits_K.log_softmax(0)[label].item(), rel=1e-4)


def test_a_limit_is_spread_over_the_classes(net: Callable[[int], tuple[str, Path]], folder: Path) -> None:
    name, weights = net(3)
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL, limit=6)
    found = evaluate(asked, open_labelled(str(folder)))
    assert found.positions == (0, 4, 8, 12, 16, 20)
    assert found.labels == (0, 0, 1, 1, 2, 2)


def test_several_scales_and_batches_of_any_size_agree(
    net: Callable[[int], tuple[str, Path]], folder: Path
) -> None:
    name, weights = net(3)
    protocol = replace(SMALL, views=Views.MULTI_SCALE, crop=None, scales=(24, 40), mirrored=True)
    asked = Evaluation(model=name, weights=str(weights), protocol=protocol, batch_size=1)
    one = evaluate(asked, open_labelled(str(folder)))
    several = evaluate(replace(asked, batch_size=7), open_labelled(str(folder)))
    assert one.predicted == several.predicted
    assert one.losses == pytest.approx(several.losses, rel=1e-5)


def test_precise_batch_norm_takes_the_training_pictures(
    net: Callable[[int], tuple[str, Path]], folder: Path
) -> None:
    """One batch of all nine: mean and variance are those of the first layer's output, by torch."""
    name, weights = net(3)
    data = open_labelled(str(folder))
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL, batch_size=9)
    found = evaluate(replace(asked, precise_bn=1), data)
    model = opened(name, weights)
    reference = torchvision.datasets.ImageFolder(str(folder / "train"), transform(36, 32))
    with torch.no_grad():
        features = model[0](torch.stack([reference[i][0] for i in range(9)]))  # type: ignore[index]
    model[1].running_mean = features.mean(dim=(0, 2, 3))  # type: ignore[index]
    model[1].running_var = features.var(dim=(0, 2, 3), correction=0)  # type: ignore[index]
    tested = torchvision.datasets.ImageFolder(str(folder / "val"), transform(36, 32))
    predicted, _ = plain_loop(model, [(tested[i][0][None], 0) for i in range(24)])
    assert list(found.predicted) == predicted
    assert found.losses != evaluate(asked, data).losses
    assert "9 test views of 9 training pictures" in found.notes[-1]
    with pytest.raises(UsageError, match="needs training pictures"):
        evaluate(replace(asked, precise_bn=1), open_labelled(str(folder / "val")))


@pytest.mark.parametrize("whole_model", [False, True])
def test_bf16_is_what_was_asked_for(
    net: Callable[[int], tuple[str, Path]], folder: Path, whole_model: bool
) -> None:
    name, weights = net(3)
    data = open_labelled(str(folder))
    asked = Evaluation(
        model=name, weights=str(weights), protocol=SMALL, precision=Precision.BF16, whole_model=whole_model
    )
    found = evaluate(asked, data)
    exact = evaluate(replace(asked, precision=Precision.FP32, whole_model=False), data)
    assert found.losses != exact.losses
    assert found.losses == pytest.approx(exact.losses, rel=0.1, abs=0.1)
    assert found.settings["precision"].startswith("bf16 (whole model" if whole_model else "bf16 (autocast")


def test_what_does_not_fit_is_one_line(
    net: Callable[[int], tuple[str, Path]], folder: Path, tmp_path: Path
) -> None:
    data = open_labelled(str(folder))
    name, weights = net(4)
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL)
    with pytest.raises(UsageError, match=r"answers with one of 4 classes, and .*val has 3 \(ant, bee, cow"):
        evaluate(asked, data)
    ours = open_model("cifar_resnet20").module
    save_file(ours.state_dict(), tmp_path / "r20.safetensors")
    theirs = replace(asked, model="cifar_resnet20", weights=str(tmp_path / "r20.safetensors"))
    with pytest.raises(UsageError, match="cifar_resnet20 answers with one of 10 classes"):
        evaluate(theirs, data)
    with pytest.raises(UsageError, match="answers with one of 10 classes"):
        evaluate(replace(theirs, num_classes=10), data)
    with pytest.raises(UsageError, match="without weights answers at random"):
        evaluate(replace(theirs, weights=""), data)
    with pytest.raises(UsageError, match="does not fit cifar_resnet20"):
        evaluate(replace(theirs, weights=str(weights)), data)
    own = evaluate(replace(asked, model=name.replace("classes=4", "classes=3"), weights=""), data)
    assert own.weights == "as its code made them"


def test_scores_that_are_no_numbers_are_no_answers(
    net: Callable[[int], tuple[str, Path]], folder: Path, tmp_path: Path
) -> None:
    name, weights = net(3)
    state = copy.deepcopy(opened(name, weights).state_dict())
    state["5.bias"][1] = float("nan")
    save_file(state, tmp_path / "nan.safetensors")
    asked = Evaluation(model=name, weights=str(tmp_path / "nan.safetensors"), protocol=SMALL)
    with pytest.raises(ResbenchError, match="scores of 24 of 24 samples are no finite numbers"):
        evaluate(asked, open_labelled(str(folder)))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_torn_picture_is_named(net: Callable[[int], tuple[str, Path]], folder: Path, workers: int) -> None:
    name, weights = net(3)
    (folder / "val/bee/3.png").write_bytes(b"torn")
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL, workers=workers)
    with pytest.raises(ResbenchError, match=r"^/.*bee/3\.png cannot be decoded") as caught:
        evaluate(asked, open_labelled(str(folder)))
    assert "\n" not in str(caught.value)


def real(root: Path, kind: str, limit: int | None = None) -> Labelled:
    data = open_labelled(f"{kind}:{root}")
    assert limit is None or limit <= len(data)
    return data


def test_real_cifar_is_answered_as_a_plain_loop_does(
    net: Callable[[int], tuple[str, Path]], real_data: Path
) -> None:
    """All 10,000 test pictures, less the mean of the 50,000 training pictures."""
    name, weights = net(10)
    asked = Evaluation(
        model=name, weights=str(weights), protocol=protocol_of(HE2015_CIFAR.pictures), batch_size=500
    )
    found = evaluate(asked, real(real_data, "cifar10"))
    train, test = (torchvision.datasets.CIFAR10(str(real_data), train=part) for part in (True, False))
    mean_HWC = torch.from_numpy((train.data.mean(axis=0) / 255).astype(np.float32))
    images = (torch.from_numpy(test.data).float().div(255) - mean_HWC).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = torch.cat([opened(name, weights)(part) for part in images.split(500)])
    theirs = torch.tensor(test.targets)
    assert sum(place == 0 for place in found.places) == int((logits.argmax(dim=1) == theirs).sum())
    top5 = int((logits.topk(5).indices == theirs[:, None]).any(dim=1).sum())
    assert sum(place < 5 for place in found.places) == top5


def test_real_voc_is_answered_as_a_plain_loop_does(
    net: Callable[[int], tuple[str, Path]], real_data: Path
) -> None:
    """Ten crops of 60 objects, cut out, resized and cropped by PIL and torchvision's first transforms."""
    name, weights = net(20)
    asked = Evaluation(
        model=name, weights=str(weights), protocol=protocol_of(VOC_ZJ2020.pictures), batch_size=16, limit=60
    )
    data = real(real_data, "voc")
    found = evaluate(asked, data)
    normalise = transforms.Normalize([0.5] * 3, [0.5] * 3)
    ten = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.TenCrop(224),
            transforms.Lambda(
                lambda crops: torch.stack(
                    [normalise(transforms.functional.to_tensor(crop)) for crop in crops]
                )
            ),
        ]
    )
    samples = [(ten(data.split.load(i)), data.split.labels[i]) for i in found.positions]
    predicted, labels = plain_loop(opened(name, weights), samples)
    assert list(found.predicted) == predicted
    assert list(found.labels) == labels


@pytest.mark.parametrize(
    ("model", "weights", "resize", "crop", "interpolation"),
    [
        ("resnet50", "IMAGENET1K_V1", 256, 224, "bilinear"),
        ("resnet50", "IMAGENET1K_V2", 232, 224, "bilinear"),
        ("torchvision:inception_v3", "IMAGENET1K_V1", 342, 299, "bilinear"),
        ("torchvision:efficientnet_b0", "IMAGENET1K_V1", 256, 224, "bicubic"),
    ],
)
def test_published_weights_bring_their_test(
    model: str, weights: str, resize: int, crop: int, interpolation: str
) -> None:
    """The figures of torchvision's documentation."""
    found = published_protocol(model, weights)
    assert found is not None
    assert (found.resize, found.crop, found.interpolation) == (resize, crop, interpolation)


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("resnet50", "mine.pth"),
        ("cifar_resnet20", "IMAGENET1K_V1"),
        ("torchvision:nothing", "IMAGENET1K_V1"),
        ("resnet50", "IMAGENET1K_V9"),
        ("torchvision:fcn_resnet50", "COCO_WITH_VOC_LABELS_V1"),
    ],
)
def test_others_bring_none(model: str, weights: str) -> None:
    assert published_protocol(model, weights) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16])
def test_a_gpu_answers_as_the_cpu_does(
    net: Callable[[int], tuple[str, Path]], folder: Path, precision: Precision
) -> None:
    name, weights = net(3)
    data = open_labelled(str(folder))
    asked = Evaluation(model=name, weights=str(weights), protocol=SMALL)
    found = evaluate(replace(asked, device="cuda", precision=precision), data)
    assert found.losses == pytest.approx(evaluate(asked, data).losses, rel=2e-2, abs=2e-2)

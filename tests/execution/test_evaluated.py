"""Suites that test weights of others: their questions, and answers against torchvision's own transforms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import transforms

from resbench.architectures.naming import find_architecture
from resbench.datasets.progress import silent
from resbench.errors import Stopped, UsageError
from resbench.execution.evaluated import run
from resbench.execution.evaluation_plan import evaluations_of, open_tested, protocol_of
from resbench.execution.progress import Silent
from resbench.execution.scaling import Amount, parse_amount
from resbench.models.build import build
from resbench.results import Result, Statistic, Unit
from resbench.specs import Arm, DataIdentity, Experiment, Kind, Published, Scale, Source, Suite
from resbench.specs import Tested as Seen
from resbench.store.store import open_store
from resbench.training.protocols import IMAGENET_MEAN, IMAGENET_STD, Views

SOURCE = Source(title="nobody", where="nowhere", url="https://example.org")
ONE = Seen(views="center", sides=(36,), crop=32)
TEN = Seen(views="ten_crop", sides=(36,), crop=32)
SCALES = Seen(views="multi_scale", sides=(32, 48), crop=None)
COLOURS = {"blue": (20, 40, 200), "green": (30, 190, 60), "red": (210, 40, 30)}


def figure(metric: str, tested: Seen | None) -> Published:
    return Published(
        metric=metric, value=0.5, unit=Unit.ONE, printed="50.0%", decimals=1, statistic=Statistic.SINGLE,
        protocol="a test", source=SOURCE, test_samples=9, n=1, tested=tested,
    )  # fmt: skip


def suite(weights: str, *tested: Seen | None) -> Suite:
    published = tuple(figure(metric, one) for one in tested for metric in ("top1_error", "top5_error"))
    arm = Arm(model="cifar_resnet20", label="ResNet-20", published=published, weights=weights)
    return Suite(
        name="weights", title="Weights", question="Are they right?", source=SOURCE, kind=Kind.EVALUATED,
        data="imagenet", arms=(arm,),
    )  # fmt: skip


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `val`, three classes of three pictures, and weights of a network that nobody trained."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(7)
    for name, colour in COLOURS.items():
        (folder / "val" / name).mkdir(parents=True)
        for number in range(3):
            pixels = np.clip(random.normal(colour, 60, (40, 52, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "val" / name / f"{number}.png")
    torch.manual_seed(3)
    save_file(build(find_architecture("cifar_resnet20"), classes=3).state_dict(), folder / "net.safetensors")
    return folder


def questions(folder: Path, *tested: Seen | None, scale: str = "full") -> tuple[Experiment, ...]:
    asked = suite(str(folder / "net.safetensors"), *tested)
    _, identity = open_tested(asked, folder, progress=silent)
    amount = parse_amount(scale)
    return evaluations_of(asked.arms, identity, amount=amount, device="cpu", precision=None)


def answers(folder: Path, asked: tuple[Experiment, ...], store: Path, progress: Silent) -> tuple[Result, ...]:
    data, _ = open_tested(suite(str(folder / "net.safetensors")), folder, progress=silent)
    with open_store(str(store)) as opened:
        return run(asked, data, opened, batch_size=4, workers=0, progress=progress, note="drawn")


def test_each_way_that_something_was_tested_is_one_question(folder: Path) -> None:
    found = questions(folder, ONE, TEN, SCALES, None)
    assert [one.evaluation.tested for one in found if one.evaluation] == [ONE, TEN, SCALES]
    assert len({one.key for one in found}) == 3
    assert all(one.evaluation and len(one.evaluation.digest) == 64 for one in found)
    assert [protocol_of(one.evaluation).views for one in found if one.evaluation] == [
        Views.CENTER,
        Views.TEN_CROP,
        Views.MULTI_SCALE,
    ]
    assert found[0].data is not None
    assert (found[0].data.official, found[0].data.label, found[0].data.test_samples) == (
        False,
        "pictures of 3 classes",
        9,
    )


def test_other_weights_in_the_same_file_are_another_question(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "val").symlink_to(folder / "val")
    torch.manual_seed(4)
    save_file(
        build(find_architecture("cifar_resnet20"), classes=3).state_dict(), tmp_path / "net.safetensors"
    )
    (one,), (other,) = questions(folder, ONE), questions(tmp_path, ONE)
    assert one.evaluation is not None
    assert other.evaluation is not None
    renamed = replace(other, evaluation=replace(other.evaluation, weights=one.evaluation.weights))
    assert renamed.key != one.key


@pytest.mark.parametrize("name", ["run/weights.safetensors", "run/weights"])
def test_other_weights_in_the_same_folder_or_under_any_name_are_another_question(
    folder: Path, tmp_path: Path, name: str
) -> None:
    """A run's folder is named as such, a file may end as it likes; what was stored of the first weights is no answer."""
    file = tmp_path / name
    file.parent.mkdir()
    weights = str(file.parent if file.suffix else file)
    _, identity = open_tested(suite(weights), folder, progress=silent)
    keys = set()
    for seed in (3, 4):
        torch.manual_seed(seed)
        save_file(build(find_architecture("cifar_resnet20"), classes=3).state_dict(), file)
        (found,) = evaluations_of(
            suite(weights, ONE).arms, identity, amount=Amount(scale=Scale.FULL), device="cpu", precision=None
        )
        assert found.evaluation is not None
        assert len(found.evaluation.digest) == 64
        keys.add(found.key)
    assert len(keys) == 2


@pytest.mark.parametrize(("scale", "limit"), [("full", None), ("smoke", 9), ("short", 9), ("0.34", 3)])
def test_a_reduced_test_sees_fewer_pictures(folder: Path, scale: str, limit: int | None) -> None:
    (found,) = questions(folder, ONE, scale=scale)
    assert found.evaluation is not None
    assert found.evaluation.limit == limit


def test_smoke_is_at_most_96_pictures() -> None:
    identity = DataIdentity(
        kind="imagenet", label="ImageNet, validation", official=True, fingerprint="f", classes=1000,
        train_samples=0, test_samples=50_000, majority=0.001,
    )  # fmt: skip
    arm = Arm(model="resnet18", label="ResNet-18", weights="IMAGENET1K_V1")
    (found,) = evaluations_of([arm], identity, amount=Amount(scale=Scale.SMOKE), device="cpu", precision=None)
    assert found.evaluation is not None
    assert (found.evaluation.limit, found.evaluation.digest) == (96, "")
    # torchvision's own test of these weights.
    assert found.evaluation.tested == Seen(views="center", sides=(256,), crop=224)
    assert (found.evaluation.mean, found.evaluation.std) == (IMAGENET_MEAN, IMAGENET_STD)


def expected_places(folder: Path) -> list[bool]:
    """Return which pictures the network names right, by torchvision's transforms."""
    view = transforms.Compose(
        [transforms.Resize(36), transforms.CenterCrop(32), transforms.ToTensor(),
         transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)]
    )  # fmt: skip
    from safetensors.torch import load_file

    network = build(find_architecture("cifar_resnet20"), classes=3)
    network.load_state_dict(load_file(folder / "net.safetensors"))
    network.eval()
    found = []
    for label, name in enumerate(sorted(COLOURS)):
        for path in sorted((folder / "val" / name).iterdir()):
            with torch.no_grad():
                logits_BK = network(view(Image.open(path).convert("RGB"))[None])
            found.append(int(logits_BK.argmax()) == label)
    return found


def test_the_figures_are_those_of_torchvisions_transforms_and_are_found_once(
    folder: Path, tmp_path: Path
) -> None:
    asked = questions(folder, ONE)
    progress = Silent()
    (result,) = answers(folder, asked, tmp_path / "results.db", progress)
    top1 = result.find("top1_accuracy")
    right = expected_places(folder)
    assert top1 is not None
    assert top1.value == pytest.approx(sum(right) / 9)
    assert top1.n == 9
    assert top1.low is not None
    assert top1.high is not None
    assert top1.low <= top1.value <= top1.high
    # Of three classes there is no top-5.
    assert result.find("top5_accuracy") is None
    assert result.find("mean_class_accuracy") is not None
    assert result.notes[-1] == "drawn"
    assert answers(folder, asked, tmp_path / "results.db", progress) == (result,)


class Stopping(Silent):
    def stopping(self) -> bool:
        return True


def test_it_stops_when_asked(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="stopped before cifar_resnet20"):
        answers(folder, questions(folder, ONE), tmp_path / "results.db", Stopping())


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    absent = suite(str(tmp_path / "none.safetensors"), ONE)
    _, identity = open_tested(absent, folder, progress=silent)
    with pytest.raises(UsageError, match=r"cifar_resnet20 needs the weights .*there is no such file"):
        evaluations_of(absent.arms, identity, amount=Amount(scale=Scale.FULL), device="cpu", precision=None)
    with pytest.raises(UsageError, match="give --data DIR"):
        open_tested(absent, None, progress=silent)

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
import torch
from PIL import Image

from resbench.catalog import find
from resbench.datasets.data import Data, Split
from resbench.errors import ResbenchError, Stopped, UsageError
from resbench.models.build import build
from resbench.results import Ending, Epoch, Pass
from resbench.specs import DataIdentity, Engine, Optimizer, Recipe, Scale, Schedule
from resbench.training.initialisation import initialise
from resbench.training.lengths import epochs_of
from resbench.training.loop import train
from resbench.training.optimizers import make_optimizer
from resbench.training.recipes import HE2015_CIFAR, HE2015_CIFAR_WARM, VOC_ZJ2020
from resbench.training.run import Run, open_feeds, parted
from resbench.training.scales import at_scale
from resbench.training.watching import Step, Unwatched

if TYPE_CHECKING:
    from resbench.architectures.description import Architecture


def load(index: int) -> Image.Image:
    """A coloured square on noise: class 0 is red, class 1 green, class 2 blue."""
    rng = np.random.default_rng(index)
    pixels = rng.integers(0, 120, (40, 48, 3), dtype=np.uint8)
    top, left = rng.integers(0, 20, 2)
    pixels[top : top + 16, left : left + 16, index % 3] = 255
    return Image.fromarray(pixels)


def load_square(index: int) -> Image.Image:
    return load(index).resize((32, 32))


def data_of(picture: Callable[[int], Image.Image], train_samples: int = 42, test_samples: int = 21) -> Data:
    labels = tuple(index % 3 for index in range(train_samples))
    return Data(
        identity=DataIdentity(
            kind="voc_crops",
            label="squares",
            official=False,
            fingerprint="0",
            classes=3,
            train_samples=train_samples,
            test_samples=test_samples,
            majority=1 / 3,
        ),
        classes=("red", "green", "blue"),
        train=Split(labels=labels, load=picture),
        test=Split(labels=labels[:test_samples], load=picture),
    )


def small(recipe: Recipe, epochs: int) -> Recipe:
    smoke = at_scale(recipe, Scale.SMOKE)
    pictures = (
        smoke.pictures if smoke.pictures.resize is None else replace(smoke.pictures, resize=36, crop=32)
    )
    schedule = replace(smoke.schedule, length=epochs, warmup=min(1, smoke.schedule.warmup))
    return replace(smoke, pictures=pictures, schedule=schedule, train_batch=8, test_batch=8)


VOC_SMALL = small(VOC_ZJ2020, epochs=3)


class StopAt(Unwatched):
    """Stops the run after so many looks at the watch, and keeps what it was told."""

    def __init__(self, looks: int = 10**9) -> None:
        self.looks = looks
        self.epochs: list[Epoch] = []
        self.resumes: list[int] = []

    def stopping(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def epoch(self, epoch: Epoch, epochs: int) -> None:
        self.epochs.append(epoch)

    def resumed(self, epoch: int) -> None:
        self.resumes.append(epoch)


def run_of(
    folder: Path,
    recipe: Recipe = VOC_SMALL,
    *,
    seed: int = 0,
    watch: Unwatched | None = None,
    workers: int = 0,
    picture: Callable[[int], Image.Image] = load,
    engine: Engine = Engine(),  # noqa: B008 - frozen
) -> Run:
    torch.manual_seed(seed)
    engine = replace(engine, workers=workers)
    architecture: Architecture = find("model", "architectures", "ARCHITECTURES", "cifar_resnet20")
    model = build(architecture, classes=3)
    initialise(model, recipe.initialisation)
    return Run(
        model=model,
        feeds=open_feeds(data_of(picture), recipe, engine, torch.device("cpu")),
        recipe=recipe,
        engine=engine,
        seed=seed,
        device=torch.device("cpu"),
        folder=folder,
        watch=watch or StopAt(),
    )


def weights(run: Run) -> torch.Tensor:
    return weights_of(run.model)


def weights_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in model.state_dict().values()])


def the_test_of(epoch: Epoch) -> Pass:
    assert epoch.test is not None
    return epoch.test


def figures(epochs: tuple[Epoch, ...]) -> list[tuple[float, ...]]:
    """All but the seconds."""
    return [
        (
            e.number,
            e.learning_rate,
            *(
                figure
                for found in (e.train, e.test, e.validation)
                if found is not None
                for figure in (
                    found.loss,
                    found.top1,
                    found.top5,
                    found.loss_of_batches,
                    found.top1_of_batches,
                )
            ),
        )
        for e in epochs
    ]


def test_it_learns(tmp_path: Path) -> None:
    epochs = train(run_of(tmp_path, small(VOC_ZJ2020, epochs=12))).epochs
    assert len(epochs) == 12
    assert the_test_of(epochs[-1]).top1 > 0.8  # a third by chance
    assert epochs[-1].train.loss < epochs[0].train.loss


def test_one_seed_gives_one_set_of_weights_and_another_seed_another(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "1"), run_of(tmp_path / "2")
    assert figures(train(first).epochs) == figures(train(second).epochs)
    assert torch.equal(weights(first), weights(second))
    other = run_of(tmp_path / "3", seed=1)
    train(other)
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("looks", [1, 9, 12, 20, 26])
def test_a_run_that_was_stopped_anywhere_ends_as_one_that_was_not(tmp_path: Path, looks: int) -> None:
    """42 samples in batches of 8 and 21 in batches of 8: nine looks an epoch, three epochs."""
    whole = run_of(tmp_path / "whole")
    expected = train(whole).epochs
    stopped = StopAt(looks)
    with pytest.raises(Stopped, match=f"epoch {looks // 9 + 1} of 3"):
        train(run_of(tmp_path / "parts", watch=stopped))
    torch.manual_seed(12345)
    watch = StopAt()
    again = run_of(tmp_path / "parts", watch=watch)
    epochs = train(again).epochs
    assert figures(epochs) == figures(expected)
    assert torch.equal(weights(again), weights(whole))
    assert watch.resumes == [looks // 9]
    assert len(watch.epochs) == 3 - looks // 9


@pytest.mark.parametrize("feed", ["loader", "auto"])
def test_the_number_of_workers_changes_nothing(
    tmp_path: Path, feed: Literal["loader", "auto"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESBENCH_CACHE", str(tmp_path / "cache"))
    recipe, engine = small(VOC_ZJ2020, epochs=1), Engine(feed=feed)
    found = []
    for workers in (0, 1, 2):
        run = run_of(tmp_path / str(workers), recipe, workers=workers, engine=engine)
        train(run)
        found.append(weights(run))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_the_cifar_recipe_ends_at_its_last_iteration(tmp_path: Path) -> None:
    """42 samples in batches of 8 are six steps an epoch: ten iterations end in the second."""
    recipe = small(HE2015_CIFAR, epochs=10)
    epochs = train(run_of(tmp_path, recipe, picture=load_square)).epochs
    assert [epoch.train.samples for epoch in epochs] == [42, 4 * 8]


def test_64k_iterations_are_164_epochs_of_50k() -> None:
    assert epochs_of(HE2015_CIFAR, 50_000) == 164
    assert epochs_of(VOC_ZJ2020, 40_058) == 100


def test_adam_adds_l2_to_the_gradient_and_is_not_decoupled() -> None:
    """With a zero gradient of the loss, Adam's first step on w is -lr sign(w) under L2, and -lr wd w decoupled."""
    model = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, -2.0]]))
    optimizer = make_optimizer(model, Optimizer(name="adam", lr=0.01, weight_decay=0.1))
    model.weight.grad = torch.zeros_like(model.weight)
    optimizer.step()
    assert model.weight.tolist()[0] == pytest.approx([2.99, -1.99], abs=1e-5)


def test_sgd_has_the_recipes_momentum_and_decay() -> None:
    """Two steps by hand: v = 0.9 v + g + wd w, w -= lr v."""
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(1.0)
    optimizer = make_optimizer(model, HE2015_CIFAR.optimizer)
    w, v = 1.0, 0.0
    for _ in range(2):
        model.weight.grad = torch.ones_like(model.weight)
        optimizer.step()
        v = 0.9 * v + 1 + 1e-4 * w
        w -= 0.1 * v
    assert model.weight.item() == pytest.approx(w, rel=1e-6)


@pytest.mark.parametrize("warmup", [1, 3, 8])
def test_divergence_ends_the_run_at_its_step(tmp_path: Path, warmup: int) -> None:
    """A rate of 0 changes no weights; the first step at 1e20 has a good loss, the one after it is the first bad one."""
    recipe = replace(
        small(HE2015_CIFAR, epochs=12),
        optimizer=Optimizer(name="sgd", lr=1e20, weight_decay=0.0),
        schedule=Schedule(name="steps", unit="iteration", length=12, warmup=warmup, warmup_lr=0.0),
    )
    found = train(run_of(tmp_path, recipe, picture=load_square))
    assert found.ending is Ending.DIVERGED
    assert found.diverged_at == warmup + 2
    assert len(found.epochs) == (warmup + 2 > 6)


def test_the_test_set_is_read_once_and_the_held_out_samples_each_epoch(tmp_path: Path) -> None:
    recipe = replace(small(HE2015_CIFAR, epochs=18), validation=10)
    reads: list[str] = []

    class Looks(StopAt):
        def step(self, step: Step) -> None:
            if step.done == step.total:
                reads.append(step.phase)

    epochs = train(run_of(tmp_path, recipe, picture=load_square, watch=Looks())).epochs
    assert [epoch.train.samples for epoch in epochs] == [32, 32, 32, 32, 16]
    assert [epoch.validation.samples for epoch in epochs if epoch.validation is not None] == [10] * 5
    assert [epoch.test is None for epoch in epochs] == [True] * 4 + [False]
    assert reads == ["train", "validation"] * 5 + ["test"]


def test_what_is_held_out_is_the_same_for_every_seed_and_never_trained_on() -> None:
    trained, held_out = parted(range(0, 100, 2), 10)
    assert sorted([*trained, *held_out]) == list(range(0, 100, 2))
    assert len(held_out) == 10
    assert parted(range(0, 100, 2), 10) == (trained, held_out)
    with pytest.raises(UsageError, match="validation=50 of 50 training samples leaves none"):
        parted(range(50), 50)


def load_torn(index: int) -> Image.Image:
    if index == 5:
        raise ResbenchError("picture 5.jpg is torn: Error: at byte 7")
    return load(index)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_torn_picture_is_named_in_one_line(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ResbenchError) as failure:
        train(run_of(tmp_path, workers=workers, picture=load_torn))
    assert str(failure.value) == "picture 5.jpg is torn: Error: at byte 7"


def test_every_convolution_starts_as_the_recipe_says() -> None:
    """Standard deviation sqrt(2 / fan), to 3 standard errors of its estimate; batch norm at 1 and 0."""
    for name, fan_of in (("fan_out", 0), ("fan_in", 1)):
        torch.manual_seed(0)
        model = build(find("model", "architectures", "ARCHITECTURES", "resnet18"))
        initialise(model, f"kaiming_normal_{name}")
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                fan = module.weight.shape[fan_of] * module.weight[0, 0].numel()
                tolerance = 3 / (2 * module.weight.numel()) ** 0.5
                assert module.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=tolerance)
            if isinstance(module, torch.nn.BatchNorm2d):
                assert module.weight.min() == 1
                assert module.bias.max() == 0
    before = weights_of(model)
    initialise(model, "torch")
    assert torch.equal(weights_of(model), before)
    with pytest.raises(ResbenchError, match="kaiming_normal_fan_out"):
        initialise(model, "xavier")


def test_the_warm_recipe_differs_in_its_schedule_alone() -> None:
    assert replace(HE2015_CIFAR_WARM, name=HE2015_CIFAR.name, schedule=HE2015_CIFAR.schedule) == HE2015_CIFAR
    assert isinstance(HE2015_CIFAR_WARM.schedule, Schedule)

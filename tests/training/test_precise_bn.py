"""Against a table worked out by hand, against one batch of all pictures, and against numpy."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from resbench.errors import UsageError
from resbench.training.precise_bn import Statistics, recompute


def statistics(model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    return [
        (norm.running_mean.clone(), norm.running_var.clone())
        for norm in model.modules()
        if isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    ]


def network() -> nn.Sequential:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU()
    )


def pictures(count: int) -> Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(9)) * 2 + 1


def test_a_table_worked_out_by_hand() -> None:
    """One channel, one pixel: batches (1, 3), (5, 7, 9) and (11, 13).

    Means 2, 7, 12 and variances 1, 8/3, 1. Weighted by 2, 3, 2 of 7: mean 49/7 = 7. Mean of the variances
    (2 x 1 + 3 x 8/3 + 2 x 1)/7 = 12/7; variance of the means (2 x 25 + 0 + 2 x 25)/7 = 100/7: in all 16.
    """
    norm = nn.BatchNorm2d(1)
    table = ([1.0, 3.0], [5.0, 7.0, 9.0], [11.0, 13.0])
    assert recompute(norm, [torch.tensor(values).view(-1, 1, 1, 1) for values in table]) == 7
    (mean_C, variance_C), *_ = statistics(norm)
    assert mean_C.item() == pytest.approx(7.0)
    assert variance_C.item() == pytest.approx(16.0)


@given(st.lists(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=5), min_size=1, max_size=6))
def test_however_the_values_are_split_they_are_one_population(batches: list[list[float]]) -> None:
    found = Statistics(count=0, mean_C=torch.zeros(1), variance_C=torch.zeros(1))
    for values in batches:
        found.add(torch.tensor(values).view(-1, 1, 1, 1))
    everything = np.concatenate(batches)
    assert found.count == len(everything)
    assert found.mean_C.item() == pytest.approx(everything.mean(), abs=1e-3)
    assert found.variance_C.item() == pytest.approx(everything.var(), rel=1e-4, abs=1e-2)


def huge_batch(model: nn.Module, images_BCHW: Tensor) -> list[tuple[Tensor, Tensor]]:
    """What torch itself finds in one batch of all pictures; its running variance divides by n - 1."""
    reference = copy.deepcopy(model).train()
    counts = []
    for norm in reference.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
            norm.register_forward_hook(lambda _, given, __: counts.append(given[0][:, 0].numel()))
    reference(images_BCHW)
    return [
        (mean, variance * (n - 1) / n)
        for (mean, variance), n in zip(statistics(reference), counts, strict=True)
    ]


def test_by_the_population_every_layer_equals_one_huge_batch() -> None:
    model, images_BCHW = network(), pictures(50)
    expected = huge_batch(model, images_BCHW)
    assert recompute(model, images_BCHW.split(16), inputs="population") == 50
    for found, wanted in zip(statistics(model), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_by_batches_the_first_layer_does_and_the_second_sees_what_training_sees() -> None:
    model, images_BCHW = network(), pictures(48)
    first, second = huge_batch(model, images_BCHW)
    inputs = [model[3](model[2](model[1](model[0](batch)))) for batch in images_BCHW.split(16)]
    recompute(model, images_BCHW.split(16))
    found = statistics(model)
    torch.testing.assert_close(found[0], first, rtol=1e-5, atol=1e-6)
    seen = torch.cat(inputs)
    torch.testing.assert_close(found[1][0], seen.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[1][1], seen.var(dim=(0, 2, 3), correction=0), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found[1][1], second[1], rtol=1e-4)


def test_nothing_else_changes_and_dropout_is_off() -> None:
    model = nn.Sequential(nn.Dropout(0.9), network())
    model[1][1].eval()  # type: ignore[index]
    modes = [part.training for part in model.modules()]
    before = copy.deepcopy(model.state_dict())
    recompute(model, pictures(8).split(4))
    assert [part.training for part in model.modules()] == modes
    changed = [name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])]
    assert [name.rpartition(".")[2] for name in changed] == ["running_mean", "running_var"] * 2
    found = statistics(model)
    recompute(model, pictures(8).split(4))
    assert all(torch.equal(one[0], other[0]) for one, other in zip(found, statistics(model), strict=True))


def test_a_norm_that_is_used_twice_has_one_population() -> None:
    norm = nn.BatchNorm2d(1, affine=False)
    model = nn.Sequential(norm, norm)
    recompute(model, [torch.tensor([1.0, 3.0]).view(-1, 1, 1, 1)])
    # By hand: it sees 1 and 3, and then what it made of them, -1 and 1: mean 1, variance 2.
    (mean_C, variance_C), *_ = statistics(norm)
    assert mean_C.item() == pytest.approx(1.0, abs=1e-4)
    assert variance_C.item() == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("inputs", ["batch", "population"])
def test_without_pictures_there_are_no_statistics(inputs: str) -> None:
    with pytest.raises(UsageError, match="at least one batch"):
        recompute(network(), [], inputs=inputs)  # type: ignore[arg-type]


def test_a_network_without_batch_norm_stays_as_it_is() -> None:
    assert recompute(nn.Conv2d(3, 4, 3), pictures(4).split(2)) == 4

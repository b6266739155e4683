"""Against `torch.optim.swa_utils.AveragedModel`, step by step, and against the formula written out."""

import contextlib
import copy
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from resbench.training.averaging import Average, Buffers, average_of, named_tensors


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))


def train(model: nn.Module, steps: int, after: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        images_BCHW = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(images_BCHW).square().mean().backward()
        optimizer.step()
        after(model)


@pytest.mark.parametrize("buffers", ["copied", "averaged"])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_it_is_torchs_own_average(decay: float, buffers: Buffers) -> None:
    model = network()
    ours = average_of(model, decay, buffers=buffers)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=buffers == "averaged")

    def both(model: nn.Module) -> None:
        ours.update(model)
        theirs.update_parameters(model)

    train(model, 7, both)
    for name, expected in theirs.module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert ours.tensors[name] == 7  # torch averages the counter, too, and cuts it off
        else:
            assert torch.equal(ours.tensors[name], expected), name


def test_the_formula() -> None:
    """From 1, 2, 4 with decay 0.75: 1, then 1.25, then 1.9375."""
    model = nn.Linear(1, 1, bias=False)
    average = average_of(model, 0.75)
    seen = []
    for weight in (1.0, 2.0, 4.0):
        nn.init.constant_(model.weight, weight)
        average.update(model)
        seen.append(average.tensors["weight"].item())
    assert seen == [1.0, 1.25, 1.9375]


def test_the_network_has_the_average_inside_the_block_only_in_the_same_memory() -> None:
    model = network()
    average = average_of(model, 0.5)
    train(model, 3, average.update)
    own = {name: tensor.clone() for name, tensor in named_tensors(model).items()}
    mean = {name: tensor.clone() for name, tensor in average.tensors.items()}
    places = [tensor.data_ptr() for tensor in named_tensors(model).values()]
    with contextlib.suppress(KeyError), average.applied(model):
        assert all(torch.equal(tensor, mean[name]) for name, tensor in named_tensors(model).items())
        assert [tensor.data_ptr() for tensor in named_tensors(model).values()] == places
        raise KeyError  # whatever happens in the block
    assert all(torch.equal(tensor, own[name]) for name, tensor in named_tensors(model).items())
    assert all(torch.equal(tensor, mean[name]) for name, tensor in average.tensors.items())


def test_before_the_first_step_there_is_nothing_to_apply() -> None:
    model = network()
    average = average_of(model, 0.5)
    nn.init.constant_(model[0].weight, 7.0)  # type: ignore[arg-type]
    with average.applied(model):
        assert (named_tensors(model)["0.weight"] == 7).all()


def test_a_resumed_average_goes_on_exactly() -> None:
    model = network()
    whole = average_of(model, 0.9)
    train(model, 3, whole.update)
    state = load(save(whole.state()))  # as a checkpoint holds it
    resumed: Average = average_of(copy.deepcopy(model), 0.9)
    resumed.restore(state)

    def both(model: nn.Module) -> None:
        whole.update(model)
        resumed.update(model)

    train(model, 3, both)
    assert resumed.updates == 6
    assert all(torch.equal(tensor, whole.tensors[name]) for name, tensor in resumed.tensors.items())


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_outside_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        average_of(network(), decay)

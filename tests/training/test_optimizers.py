import torch
from torch import nn

from resbench.specs import Optimizer
from resbench.training.optimizers import make_optimizer, restore, set_rate

SGD = Optimizer(name="sgd", lr=0.1, weight_decay=0.5, momentum=0.9)


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def decays(spec: Optimizer) -> dict[str, float]:
    model = network()
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = make_optimizer(model, spec).param_groups
    return {names[parameter]: group["weight_decay"] for group in groups for parameter in group["params"]}


def test_decay_on_everything_or_on_the_weights_of_convolutions_and_linear_layers() -> None:
    every = ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"]
    assert decays(SGD) == dict.fromkeys(every, 0.5)
    weights = Optimizer(name="sgd", lr=0.1, weight_decay=0.5, decay="weights")
    assert decays(weights) == {name: 0.5 if name in ("0.weight", "3.weight") else 0.0 for name in every}


def test_nesterov_by_hand() -> None:
    """v = m v + g, w -= lr (g + m v), for a gradient of 1 without decay: 0.19, then v = 1.9 and 0.271."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    spec = Optimizer(name="sgd", lr=0.1, weight_decay=0.0, momentum=0.9, nesterov=True)
    optimizer = make_optimizer(model, spec)
    for expected in (-0.19, -0.19 - 0.271):
        model.weight.grad = torch.ones_like(model.weight)
        optimizer.step()
        torch.testing.assert_close(model.weight.detach(), torch.tensor([[expected]]))


def test_a_rate_on_the_device_is_filled_and_a_number_replaced() -> None:
    model = network()
    plain = make_optimizer(model, SGD)
    set_rate(plain, 0.25)
    assert [group["lr"] for group in plain.param_groups] == [0.25]
    tensor = make_optimizer(model, SGD, fused=True, on_device=torch.device("cpu"))
    held = [group["lr"] for group in tensor.param_groups]
    set_rate(tensor, 0.25)
    assert all(rate is group["lr"] for rate, group in zip(held, tensor.param_groups, strict=True))
    assert [rate.item() for rate in held] == [0.25]


def test_moments_go_to_an_optimiser_that_updates_in_another_way() -> None:
    model = network()
    plain, fused = make_optimizer(model, SGD), make_optimizer(model, SGD, fused=True)
    model(torch.randn(2, 3, 3, 3)).sum().backward()
    plain.step()
    restore(fused, plain.state_dict())
    assert fused.param_groups[0]["fused"] is True
    for parameter in model.parameters():
        assert torch.equal(
            fused.state[parameter]["momentum_buffer"], plain.state[parameter]["momentum_buffer"]
        )

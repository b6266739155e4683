"""A right backend passes, and wrong ones planted by us do not."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.models.agreement import Agreement, Reference, check_output, reference_of
from resbench.models.backends import BackendOptions, Prepared, find_backend, prepare
from resbench.models.calibration import calibrate, random_pictures
from resbench.specs import Precision

CHW = (3, 16, 16)
FP32 = BackendOptions()
BF16 = BackendOptions(precision=Precision.BF16)


def network() -> nn.Module:
    torch.manual_seed(0)
    module = nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10)),
    )
    calibrate(module, CHW)
    return module


def prepared(call: Callable[[Tensor], Tensor]) -> Prepared:
    return Prepared(call=torch.no_grad()(call), place=Tensor.contiguous)


def without_last_relu(module: nn.Module) -> nn.Module:
    assert isinstance(module, nn.Sequential)
    return nn.Sequential(*(part for index, part in enumerate(module) if index != 5))


def swapped(module: nn.Module, images_BCHW: Tensor) -> Tensor:
    logits_BK: Tensor = module(images_BCHW)
    return logits_BK[:, [1, 0, *range(2, 10)]]


def in_bf16(module: nn.Module, images_BCHW: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits_BK: Tensor = module(images_BCHW)
    return logits_BK.float()


def without_batch_norm_shift(module: nn.Module) -> nn.Module:
    assert isinstance(module, nn.Sequential)
    norm = module[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    norm.running_mean.zero_()
    return module


WRONG: dict[str, Callable[[nn.Module], Callable[[Tensor], Tensor]]] = {
    "two classes swapped": lambda module: partial(swapped, module),
    "a ReLU left out": without_last_relu,
    "means of batch-norm forgotten": without_batch_norm_shift,
    "one picture for all": lambda module: lambda images: module(images[:1].expand_as(images)),
    "blue for red": lambda module: lambda images: module(images.flip(1)),
    "not a number": lambda module: lambda images: module(images) * torch.nan,
    "the same whatever the picture": lambda module: lambda images: module(torch.ones_like(images)),
}


@pytest.mark.parametrize("options", [FP32, BF16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_backend_is_refused(wrong: str, options: BackendOptions) -> None:
    module = network()
    reference = reference_of(module, CHW, options)
    with pytest.raises(
        ResbenchError, match="backend 'planted' computes something else than eager fp32: outputs"
    ):
        check_output("planted", prepared(WRONG[wrong](module)), reference, 2)


def test_bf16_in_place_of_fp32_is_refused() -> None:
    module = network()
    call = partial(in_bf16, module)
    with pytest.raises(ResbenchError, match=r"of their range, where fp32 explains 9.5e-06"):
        check_output("planted", prepared(call), reference_of(module, CHW, FP32), 1)
    assert check_output("planted", prepared(call), reference_of(module, CHW, BF16), 1).ok


def test_other_shapes_are_refused() -> None:
    module = network()
    reference = reference_of(module, CHW, FP32)
    with pytest.raises(ResbenchError, match=r"outputs of shape \(4, 9\) instead of \(4, 10\)"):
        check_output("planted", prepared(lambda images: module(images)[:, :9]), reference, 4)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize(
    "options",
    [
        FP32,
        BF16,
        replace(BF16, whole_model=True),
        replace(FP32, memory_format="channels_last"),
    ],
    ids=["fp32", "bf16 autocast", "bf16 whole", "channels_last"],
)
def test_eager_agrees_with_itself_at_every_batch(batch_size: int, options: BackendOptions) -> None:
    module = network()
    reference = reference_of(module, CHW, options)
    ready = prepare(find_backend("eager"), module, random_pictures((batch_size, *CHW), 0), options)
    seen: list[int] = []

    def call(images_BCHW: Tensor) -> Tensor:
        seen.append(len(images_BCHW))
        return ready.call(images_BCHW)

    agreement = check_output("eager", replace(ready, call=call), reference, batch_size)
    assert agreement.ok
    assert agreement.conclusive
    assert set(seen) == {batch_size}
    assert sum(seen) >= 4  # each picture of the reference was run


def test_the_reference_leaves_the_weights_as_they_were() -> None:
    module = network()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    for options in (FP32, BF16, replace(BF16, whole_model=True)):
        reference_of(module, CHW, options)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name
        assert value.dtype == before[name].dtype


def test_fp32_rounds_as_much_as_fp32_does() -> None:
    """Between a rounding of the last bit (2 ** -24) and a thousand of them."""
    reference = reference_of(network(), CHW, FP32)
    assert 2**-26 < reference.rounding < 2**-14
    assert reference_of(network(), CHW, BF16).rounding > 1000 * reference.rounding


@pytest.mark.parametrize(
    ("precision", "rounding", "tolerance"),
    [
        (Precision.FP32, 0.0, 160 / 2**24),
        (Precision.FP32, 1e-4, 16e-4),
        (Precision.BF16, 0.0, 4 / 2**8),
        (Precision.BF16, 0.02, 0.06),
        (Precision.TF32, 0.0, 4 / 2**11),
        (Precision.FP16, 0.0, 4 / 2**11),
    ],
)
def test_the_tolerance_follows_the_rounding(precision: Precision, rounding: float, tolerance: float) -> None:
    reference = Reference(
        pictures_KCHW=torch.zeros(4, *CHW),
        logits_KC=torch.zeros(4, 10),
        precision=precision,
        rounding=rounding,
        sensitivity=0.2,
    )
    assert reference.tolerance == pytest.approx(tolerance)


def test_a_check_that_says_little_says_so() -> None:
    sharp = Agreement(max_abs=0.1, max_rel=0.01, tolerance=0.03, sensitivity=0.2)
    blunt = Agreement(max_abs=0.1, max_rel=0.01, tolerance=0.3, sensitivity=0.2)
    assert (sharp.conclusive, blunt.conclusive) == (True, False)
    assert sharp.sentence == (
        "Output within 0.01 of eager fp32, as a share of the range of the outputs (tolerance 0.03)."
    )
    assert "that says little" in blunt.sentence


@pytest.mark.parametrize("value", [0.0, torch.inf])
def test_outputs_that_cannot_be_compared_are_an_error(value: float) -> None:
    class Constant(nn.Module):
        def forward(self, images_BCHW: Tensor) -> Tensor:
            return torch.full((len(images_BCHW), 10), value)

    with pytest.raises(ResbenchError, match="all the same or not finite"):
        reference_of(Constant(), CHW, FP32)


def test_a_network_of_several_outputs_cannot_be_checked() -> None:
    class Pair(nn.Module):
        def forward(self, images_BCHW: Tensor) -> tuple[Tensor, Tensor]:
            return images_BCHW, images_BCHW

    with pytest.raises(ResbenchError, match="the network returns tuple"):
        reference_of(Pair(), CHW, FP32)

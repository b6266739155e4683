"""Whether a backend computes what eager PyTorch computes, within what rounding alone may change.

How far rounding carries depends on the network: one bit of bf16 moves the logits of a deep random network by 5 % of
their range, and those of a shallow one by 0.2 %. So the tolerance is measured, not guessed: how far eager PyTorch in
the same precision is from more exact arithmetic, times a margin for another order of summation.
"""

import copy
import itertools
import statistics
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.models.backends.description import CONTIGUOUS, BackendOptions, Prepared
from resbench.models.backends.eager import forward_of, place_images, place_module
from resbench.models.calibration import random_pictures
from resbench.models.precision import MANTISSA_BITS, float32_as
from resbench.specs import Precision

PICTURES: Final = 4

_MARGIN: Final = {Precision.FP32: 16.0}
_MARGIN_SHORT: Final = 3.0
"""Over the catalogue, correct backends are within 4 times of eager's own rounding in fp32 (Winograd's convolutions round
more) and within 1.6 times in bf16. Rounding to TF32 or bf16 instead of fp32 is 1,000 or 10,000 times as much: a
backend that does so unasked is refused.
"""

_ROUNDINGS: Final = {Precision.FP32: 160.0}
_ROUNDINGS_SHORT: Final = 4.0
"""The least tolerance, in single roundings of the precision: 1e-5 in fp32, 1.6 % in bf16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What eager PyTorch computes in float32.

    Attributes:
        pictures_KCHW: random pictures.
        logits_KC: its outputs for them, in float32 on the CPU.
        precision: of the backend that is to be checked.
        rounding: how far eager's outputs in that precision are from those in float32 (float32: from float64), as the
            largest difference over the range of the outputs.
        sensitivity: how far the outputs of two pictures are apart, in the same measure: the median over all pairs.
    """

    pictures_KCHW: Tensor
    logits_KC: Tensor
    precision: Precision
    rounding: float
    sensitivity: float

    @property
    def tolerance(self) -> float:
        """The largest difference, over the range of the outputs, that rounding may explain."""
        margin = _MARGIN.get(self.precision, _MARGIN_SHORT)
        roundings = _ROUNDINGS.get(self.precision, _ROUNDINGS_SHORT)
        return max(margin * self.rounding, roundings * 2.0 ** -(MANTISSA_BITS[self.precision] + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How near a backend's output is to eager PyTorch in float32.

    Attributes:
        max_abs: the largest difference of two outputs.
        max_rel: the same over the range of the outputs.
        tolerance: what `max_rel` may be.
        sensitivity: what `max_rel` is for two different pictures.
    """

    max_abs: float
    max_rel: float
    tolerance: float
    sensitivity: float

    @property
    def ok(self) -> bool:
        """Whether rounding explains the difference."""
        return self.max_rel <= self.tolerance

    @property
    def conclusive(self) -> bool:
        """Whether the tolerance is smaller than what tells two pictures apart."""
        return self.tolerance < self.sensitivity

    @property
    def sentence(self) -> str:
        """What was found, for the reader of a measurement."""
        found = (
            f"Output within {self.max_rel:.1g} of eager fp32, as a share of the range of the outputs "
            f"(tolerance {self.tolerance:.1g})"
        )
        if self.conclusive:
            return f"{found}."
        return (
            f"{found}; that says little: rounding alone moves these outputs as much as another picture "
            f"does ({self.sensitivity:.1g})."
        )


def reference_of(
    module: nn.Module, input_CHW: tuple[int, int, int], options: BackendOptions, seed: int = 1
) -> Reference:
    """Run the network eagerly, in float32 and in what the rounding is read from. Do so before a backend prepares it.

    Args:
        module: a network in float32; its weights are the same afterwards, and it lies on the device of the options.
        input_CHW: one picture.
        options: those of the backend.
        seed: of the pictures; not that of `calibrate`.

    Raises:
        ResbenchError: the network does not return one tensor of finite numbers that differ.
    """
    exact = replace(
        options, precision=Precision.FP32, whole_model=False, memory_format=CONTIGUOUS, training=False
    )
    pictures_KCHW = random_pictures((PICTURES, *input_CHW), seed)
    placed = place_module(module.eval(), exact)
    logits_KC = _outputs(placed, pictures_KCHW, exact)
    if not bool(logits_KC.isfinite().all()) or _range(logits_KC) == 0:
        raise ResbenchError(
            "the network's outputs are all the same or not finite: no backend can be checked by them"
        )
    own = replace(exact, precision=options.precision, whole_model=options.whole_model)
    return Reference(
        pictures_KCHW=pictures_KCHW,
        logits_KC=logits_KC,
        precision=options.precision,
        rounding=_rounding(placed, pictures_KCHW, logits_KC, own),
        sensitivity=statistics.median(
            _distance(one, other, logits_KC) for one, other in itertools.combinations(logits_KC, 2)
        ),
    )


def _rounding(placed: nn.Module, pictures_KCHW: Tensor, logits_KC: Tensor, own: BackendOptions) -> float:
    if own.precision is Precision.FP32:
        # To float64 and back changes no weight.
        with torch.inference_mode():
            doubled_KC = placed.double()(pictures_KCHW.to(own.device).double()).cpu()
        placed.float()
        return _distance(logits_KC.double(), doubled_KC, logits_KC)
    rounded = place_module(copy.deepcopy(placed), own) if own.whole_model else placed
    return _distance(_outputs(rounded, pictures_KCHW, own), logits_KC, logits_KC)


def _outputs(placed: nn.Module, pictures_KCHW: Tensor, options: BackendOptions) -> Tensor:
    with float32_as(options.precision):
        found = forward_of(placed, options)(place_images(pictures_KCHW, options))
    if not isinstance(found, Tensor):
        raise ResbenchError(
            f"backends are checked by one tensor of outputs; the network returns {type(found).__name__}"
        )
    return found.float().cpu()


def _range(logits_KC: Tensor) -> float:
    return float(logits_KC.max() - logits_KC.min())


def _distance(one: Tensor, other: Tensor, scale: Tensor) -> float:
    return float((one.double() - other.double()).abs().max()) / _range(scale)


def check_output(name: str, prepared: Prepared, reference: Reference, batch_size: int) -> Agreement:
    """Hold a backend's outputs for the reference's pictures, in batches of its size, against eager PyTorch's.

    Args:
        name: of the backend.
        prepared: the network, ready to run in it.
        reference: from the same network before it was prepared.
        batch_size: what it was prepared for. Pictures are repeated where a batch has more than there are.

    Raises:
        ResbenchError: the outputs differ by more than rounding explains.
    """
    count = max(batch_size, PICTURES)
    order = torch.arange(-(-count // batch_size) * batch_size) % PICTURES
    with float32_as(reference.precision):
        found = [
            prepared.call(prepared.place(reference.pictures_KCHW[chunk])).float().cpu()
            for chunk in order.split(batch_size)
        ]
    return _agreement(name, torch.cat(found), reference.logits_KC[order], reference)


def _agreement(name: str, found_NC: Tensor, expected_NC: Tensor, reference: Reference) -> Agreement:
    if found_NC.shape != expected_NC.shape:
        shapes = f"{tuple(found_NC.shape)} instead of {tuple(expected_NC.shape)}"
        raise ResbenchError(f"backend '{name}' computes something else than eager: outputs of shape {shapes}")
    largest = float((found_NC - expected_NC).abs().nan_to_num(nan=torch.inf).max())
    agreement = Agreement(
        max_abs=largest,
        max_rel=largest / _range(reference.logits_KC),
        tolerance=reference.tolerance,
        sensitivity=reference.sensitivity,
    )
    if not agreement.ok:
        raise ResbenchError(
            f"backend '{name}' computes something else than eager fp32: outputs differ by {largest:.3g}, "
            f"{agreement.max_rel:.2g} of their range, where {reference.precision} explains {agreement.tolerance:.2g}"
        )
    return agreement

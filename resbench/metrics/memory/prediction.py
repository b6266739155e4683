"""The memory that a network takes, told from its layers: what stands, what is kept, and the peak. No torch.

The peak is that of a simulation: the forward pass allocates each output and keeps what the backward pass reads, which
frees it layer by layer while gradients grow. It counts what PyTorch allocates for tensors; a library's own scratch space
and what a C library's heap loses between its blocks are not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resbench.architectures.layers import IMAGE, Layer
from resbench.architectures.plan import Kind
from resbench.metrics.memory.backward import run_backward
from resbench.metrics.memory.forward import run_forward
from resbench.metrics.memory.heap import Heap, Purpose
from resbench.metrics.memory.optimizers import STEP_B, Optimizer, find_optimizer
from resbench.metrics.memory.setting import Setting, setting_of

COUNTER_B = 8
"""The number of batches that a batch norm has seen: int64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Bytes, by what they are for; what does not occur is left out.

    Attributes:
        parts: the whole of each: all weights, all gradients, all that a forward pass keeps.
        at_peak: what of them is alive at the peak, with the workspace of that moment.
        peak: the most that is alive at once: the sum of `at_peak`.
        peak_during: the layer and the pass in which that happens.
    """

    parts: Mapping[Purpose, int]
    at_peak: Mapping[Purpose, int]
    peak: int
    peak_during: str


def predict_inference(
    layers: Sequence[Layer],
    batch_size: int,
    *,
    precision: str = "fp32",
    whole_model: bool = False,
    blocked: bool = False,
) -> Prediction:
    """Return the memory of one forward pass in evaluation, without gradients.

    Args:
        layers: of the network, for one picture.
        batch_size: pictures in one call.
        precision: `fp32`, `tf32`, `bf16` or `fp16`.
        whole_model: whether weights, too, are of that precision; else autocast.
        blocked: whether convolutions work on copies of contiguous tensors in a layout of their own, as oneDNN's do on the CPU.

    Raises:
        UsageError: there is no such precision.
    """
    heap = Heap()
    setting = setting_of(batch_size, precision, whole_model=whole_model, blocked=blocked)
    _place(heap, layers, setting)
    parts = dict(heap.live)
    run_forward(heap, layers, setting, training=False)
    return _prediction(heap, parts)


def predict_training(
    layers: Sequence[Layer],
    batch_size: int,
    *,
    precision: str = "fp32",
    whole_model: bool = False,
    blocked: bool = False,
    optimizer: str = "sgd",
    frees_gradients_first: bool = True,
) -> Prediction:
    """Return the memory of a training step after the first: forward with cross entropy, backward, optimiser.

    Args:
        layers: of the network, for one picture.
        batch_size: pictures in one step.
        precision: as `predict_inference`.
        whole_model: as `predict_inference`.
        blocked: as `predict_inference`.
        optimizer: `sgd` or `adam`.
        frees_gradients_first: whether the last step's gradients are freed before the forward pass, as a step of `resbench`
            does; else before the backward pass.

    Raises:
        UsageError: there is no such precision or optimiser.
    """
    heap, chosen = Heap(), find_optimizer(optimizer)
    setting = setting_of(batch_size, precision, whole_model=whole_model, blocked=blocked)
    _place(heap, layers, setting)
    gradients_B = heap.live[Purpose.WEIGHTS]
    heap.allocate(_state(chosen, layers, gradients_B), Purpose.OPTIMIZER)
    old = heap.allocate(0 if frees_gradients_first else gradients_B, Purpose.GRADIENTS)
    kept = run_forward(heap, layers, setting, training=True)
    parts = {**heap.live, Purpose.GRADIENTS: gradients_B}
    heap.release(old)
    run_backward(heap, layers, setting, kept)
    heap.now = "optimizer step"
    largest = max((layer.weights for layer in layers), default=0)
    heap.allocate(chosen.temporaries * setting.weight_B * largest)
    return _prediction(heap, parts)


def _prediction(heap: Heap, parts: Mapping[Purpose, int]) -> Prediction:
    return Prediction(
        parts={purpose: parts[purpose] for purpose in Purpose if parts.get(purpose)},
        at_peak={purpose: heap.at_peak[purpose] for purpose in Purpose if heap.at_peak[purpose]},
        peak=heap.peak,
        peak_during=heap.peak_during,
    )


def _place(heap: Heap, layers: Sequence[Layer], setting: Setting) -> None:
    """Allocate weights, buffers and images."""
    norms = [layer for layer in layers if layer.kind is Kind.BATCH_NORM and layer.parameters]
    statistics = sum(2 * layer.output_CHW[0] for layer in norms)
    image = next((layer.inputs for layer in layers if IMAGE in layer.sources), 0)
    heap.now = "before the first layer"
    heap.allocate(setting.weight_B * sum(layer.parameters for layer in layers), Purpose.WEIGHTS)
    heap.allocate(setting.weight_B * statistics + COUNTER_B * len(norms), Purpose.BUFFERS)
    heap.allocate(setting.image_B * setting.batch_size * image, Purpose.IMAGES)


def _state(optimizer: Optimizer, layers: Sequence[Layer], weights_B: int) -> int:
    if not optimizer.counts_steps:
        return optimizer.copies * weights_B
    tensors = sum(
        (layer.kind is Kind.BATCH_NORM) + bool(layer.weights) + bool(layer.biases) for layer in layers
    )
    return optimizer.copies * weights_B + STEP_B * tensors

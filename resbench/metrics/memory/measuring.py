"""Memory measured stage by stage in this process, which should be a fresh one: `python -m resbench.metrics.memory`."""

import contextlib
import json
import sys
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from resbench.architectures.naming import parse_model
from resbench.metrics.memory.heap import Purpose
from resbench.metrics.memory.meters import CudaMeter, Meter, ProcessMeter, return_memory
from resbench.metrics.memory.workload import Workload
from resbench.models.devices import resolve_device
from resbench.models.outside import open_model
from resbench.models.precision import autocast, float32_as, whole_dtype
from resbench.specs import Precision


def main() -> None:
    """Answer one question from standard input."""
    workload = Workload.from_json(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):  # the answer stands alone, whatever a model prints
        try:
            answer = measure_here(workload)
        except (MemoryError, RuntimeError) as error:
            if not _is_memory(error):
                raise
            answer = {"out_of_memory": True}
    sys.stdout.write(json.dumps(answer))


def measure_here(workload: Workload) -> dict[str, object]:
    """Return the bytes of each part (by the names in `Purpose`), the peak and how it was read."""
    device = resolve_device(workload.device)
    torch.set_num_threads(workload.threads)
    meter: Meter = CudaMeter(device) if device.type == "cuda" else ProcessMeter()
    if parse_model(workload.model).is_outside:
        with torch.device("meta"):
            open_model(workload.model, classes=workload.classes)  # libraries are no part of the model
    with float32_as(Precision(workload.precision)):
        _load_libraries(device, training=workload.training)
        # Only now: a heap that gives every block back makes loading them several times as slow.
        returns = workload.returns_memory and device.type == "cpu" and return_memory()
        meter.reset_peak()
        start = meter.now()
        parts = dict(
            _train(workload, device, meter) if workload.training else _infer(workload, device, meter)
        )
    kept = ", freed memory given back at once" if returns else ""
    return {"parts": parts, "peak": meter.peak() - start, "method": f"{meter.method}{kept}"}


def _infer(workload: Workload, device: torch.device, meter: Meter) -> Iterator[tuple[Purpose, int]]:
    with torch.inference_mode():
        before = meter.now()
        module = _module(workload, device).eval()
        yield Purpose.WEIGHTS, meter.now() - before
        before = meter.now()
        images_BCHW = _images(workload, device)
        yield Purpose.IMAGES, meter.now() - before
        with autocast(_autocast_to(workload), device):
            module(images_BCHW)
        # Whatever the network keeps for itself counts until here.
        meter.now()


def _train(workload: Workload, device: torch.device, meter: Meter) -> Iterator[tuple[Purpose, int]]:
    """Take two steps, the second with the first one's gradients and state, and tell what each stage of the first adds."""
    before = meter.now()
    module = _module(workload, device).train()
    yield Purpose.WEIGHTS, meter.now() - before
    before = meter.now()
    images_BCHW = _images(workload, device)
    targets_B = torch.zeros(workload.batch_size, dtype=torch.long, device=device)
    yield Purpose.IMAGES, meter.now() - before
    optimizer = _optimizer(workload.optimizer, module)
    before = meter.now()
    loss = _loss(workload, module, images_BCHW, targets_B)
    yield Purpose.ACTIVATIONS, meter.now() - before
    loss.backward()
    del loss
    yield Purpose.GRADIENTS, meter.now() - before
    before = meter.now()
    optimizer.step()
    yield Purpose.OPTIMIZER, meter.now() - before
    optimizer.zero_grad(set_to_none=True)
    _loss(workload, module, images_BCHW, targets_B).backward()
    optimizer.step()


def _loss(workload: Workload, module: nn.Module, images_BCHW: Tensor, targets_B: Tensor) -> Tensor:
    with autocast(_autocast_to(workload), images_BCHW.device):
        logits_BK = module(images_BCHW)
    return nn.functional.cross_entropy(logits_BK.float(), targets_B)


def _autocast_to(workload: Workload) -> Precision:
    return Precision.FP32 if workload.whole_model else Precision(workload.precision)


def _optimizer(name: str, module: nn.Module) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(module.parameters(), lr=0.0)
    return torch.optim.SGD(module.parameters(), lr=0.0, momentum=0.9)


def _module(workload: Workload, device: torch.device) -> nn.Module:
    module = open_model(workload.model, classes=workload.classes).module.to(device)
    if workload.whole_model:
        module = module.to(whole_dtype(Precision(workload.precision)))
    return module.to(memory_format=_format(workload))


def _images(workload: Workload, device: torch.device) -> Tensor:
    dtype = whole_dtype(Precision(workload.precision)) if workload.whole_model else torch.float32
    images_BCHW = torch.randn(workload.shape, device=device, dtype=dtype)
    return images_BCHW.to(memory_format=_format(workload))


def _format(workload: Workload) -> torch.memory_format:
    return torch.channels_last if workload.memory_format == "channels_last" else torch.contiguous_format


def _load_libraries(device: torch.device, *, training: bool) -> None:
    """Use one layer of each kind: code of kernels and workspaces of libraries are no part of the model.

    The optimisers, with what they import, take seconds to load; inference has none.
    """
    tiny = nn.Sequential(
        *(nn.Conv2d(3, 3, kernel, padding=kernel // 2) for kernel in (7, 3, 1)),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(3, 2),
    ).to(device)
    images_BCHW = torch.randn(2, 3, 8, 8, device=device)
    if not training:
        with torch.inference_mode():
            tiny(images_BCHW)
        return
    optimizer = torch.optim.SGD(tiny.parameters(), lr=0.1, momentum=0.9)
    targets_B = torch.zeros(2, dtype=torch.long, device=device)
    nn.functional.cross_entropy(tiny(images_BCHW), targets_B).backward()
    optimizer.step()


def _is_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in str(error) for words in ("allocate memory", "bad_alloc")
    )

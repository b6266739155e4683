"""From a name and options to a network that is ready to run, or to one line that says why there is none."""

import importlib.util

import torch
from torch import Tensor, nn

from resbench.catalog import find, gather
from resbench.errors import UsageError
from resbench.models.backends.description import Backend, BackendOptions, Prepared
from resbench.models.precision import check_precision
from resbench.specs import Precision

_SHORT_PRECISIONS = (Precision.BF16, Precision.FP16)


def backends() -> tuple[Backend, ...]:
    """Return every backend, installed or not, eager first."""
    found: dict[str, Backend] = gather("models.backends", "BACKEND")
    return tuple(sorted(found.values(), key=lambda backend: (backend.name != "eager", backend.name)))


def find_backend(name: str) -> Backend:
    """Return the backend called `name`, of which everything that it needs is installed.

    Raises:
        UsageError: there is none, or a package that it needs is missing.
    """
    backend: Backend = find("backend", "models.backends", "BACKEND", name)
    missing = [package for package in backend.needs if importlib.util.find_spec(package) is None]
    if missing:
        raise UsageError(
            f"backend '{name}' needs {' and '.join(missing)}, not installed here: "
            f'pip install "resbench[{backend.extra}]"'
        )
    return backend


def check_options(backend: Backend, options: BackendOptions) -> None:
    """Refuse what the backend or the device cannot do; nothing is replaced by something near.

    Raises:
        UsageError: device, precision, memory format or mode is one that the backend has not.
    """
    device, precision = options.device, options.precision
    if device.type not in backend.devices:
        raise _refusal(backend, f"runs on {' and '.join(backend.devices)} only, not on {device}")
    if precision not in backend.precisions:
        raise _refusal(backend, f"computes in {', '.join(backend.precisions)} only, not in {precision}")
    if options.memory_format not in backend.memory_formats:
        raise _refusal(
            backend, f"chooses its own layout: memory format '{options.memory_format}' is not for it"
        )
    if options.whole_model and not backend.whole_model:
        raise _refusal(backend, f"itself chooses where {precision} is used: leave out the whole-model option")
    if options.whole_model and precision not in _SHORT_PRECISIONS:
        raise UsageError(
            f"a whole model in {precision} is plain {precision}: leave out the whole-model option"
        )
    if options.training and not backend.trains:
        trainers = " or ".join(each.name for each in backends() if each.trains)
        raise _refusal(backend, f"has no training step: use {trainers}")
    check_precision(precision, device)


def _refusal(backend: Backend, why: str) -> UsageError:
    return UsageError(f"backend '{backend.name}' {why}")


def prepare(backend: Backend, module: nn.Module, images_BCHW: Tensor, options: BackendOptions) -> Prepared:
    """Return the network ready to run on batches of that shape.

    On a GPU call it, and all that is measured after it, inside `resbench.models.precision.float32_as(precision)`.

    Args:
        backend: what runs it.
        module: a network on the CPU in float32; it may be changed, so take its reference output before
            (`resbench.models.agreement.reference_of`).
        images_BCHW: example pictures in float32 on the CPU.
        options: how to run it.

    Raises:
        UsageError: the backend cannot do what the options ask for.
        ResbenchError: it fails on this network.
    """
    check_options(backend, options)
    tf32 = options.precision is Precision.TF32
    if options.device.type == "cuda" and torch.backends.cudnn.allow_tf32 is not tf32:
        raise ValueError("prepare and measure on CUDA inside of float32_as(precision)")
    return backend.prepare(module.train(options.training), images_BCHW, options)

"""The arithmetic that a precision stands for: float32, TF32, autocast with float32 weights, or a whole model of fewer bits."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Final

import torch

from resbench.errors import UsageError
from resbench.specs import Precision

_DTYPES = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}

MANTISSA_BITS: Final = {Precision.FP32: 23, Precision.TF32: 10, Precision.BF16: 7, Precision.FP16: 10}
"""Stored bits of the significand: a rounding changes a value by at most 2 ** -(bits + 1) of it."""


def check_precision(precision: Precision, device: torch.device) -> None:
    """Refuse what the device cannot do.

    Raises:
        UsageError: fp16 or tf32 on a CPU, or bf16 or tf32 on a GPU that has none.
    """
    if precision is Precision.FP16 and device.type == "cpu":
        raise UsageError("precision 'fp16' is for GPUs: on a CPU use bf16 or fp32")
    if precision is Precision.TF32 and device.type == "cpu":
        raise UsageError("precision 'tf32' is for NVIDIA GPUs: on a CPU use bf16 or fp32")
    if precision is Precision.TF32 and not _has_tf32(device):
        name = torch.cuda.get_device_name(device)
        raise UsageError(f"precision 'tf32' is not supported by {name}: use fp16 or fp32")
    if precision is Precision.BF16 and device.type == "cuda" and not _has_bf16(device):
        name = torch.cuda.get_device_name(device)
        raise UsageError(f"precision 'bf16' is not supported by {name}: use fp16 or fp32")


def _has_bf16(device: torch.device) -> bool:
    """Ampere (8.0) brought it; what torch itself calls supported may be emulated."""
    return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)


def _has_tf32(device: torch.device) -> bool:
    """Ampere (8.0) brought it; it is a format of NVIDIA's."""
    return torch.version.hip is None and torch.cuda.get_device_capability(device) >= (8, 0)


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context of one forward pass: autocast to bf16 or fp16, or nothing for float32 tensors."""
    if precision not in _DTYPES:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_DTYPES[precision])


def whole_dtype(precision: Precision) -> torch.dtype:
    """Return the type of all tensors of a whole model of that precision; TF32 rounds inside of products only."""
    return _DTYPES.get(precision, torch.float32)


def in_words(precision: Precision, *, whole_model: bool, device: torch.device) -> str:
    """Name the arithmetic, for the settings of a measurement."""
    if precision in _DTYPES:
        return f"{precision} ({'whole model' if whole_model else 'autocast, entered for each call'})"
    if device.type == "cuda":
        return f"{precision} (TF32 {'on' if precision is Precision.TF32 else 'off'})"
    return precision.value


@contextlib.contextmanager
def float32_as(precision: Precision) -> Iterator[None]:
    """Let float32 products on GPUs be TF32 inside the block where that is the precision, and float32 where it is not.

    PyTorch lets cuDNN's convolutions use TF32, with 10 bits of mantissa instead of 23, unless told otherwise.
    """
    before = (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
    wanted = precision is Precision.TF32
    _allow_tf32(convolutions=wanted, products=wanted)
    try:
        yield
    finally:
        _allow_tf32(convolutions=before[0], products=before[1])


def without_tf32() -> contextlib.AbstractContextManager[None]:
    """Let float32 be float32 on GPUs inside the block."""
    return float32_as(Precision.FP32)


def _allow_tf32(*, convolutions: bool, products: bool) -> None:
    with warnings.catch_warnings():
        # The newer per-operation settings cannot be read again through the older ones, which others still use.
        warnings.simplefilter("ignore")
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products

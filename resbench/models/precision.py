"""The arithmetic that a precision stands for: float32 throughout, or autocast with float32 weights."""

import contextlib
import warnings
from collections.abc import Iterator

import torch

from resbench.errors import UsageError
from resbench.specs import Precision

_DTYPES = {Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def check_precision(precision: Precision, device: torch.device) -> None:
    """Refuse what the device cannot do.

    Raises:
        UsageError: fp16 on a CPU, or bf16 on a GPU that has none.
    """
    if precision is Precision.FP16 and device.type == "cpu":
        raise UsageError("precision 'fp16' is for GPUs: on a CPU use bf16 or fp32")
    if precision is Precision.BF16 and device.type == "cuda" and not _has_bf16(device):
        name = torch.cuda.get_device_name(device)
        raise UsageError(f"precision 'bf16' is not supported by {name}: use fp16 or fp32")


def _has_bf16(device: torch.device) -> bool:
    """Ampere (8.0) brought it; what torch itself calls supported may be emulated."""
    return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)


def autocast(precision: Precision, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return the context of one forward pass: autocast to bf16 or fp16, or nothing for fp32."""
    if precision is Precision.FP32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_DTYPES[precision])


@contextlib.contextmanager
def without_tf32() -> Iterator[None]:
    """Let float32 be float32 on GPUs inside the block.

    PyTorch lets cuDNN's convolutions use TF32, with 10 bits of mantissa instead of 23, unless told otherwise.
    """
    before = (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
    _allow_tf32(convolutions=False, products=False)
    try:
        yield
    finally:
        _allow_tf32(convolutions=before[0], products=before[1])


def _allow_tf32(*, convolutions: bool, products: bool) -> None:
    with warnings.catch_warnings():
        # The newer per-operation settings cannot be read again through the older ones, which others still use.
        warnings.simplefilter("ignore")
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products

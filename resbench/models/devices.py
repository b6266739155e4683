"""Which device a name stands for. Nothing falls back to another device."""

import re

import torch

from resbench.errors import UsageError, unknown

_FAMILIAR = {"gpu": "cuda", "nvidia": "cuda", "rocm": "cuda", "hip": "cuda"}


def resolve_device(name: str) -> torch.device:
    """Return the device called `cpu`, `cuda` or `cuda:1`.

    Raises:
        UsageError: the name means nothing here, CUDA is absent, or there is no device of that number.
    """
    if name == "cpu":
        return torch.device("cpu")
    matched = re.fullmatch(r"cuda(?::(\d+))?", name)
    if matched is None:
        family, colon, number = name.lower().partition(":")
        if family in _FAMILIAR:
            raise UsageError(f"unknown device '{name}': did you mean {_FAMILIAR[family]}{colon}{number}?")
        raise unknown("device", name, ("cpu", "cuda", "cuda:0", "cuda:1"))
    if not torch.cuda.is_available():
        built = torch.version.cuda or torch.version.hip
        why = "finds no usable GPU" if built else "is built without CUDA"
        raise UsageError(f"device '{name}' is not there: torch {torch.__version__} {why}; use --device cpu")
    count = torch.cuda.device_count()
    index = int(matched[1] or 0)
    if index >= count:
        last = "only cuda:0" if count == 1 else f"cuda:0 to cuda:{count - 1}"
        raise UsageError(f"device '{name}' is not there: this machine has {last}")
    return torch.device("cuda", index)

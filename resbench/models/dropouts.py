"""Dropouts made visible to `observe`, which runs a network in evaluation mode, where they do nothing."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_DROPOUTS = (
    functional.dropout,
    functional.dropout1d,
    functional.dropout2d,
    functional.dropout3d,
    functional.alpha_dropout,
    functional.feature_alpha_dropout,
)


class ActiveDropouts(TorchFunctionMode):
    """While it is active, every dropout with a probability above 0 runs as it does in training."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call `func`; a dropout in training mode."""
        given = kwargs or {}
        return _active(func, *args, **given) if func in _DROPOUTS else func(*args, **given)


def _active(func: Any, image: Tensor, p: float = 0.5, *_: Any, **__: Any) -> Tensor:
    dropped: Tensor = func(image, p, training=True) if p else image
    return dropped

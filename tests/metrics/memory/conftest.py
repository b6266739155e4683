"""An independent account of memory: PyTorch's own autograd on the meta device, with every storage watched."""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from resbench.models.outside import open_model

Account = Callable[..., int]


class Storages(TorchDispatchMode):
    """Counts the bytes of all storages that operators made and that are not freed yet."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.live = self.peak = 0

    def watch(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.sizes:
            return
        self.sizes[storage._cdata] = storage.nbytes()
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._freed, storage._cdata)

    def _freed(self, key: int) -> None:
        self.live -= self.sizes.pop(key)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, Tensor):
                self.watch(tensor)
        return out


@pytest.fixture
def dry_inference() -> Account:
    def account(name: str, batch_size: int, input_CHW: tuple[int, int, int]) -> int:
        storages = Storages()
        with torch.device("meta"), storages, torch.inference_mode():
            module = open_model(name).module.eval()
            module(torch.empty(batch_size, *input_CHW))
            return storages.peak

    return account


@pytest.fixture
def dry_step() -> Account:
    """Peak of the second of two training steps; gradients are freed before the forward pass."""

    def account(name: str, batch_size: int, input_CHW: tuple[int, int, int], optimizer: str = "sgd") -> int:
        storages = Storages()
        with torch.device("meta"), storages:
            module = open_model(name).module.train()
            made = _optimizer(optimizer, module)
            images_BCHW = torch.empty(batch_size, *input_CHW)
            targets_B = torch.zeros(batch_size, dtype=torch.long)
            for _ in range(2):
                made.zero_grad(set_to_none=True)
                loss = nn.functional.cross_entropy(module(images_BCHW), targets_B)
                loss.backward()
                made.step()
            return storages.peak

    return account


def _optimizer(name: str, module: nn.Module) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.Adam(module.parameters(), foreach=False)
    return torch.optim.SGD(module.parameters(), lr=0.0, momentum=0.9, foreach=False)

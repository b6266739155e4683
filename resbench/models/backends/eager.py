"""PyTorch as it is: each operation runs as it is met."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from resbench.models.backends.description import MEMORY_FORMATS, Backend, BackendOptions, Prepared
from resbench.models.precision import autocast, in_words, whole_dtype


def place_module(module: nn.Module, options: BackendOptions) -> nn.Module:
    """Bring a network to the device, the layout and, as a whole model of fewer bits, the type of the options."""
    placed = module.to(device=options.device, dtype=_dtype(options))
    return placed.to(memory_format=MEMORY_FORMATS[options.memory_format])


def place_images(images_BCHW: Tensor, options: BackendOptions) -> Tensor:
    """Bring pictures to where `place_module` brings the network."""
    placed = images_BCHW.to(device=options.device, dtype=_dtype(options))
    return placed.contiguous(memory_format=MEMORY_FORMATS[options.memory_format])


def _dtype(options: BackendOptions) -> torch.dtype:
    return whole_dtype(options.precision) if options.whole_model else torch.float32


def forward_of(forward: Callable[[Tensor], Tensor], options: BackendOptions) -> Callable[[Tensor], Tensor]:
    """Return the forward pass in the precision of the options: without gradients, or as a training step begins."""
    precision, device = options.precision, options.device
    cast = torch.autocast(device.type, enabled=False) if options.whole_model else autocast(precision, device)
    recording = torch.enable_grad() if options.training else torch.inference_mode()

    def call(images_BCHW: Tensor) -> Tensor:
        with recording, cast:
            return forward(images_BCHW)

    return call


def settings_of(options: BackendOptions) -> dict[str, str]:
    """Say how PyTorch is set."""
    words = in_words(options.precision, whole_model=options.whole_model, device=options.device)
    return {"precision": words, "memory format": options.memory_format}


def _prepare(module: nn.Module, _images_BCHW: Tensor, options: BackendOptions) -> Prepared:
    placed = place_module(module, options)
    return Prepared(
        call=forward_of(placed, options),
        place=partial(place_images, options=options),
        settings=settings_of(options),
        module=placed,
    )


BACKEND = Backend(name="eager", summary="PyTorch, operation by operation", prepare=_prepare, trains=True)

"""Residual networks as other people write them: functional ReLUs, other names, other orders. Nothing of resbench."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def zeros_behind(image: Tensor, width: int) -> Tensor:
    """Option A of He et al. 2015: every second pixel, zeros appended."""
    return functional.pad(image[:, :, ::2, ::2], (0, 0, 0, 0, 0, width - image.shape[1]))


def zeros_on_both_sides(image: Tensor, width: int) -> Tensor:
    """Option A as many public CIFAR repositories have it."""
    side = (width - image.shape[1]) // 2
    return functional.pad(image[:, :, ::2, ::2], (0, 0, 0, 0, side, side))


def pooled_and_concatenated(image: Tensor, width: int) -> Tensor:
    """Option A as of a pool over single pixels and a concatenation."""
    small = functional.avg_pool2d(image, 1, 2)
    return torch.cat((small, torch.zeros_like(small)), dim=1)


Padding = Callable[[Tensor, int], Tensor]


class Basic(nn.Module):
    def __init__(self, into: int, width: int, stride: int, padding: Padding | None, **choices: bool) -> None:
        super().__init__()
        bias = choices.get("bias", False)
        self.relu_first = choices.get("relu_before_add", False)
        self.norm_last = choices.get("bn_after_add", False)
        self.padding = padding
        self.width = width
        # The shortcut is made first and run first.
        self.short = nn.Sequential()
        if padding is None and into != width:
            self.short = nn.Sequential(nn.Conv2d(into, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.c1 = nn.Conv2d(into, width, 3, stride, 1, bias=bias)
        self.n1 = nn.BatchNorm2d(width)
        self.c2 = nn.Conv2d(width, width, 3, 1, 1, bias=bias)
        self.n2 = nn.BatchNorm2d(width)

    def forward(self, image: Tensor) -> Tensor:
        shortcut = self.short(image)
        if self.padding is not None and image.shape[1] != self.width:
            shortcut = self.padding(image, self.width)
        out = self.c2(functional.relu(self.n1(self.c1(image))))
        if self.norm_last:
            return functional.relu(self.n2(shortcut + out))
        if self.relu_first:
            return torch.add(functional.relu(self.n2(out)), shortcut)
        return functional.relu(shortcut + self.n2(out))


class Cifar(nn.Module):
    """6n + 2 layers; `padding` None: option B."""

    def __init__(
        self, blocks: int, padding: Padding | None = zeros_behind, width: int = 16, **choices: bool
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        units: list[nn.Module] = []
        into = width
        for stage in range(3):
            for number in range(blocks):
                out, stride = width * 2**stage, 2 if stage and not number else 1
                units.append(Basic(into, out, stride, padding, **choices))
                into = out
        self.units = nn.ModuleList(units)
        self.linear = nn.Linear(into, 10)

    def forward(self, image: Tensor) -> Tensor:
        out = torch.relu(self.norm(self.first(image)))
        for unit in self.units:
            out = unit(out)
        result: Tensor = self.linear(out.mean((2, 3)))
        return result


class PreactBasic(nn.Module):
    def __init__(self, into: int, width: int, stride: int) -> None:
        super().__init__()
        self.n1 = nn.BatchNorm2d(into)
        self.c1 = nn.Conv2d(into, width, 3, stride, 1, bias=False)
        self.n2 = nn.BatchNorm2d(width)
        self.c2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.width = width

    def forward(self, image: Tensor, *, first: bool) -> Tensor:
        active = functional.relu(self.n1(image))
        shortcut = active if first else image
        if image.shape[1] != self.width:
            shortcut = zeros_behind(image, self.width)
        result: Tensor = self.c2(functional.relu(self.n2(self.c1(active)))) + shortcut
        return result


class CifarPreact(nn.Module):
    """Full pre-activation (He et al. 2016, Figure 4e), with or without its last BN and ReLU."""

    def __init__(self, blocks: int, *, last: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        widths = [16 * 2**stage for stage in range(3) for _ in range(blocks)]
        before = [16, *widths]
        self.units = nn.ModuleList(
            PreactBasic(into, out, out // into) for into, out in zip(before, widths, strict=False)
        )
        self.last = nn.BatchNorm2d(64) if last else None
        self.linear = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        out = self.first(image)
        for number, unit in enumerate(self.units):
            out = unit(out, first=number == 0)
        if self.last is not None:
            out = functional.relu(self.last(out))
        result: Tensor = self.linear(functional.avg_pool2d(out, out.shape[-1]).flatten(1))
        return result


class Bottleneck(nn.Module):
    def __init__(self, into: int, width: int, stride: int, *, stride_first: bool) -> None:
        super().__init__()
        out = 4 * width
        first, second = (stride, 1) if stride_first else (1, stride)
        self.body = nn.Sequential(
            nn.Conv2d(into, width, 1, first, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, second, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.side: nn.Module = nn.Identity()
        if into != out:
            self.side = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, image: Tensor) -> Tensor:
        return functional.relu(self.body(image) + self.side(image))


class ResNet50(nn.Module):
    """Table 1 of He et al. 2015, the stride on the first 1x1 or on the 3x3."""

    def __init__(self, *, stride_first: bool, kernel: int = 7, pool: bool = True) -> None:
        super().__init__()
        stem: list[nn.Module] = [
            nn.Conv2d(3, 64, kernel, 2, kernel // 2, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
        ]
        if pool:
            stem.append(nn.MaxPool2d(3, 2, 1))
        self.stem = nn.Sequential(*stem)
        units: list[nn.Module] = []
        into = 64
        for stage, blocks in enumerate((3, 4, 6, 3)):
            for number in range(blocks):
                width, stride = 64 * 2**stage, 2 if stage and not number else 1
                units.append(Bottleneck(into, width, stride, stride_first=stride_first))
                into = 4 * width
        self.units = nn.Sequential(*units)
        self.pool = nn.AvgPool2d(7) if pool else nn.AvgPool2d(14)
        self.linear = nn.Linear(into, 1000)

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.linear(torch.flatten(self.pool(self.units(self.stem(image))), 1))
        return result


# What tests open by name.


def resnet20() -> nn.Module:
    return Cifar(3)


def resnet20_pooled() -> nn.Module:
    return Cifar(3, pooled_and_concatenated)


def resnet20_preact() -> nn.Module:
    return CifarPreact(3, last=True)


def resnet50() -> nn.Module:
    return ResNet50(stride_first=False)


def resnet50_of_the_paper() -> nn.Module:
    return ResNet50(stride_first=True)


def resnet110() -> nn.Module:
    """Not the paper's: option B."""
    return Cifar(18, None)


def resnet56_padded_on_both_sides() -> nn.Module:
    return Cifar(9, zeros_on_both_sides)


def resnet56_biased() -> nn.Module:
    return Cifar(9, bias=True)


def resnet110_preact() -> nn.Module:
    return CifarPreact(18, last=True)


def resnet110_preact_without_last() -> nn.Module:
    return CifarPreact(18, last=False)


def resnet110_relu_before_add() -> nn.Module:
    return Cifar(18, relu_before_add=True)


def resnet20_bn_after_add() -> nn.Module:
    return Cifar(3, bn_after_add=True)


def resnet50_with_3x3_stem() -> nn.Module:
    return ResNet50(stride_first=False, kernel=3)


def resnet50_without_max_pool() -> nn.Module:
    return ResNet50(stride_first=False, pool=False)


def resnet56() -> nn.Module:
    """Not the paper's: 44 layers."""
    return Cifar(7)


def resnet20_twice_as_wide() -> nn.Module:
    return Cifar(3, width=32)

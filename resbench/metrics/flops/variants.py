"""What a quoted number may have been counted on instead: another form, head, picture or batch. No torch.

A departure has a price: the lower, the likelier that somebody counted that. Published figures of one network differ by
the placement of a stride or the shortcut option before they differ by the picture, and hardly ever by the batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, product
from typing import NamedTuple, cast

from resbench.architectures.description import Architecture
from resbench.architectures.forms import Block, Shortcut
from resbench.architectures.residual import ResidualBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is counted.

    Attributes:
        architecture: None for an observed network, which is taken as it is.
        input_CHW: the picture.
        classes: outputs of the head; 0: no head; None: an observed network's own.
        biased: whether every convolution has a bias, whatever the architecture says.
        batch: pictures.
        backward: whether the backward pass is counted, too.
    """

    architecture: Architecture | None
    input_CHW: tuple[int, int, int]
    classes: int | None
    biased: bool = False
    batch: int = 1
    backward: bool = False


class Departure(NamedTuple):
    """One difference to what was asked for, in words, with its price."""

    text: str
    price: float
    change: Callable[[Setting], Setting]


class Variant(NamedTuple):
    """What is counted, and how it departs from what was asked for."""

    departures: tuple[str, ...]
    price: float
    setting: Setting


IMAGENET_SIDES = (112, 128, 160, 176, 192, 224, 240, 256, 288, 299, 320, 384, 448, 480, 512)
CIFAR_SIDES = (28, 32, 64, 224)
CLASSES = (10, 20, 100, 1000, 21841)
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)

_SHORTCUTS = {
    Shortcut.ZERO_PAD: "option A: zero padding where the size changes",
    Shortcut.PROJECTION: "option B: a 1x1 convolution where the size changes",
    Shortcut.PROJECTION_EVERYWHERE: "option C: a 1x1 convolution on every shortcut",
    Shortcut.NONE: "no shortcuts: the plain network",
}
_STRIDE, _OPTION, _PLAIN, _BIAS, _BIAS_EVERYWHERE = 1.0, 1.0, 1.25, 1.25, 1.5
_HEAD, _NO_HEAD, _BACKWARD, _SIDE, _BATCH = 1.5, 1.75, 2.0, 3.0, 3.5

_UNLIKELY = 5.5
"""The price above which nobody counted that: another picture, in a batch."""


def variants(asked: Setting) -> list[Variant]:
    """Return what was asked for and all that departs from it in one or two ways, the cheapest first."""
    axes = [list(axis(asked)) for axis in (_strides, _options, _biases, _heads, _passes, _sides, _batches)]
    picks: list[tuple[Departure, ...]] = [(), *((one,) for axis in axes for one in axis)]
    picks += [pair for first, second in combinations(axes, 2) for pair in product(first, second)]
    found = [_variant(asked, pick) for pick in picks]
    return sorted(
        (variant for variant in found if variant.price <= _UNLIKELY), key=lambda variant: variant.price
    )


def _variant(asked: Setting, pick: tuple[Departure, ...]) -> Variant:
    setting = asked
    for departure in pick:
        setting = departure.change(setting)
    return Variant(tuple(one.text for one in pick), sum(one.price for one in pick), setting)


def _setting(text: str, price: float, **fields: object) -> Departure:
    return Departure(text, price, lambda setting: replace(setting, **fields))  # type: ignore[arg-type]


def _form(text: str, price: float, **fields: object) -> Departure:
    @cache  # each form is one object, so that what is known of it can be kept
    def changed(architecture: Architecture) -> Architecture:
        body = replace(cast("ResidualBody", architecture.body), **fields)  # type: ignore[arg-type]
        return replace(architecture, body=body)

    def change(setting: Setting) -> Setting:
        return replace(setting, architecture=changed(cast("Architecture", setting.architecture)))

    return Departure(text, price, change)


def _body(asked: Setting) -> ResidualBody | None:
    body = None if asked.architecture is None else asked.architecture.body
    return body if isinstance(body, ResidualBody) else None


def _strides(asked: Setting) -> Iterator[Departure]:
    body = _body(asked)
    if body is not None and body.block is Block.BOTTLENECK:
        text = "stride on the 3x3 (v1.5)" if body.stride_on_1x1 else "stride on the first 1x1 (v1)"
        yield _form(text, _STRIDE, stride_on_1x1=not body.stride_on_1x1)


def _options(asked: Setting) -> Iterator[Departure]:
    body = _body(asked)
    if body is None or body.gating or body.shortcut_dropout or body.shortcut_scale != 1:
        return
    for option, text in _SHORTCUTS.items():
        if option is not body.shortcut:
            yield _form(text, _PLAIN if option is Shortcut.NONE else _OPTION, shortcut=option)


def _biases(asked: Setting) -> Iterator[Departure]:
    body = _body(asked)
    if body is None:
        return
    if body.block is not Block.BOTTLENECK:
        text = f"{'no' if body.block_bias else 'a'} bias in the 3x3 convolutions of a block"
        yield _form(text, _BIAS, block_bias=not body.block_bias)
    yield _setting("a bias in every convolution", _BIAS_EVERYWHERE, biased=True)


def _heads(asked: Setting) -> Iterator[Departure]:
    if asked.classes is None:
        return
    for classes in CLASSES:
        if classes != asked.classes:
            yield _setting(f"{classes} classes", _HEAD, classes=classes)
    yield _setting("no head: without its linear layer", _NO_HEAD, classes=0)


def _passes(_asked: Setting) -> Iterator[Departure]:
    yield _setting("forward and backward pass", _BACKWARD, backward=True)


def _sides(asked: Setting) -> Iterator[Departure]:
    if asked.architecture is None:
        return
    own = asked.architecture.input_CHW
    for side in CIFAR_SIDES if own[1] <= 64 else IMAGENET_SIDES:
        input_CHW = (own[0], side, side)
        if input_CHW != asked.input_CHW:
            yield _setting(f"input {own[0]}x{side}x{side}", _SIDE, input_CHW=input_CHW)


def _batches(_asked: Setting) -> Iterator[Departure]:
    for batch in BATCHES:
        yield _setting(f"batch {batch}", _BATCH, batch=batch)

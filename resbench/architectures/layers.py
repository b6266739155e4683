"""The layers of a network, in the order in which they run, with their shapes and costs in closed form. No torch.

Names are those of the modules that `resbench.models.build` makes, which are torchvision's: `layer1.0.conv1`. A module
that runs several times, as a block's one ReLU, stands several times; an addition, `layer1.0.add`, is no module.
"""

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

from resbench.architectures.description import Architecture
from resbench.architectures.plan import Chain, Dense, Gating, Kind, Part, Residual, Step
from resbench.errors import UsageError

IMAGE = -1
"""Stands among a layer's sources for the picture itself."""

Shape = tuple[int, ...]


class Layer(NamedTuple):
    """One layer for one input picture; a named tuple, since a count makes hundreds of them.

    Attributes:
        name: of the module, or of the operation in its module.
        kind: what it does.
        input_CHW, output_CHW: shapes without the batch: (channels, height, width), or (features,) after flattening.
            Of several inputs, the first's; all channels of a concatenation.
        sources: positions, among all layers of the network, of those whose output it reads; `IMAGE` for the picture.
        weights: trainable numbers, without the bias of a convolution or linear layer.
        biases: numbers in that bias.
        macs: multiply-accumulates of a convolution, linear layer or matrix product, no bias; 0 for other kinds.
        kernel, stride, padding, groups, dilation: of a convolution or pool, in height; a zero padding's stride is how it
            subsamples.
        before, after: channels of zeros that a zero padding puts before and after its input's.
        adaptive: whether a pool is told the size of its output instead of its window.
        module: class of the module that does it, as "Conv2d"; empty for a function.
        operator: what was seen to run, as "aten.gelu", where a network was observed and not described.
    """

    name: str
    kind: Kind
    input_CHW: Shape
    output_CHW: Shape
    sources: tuple[int, ...] = ()
    weights: int = 0
    biases: int = 0
    macs: int = 0
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    adaptive: bool = False
    module: str = ""
    operator: str = ""

    @property
    def parameters(self) -> int:
        """All trainable numbers."""
        return self.weights + self.biases

    @property
    def inputs(self) -> int:
        """Elements that go in."""
        return prod(self.input_CHW)

    @property
    def outputs(self) -> int:
        """Elements that come out."""
        return prod(self.output_CHW)


def layers_of(
    architecture: Architecture, input_CHW: tuple[int, int, int] | None = None, classes: int | None = None
) -> tuple[Layer, ...]:
    """Return every layer of the network in the order in which it runs.

    Args:
        architecture: the description.
        input_CHW: channels, height and width of the picture; default: the architecture's own.
        classes: outputs of the head; default: the architecture's own.

    Raises:
        UsageError: the input is not three positive numbers, not of three channels, or too small for the network; or
            there is not one class.
    """
    shape = check_input(architecture.input_CHW if input_CHW is None else input_CHW)
    outputs = architecture.classes if classes is None else classes
    if outputs < 1:
        raise UsageError(f"a network needs at least one class, found {outputs}")
    walk = _Walk(architecture.name, shape)
    walk.parts(architecture.body.parts(outputs), "", IMAGE)
    return tuple(walk.layers)


def check_input(input_CHW: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the shape, if a network can take it: three channels, at least one pixel.

    Raises:
        UsageError: it can't.
    """
    if input_CHW[0] != 3 or min(input_CHW) < 1:
        found = "x".join(map(str, input_CHW))
        raise UsageError(
            f"input {found} is not a picture: give 3 channels, height and width, as in 3x224x224"
        )
    return input_CHW


class _Walked(NamedTuple):
    """A residual unit as it was walked: all that decides its layers, and where they are.

    `distance` is how far back its input lies from its first layer.
    """

    content: tuple[object, ...]
    scales: tuple[float, float]
    input_CHW: Shape
    distance: int
    prefix: str
    start: int


class _Walk:
    """Walks a plan and notes its layers. Each method takes the position whose output it reads and returns its own."""

    def __init__(self, network: str, image_CHW: Shape) -> None:
        self.network = network
        self.image_CHW = image_CHW
        self.layers: list[Layer] = []
        self.last: _Walked | None = None

    def shape(self, position: int) -> Shape:
        return self.image_CHW if position == IMAGE else self.layers[position].output_CHW

    def note(self, layer: Layer) -> int:
        self.layers.append(layer)
        return len(self.layers) - 1

    def parts(self, parts: Iterable[Part], prefix: str, source: int) -> int:
        for part in parts:
            if isinstance(part, Step):
                source = self.step(part, prefix, source)
            elif isinstance(part, Chain):
                source = self.parts(part.parts, f"{prefix}{part.name}.", source)
            elif isinstance(part, Residual):
                source = self.residual(part, f"{prefix}{part.name}.", source)
            else:
                source = self.dense(part, f"{prefix}{part.name}.", source)
        return source

    def residual(self, unit: Residual, prefix: str, source: int) -> int:
        start, last = len(self.layers), self.last
        content = (unit.before, unit.branch, unit.shortcut, unit.after, unit.gate)
        scales = (unit.branch_scale, unit.shortcut_scale)
        now = _Walked(content, scales, self.shape(source), start - source, prefix, start)
        if last and now[:4] == last[:4]:
            self._repeat(last, now)
            source = len(self.layers) - 1
        else:
            source = self._residual(unit, prefix, source)
        self.last = now
        return source

    def _repeat(self, last: "_Walked", now: "_Walked") -> None:
        """Note the layers of a unit that is as the one before it: most are, and copying is what makes this fast."""
        shift, skip = now.start - last.start, len(last.prefix)
        for layer in self.layers[last.start : now.start]:
            sources = layer.sources
            shifted = (sources[0] + shift,) if len(sources) == 1 else tuple(at + shift for at in sources)
            name = now.prefix + layer.name[skip:]
            self.layers.append(Layer._make((name, *layer[1:4], shifted, *layer[5:])))

    def _residual(self, unit: Residual, prefix: str, source: int) -> int:
        split = self.parts(unit.before, prefix, source)
        branch = self.parts(unit.branch, prefix, split)
        if unit.shortcut is None:
            return self.parts(unit.after, prefix, branch)
        shortcut = self.parts(unit.shortcut, prefix, split)
        if unit.gate is not None:
            branch, shortcut = self._gated(unit.gate, prefix, (split, branch, shortcut))
        if unit.branch_scale != 1:
            branch = self._elementwise(Kind.SCALE, f"{prefix}scale", branch)
        if unit.shortcut_scale != 1:
            shortcut = self._elementwise(Kind.SCALE, f"{prefix}scale", shortcut)
        total = self._elementwise(Kind.ADD, f"{prefix}add", branch, shortcut)
        return self.parts(unit.after, prefix, total)

    def _gated(self, gate: tuple[Step, Gating], prefix: str, reads: tuple[int, int, int]) -> tuple[int, int]:
        """Note g = sigmoid(convolution), 1 - g and the products; return the branch and the shortcut after them."""
        step, gating = gate
        split, branch, shortcut = reads
        opened = self._elementwise(Kind.SIGMOID, f"{prefix}sigmoid", self.step(step, prefix, split))
        if gating is Gating.EXCLUSIVE:
            branch = self._elementwise(Kind.MULTIPLY, f"{prefix}multiply", branch, opened)
        closed = self._elementwise(Kind.SUBTRACT, f"{prefix}subtract", opened)
        return branch, self._elementwise(Kind.MULTIPLY, f"{prefix}multiply", shortcut, closed)

    def dense(self, layer: Dense, prefix: str, source: int) -> int:
        added = self.parts(layer.branch, prefix, source)
        (kept, *size), (grown, *_) = self.shape(source), self.shape(added)
        out = (kept + grown, *size)
        return self.note(Layer(f"{prefix}concatenate", Kind.CONCATENATE, out, out, sources=(source, added)))

    def _elementwise(self, kind: Kind, name: str, *sources: int) -> int:
        shape = self.shape(sources[0])
        return self.note(Layer(name, kind, shape, shape, sources=sources))

    def step(self, step: Step, prefix: str, source: int) -> int:
        shape = self.shape(source)
        if step.kind is Kind.FLATTEN:
            return source
        if step.kind is Kind.LINEAR:
            shape = (prod(shape),)
        output, weights, macs = self._costs(step, prefix, shape)
        return self.note(
            Layer(
                f"{prefix}{step.name}",
                step.kind,
                shape,
                output,
                sources=(source,),
                weights=weights,
                biases=step.channels if step.bias else 0,
                macs=macs,
                kernel=step.kernel,
                stride=step.stride,
                padding=step.padding,
                groups=step.groups,
                after=step.channels - shape[0] if step.kind is Kind.ZERO_PAD else 0,
                adaptive=bool(step.adaptive),
                module=_module(step),
            )
        )

    def _costs(self, step: Step, prefix: str, shape: Shape) -> tuple[Shape, int, int]:
        """Return output shape, weights and multiply-accumulates."""
        output, weights, macs = shape, 0, 0
        if step.kind is Kind.CONVOLUTION:
            output = self._windowed(step, prefix, shape, step.channels)
            weights = step.kernel**2 * shape[0] // step.groups * step.channels
            macs = weights * output[1] * output[2]
        elif step.kind is Kind.LINEAR:
            output = (step.channels,)
            weights = macs = prod(shape) * step.channels
        elif step.kind is Kind.BATCH_NORM:
            weights = 2 * shape[0]
        elif step.kind is Kind.ZERO_PAD:
            output = self._windowed(step, prefix, shape, step.channels)
        elif step.adaptive:
            output = (shape[0], step.adaptive, step.adaptive)
        elif step.kind in (Kind.MAX_POOL, Kind.AVERAGE_POOL):
            output = self._windowed(step, prefix, shape, shape[0])
        return output, weights, macs

    def _windowed(self, step: Step, prefix: str, shape: Shape, channels: int) -> Shape:
        height, width = ((side + 2 * step.padding - step.kernel) // step.stride + 1 for side in shape[1:])
        if height < 1 or width < 1:
            size = "x".join(map(str, self.image_CHW))
            raise UsageError(
                f"input {size} is too small for {self.network}: {prefix}{step.name} gets {shape[1]}x{shape[2]}; "
                "give a larger picture"
            )
        return channels, height, width


_MODULES = {
    Kind.CONVOLUTION: "Conv2d",
    Kind.LINEAR: "Linear",
    Kind.BATCH_NORM: "BatchNorm2d",
    Kind.RELU: "ReLU",
    Kind.MAX_POOL: "MaxPool2d",
    Kind.AVERAGE_POOL: "AvgPool2d",
    Kind.DROPOUT: "Dropout",
    Kind.ZERO_PAD: "ZeroPad",
}


def _module(step: Step) -> str:
    """Return the class of the module that `resbench.models.build` makes of a step."""
    if step.functional:
        return ""
    return "AdaptiveAvgPool2d" if step.adaptive else _MODULES[step.kind]

"""Networks from their descriptions: the module is a transcript of the architecture's plan."""

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.plan import Chain, Dense, Kind, Part, Residual, Step
from resbench.models.units import DenseLayer, ResidualUnit, ZeroPad

Layers = Mapping[str, Layer]
"""The layers of the network at its own input size, by name: they know every width."""

Named = tuple[str, nn.Module]


class Network(nn.Module):
    """The parts of a plan, one after the other.

    Names of submodules and of the state dict are the plan's, which are torchvision's where it has the network. Weights
    start as PyTorch's layers start; a training recipe initialises its own.

    Args:
        parts: the plan.
        layers: its layers, by name.
    """

    def __init__(self, parts: Iterable[Part], layers: Layers) -> None:
        super().__init__()
        self.steps: list[Step | str] = []
        for part in parts:
            if isinstance(part, Step) and part.functional:
                self.steps.append(part)
            else:
                name, module = _module(part, "", layers)
                self.add_module(name, module)
                self.steps.append(name)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Return logits of shape (B, classes)."""
        out = images_BCHW
        for step in self.steps:
            out = self.get_submodule(step)(out) if isinstance(step, str) else _apply(step, out)
        return out


def _apply(step: Step, out: Tensor) -> Tensor:
    """Do what a step without a module does."""
    if step.kind is Kind.FLATTEN:
        return out.flatten(1)
    if step.kind is Kind.RELU:
        return functional.relu(out, inplace=step.inplace)
    if step.kind is Kind.AVERAGE_POOL and step.adaptive:
        return functional.adaptive_avg_pool2d(out, step.adaptive)
    raise ValueError(f"no function does {step!r}")


def _module(part: Part, prefix: str, layers: Layers) -> Named:
    name, inside = part.name, f"{prefix}{part.name}."
    if isinstance(part, Step):
        return name, _layer(part, layers[f"{prefix}{name}"])
    chain = nn.Sequential()
    if isinstance(part, Residual):
        return name, _residual(part, inside, layers)
    if isinstance(part, Dense):
        chain = DenseLayer()
    for inner in part.parts if isinstance(part, Chain) else part.branch:
        chain.add_module(*_module(inner, inside, layers))
    return name, chain


def _residual(unit: Residual, prefix: str, layers: Layers) -> ResidualUnit:
    once: dict[str, nn.Module] = {}

    def modules(parts: Iterable[Part]) -> list[Named]:
        found = []
        for part in parts:
            if part.name not in once:
                once[part.name] = _module(part, prefix, layers)[1]
            found.append((part.name, once[part.name]))
        return found

    runs = {"before": modules(unit.before), "branch": modules(unit.branch)}
    if unit.gate is not None:
        runs["gate"] = modules(unit.gate[:1])
    if unit.shortcut is not None:
        runs["shortcut"] = modules(unit.shortcut)
    runs["after"] = modules(unit.after)
    gating = unit.gate[1] if unit.gate else None
    return ResidualUnit(runs, gating, (unit.branch_scale, unit.shortcut_scale))


def _layer(step: Step, layer: Layer) -> nn.Module:
    if step.kind not in _MAKERS:
        raise ValueError(f"no module does {step!r}")
    return _MAKERS[step.kind](step, layer)


def _convolution(step: Step, layer: Layer) -> nn.Module:
    found = nn.Conv2d(
        layer.input_CHW[0],
        step.channels,
        step.kernel,
        stride=step.stride,
        padding=step.padding,
        groups=step.groups,
        bias=step.bias,
    )
    if found.bias is not None and step.bias_start is not None:
        nn.init.constant_(found.bias, step.bias_start)
    return found


def _average_pool(step: Step, _layer: Layer) -> nn.Module:
    if step.adaptive:
        return nn.AdaptiveAvgPool2d((step.adaptive, step.adaptive))
    return nn.AvgPool2d(step.kernel, step.stride, step.padding)


_MAKERS: Mapping[Kind, Callable[[Step, Layer], nn.Module]] = {
    Kind.CONVOLUTION: _convolution,
    Kind.LINEAR: lambda step, layer: nn.Linear(layer.inputs, step.channels, bias=step.bias),
    Kind.BATCH_NORM: lambda _step, layer: nn.BatchNorm2d(layer.input_CHW[0]),
    Kind.RELU: lambda step, _layer: nn.ReLU(inplace=step.inplace),
    Kind.DROPOUT: lambda step, _layer: nn.Dropout(step.probability),
    Kind.ZERO_PAD: lambda step, layer: ZeroPad(layer.after, step.stride),
    Kind.MAX_POOL: lambda step, _layer: nn.MaxPool2d(step.kernel, step.stride, step.padding),
    Kind.AVERAGE_POOL: _average_pool,
}


def build(architecture: Architecture, *, classes: int | None = None) -> Network:
    """Return the network, in training mode as PyTorch's modules start; `torch.device("meta")` works, too.

    Args:
        architecture: the description.
        classes: outputs of the head; default: the architecture's own.

    Raises:
        UsageError: there is not one class.
    """
    layers = {layer.name: layer for layer in layers_of(architecture, classes=classes)}
    wanted = architecture.classes if classes is None else classes
    return Network(architecture.body.parts(wanted), layers)

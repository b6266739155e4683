"""What is known of the tensors of a running network: which layers made them, and which parameters they are.

A view is what its tensor is; a copy, too. So the layers of a network get their sources from the tensors they read.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from resbench.architectures.layers import IMAGE, Layer, Shape
from resbench.architectures.plan import Kind
from resbench.models.values import Sources, Value, tell_family

WITH_IDLE_CHILDREN = frozenset(["MultiheadAttention"])
"""Modules whose children are never called: they do all the work themselves, in several operations."""


class Place(NamedTuple):
    """The module that is being called: its dotted path, and its class if it has no children, else ""."""

    path: str
    module: str


class Window(NamedTuple):
    """Kernel, stride, padding, dilation in height, and groups."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    groups: int = 1
    dilation: int = 1


_NO_WINDOW = Window()


class Trace:
    """Notes layers as they run.

    Args:
        model: whose modules are to be named.
        image: the input.
        batch: pictures in the input: shapes and costs are noted for one.
    """

    def __init__(self, model: nn.Module, image: Tensor, batch: int) -> None:
        self.batch = batch
        self.layers: list[Layer] = []
        self.notes: list[str] = []
        self.places: dict[int, Place] = {}
        self.stack: list[Place] = [Place("", "")]
        self.unclaimed: dict[int, int] = {}
        self.values: dict[int, Value] = {}
        self._name(model, "")
        self.parameters = sum(self.unclaimed.values())
        self.values[id(image)] = Value(image, (IMAGE,), live=True)

    def _name(self, module: nn.Module, path: str) -> None:
        """Note path and parameters of a module and those inside; a shared one has its first path."""
        if id(module) in self.places:
            return
        inside = module._modules  # noqa: SLF001 - a dozen times as fast as its iterators
        kind = _class_name(module)
        self.places[id(module)] = Place(path, "" if inside and kind not in WITH_IDLE_CHILDREN else kind)
        for parameter in module._parameters.values():  # noqa: SLF001 - as above
            if parameter is not None and id(parameter) not in self.unclaimed:
                value = self.values[id(parameter)] = Value(parameter)
                value.parameters = (id(parameter),)
                self.unclaimed[id(parameter)] = parameter.numel()
        for name, child in inside.items():
            if child is not None:
                self._name(child, f"{path}.{name}" if path else name)

    def enter(self, module: nn.Module, _inputs: Any) -> None:
        """Note that a module is called; one that was no part of the model when it started is taken as its caller."""
        place = self.places.get(id(module))
        if place is not None:
            self.stack.append(place)

    def leave(self, module: nn.Module, _inputs: Any, _output: Any) -> None:
        """Note that a module returns."""
        if id(module) in self.places:
            self.stack.pop()

    def value(self, tensor: Tensor) -> Value:
        """Return what is known of a tensor; nothing of a constant."""
        found = self.values.get(id(tensor))
        return Value(tensor) if found is None else found

    def picture(self, shape: Sequence[int], live: bool = True) -> Shape:
        """Return a shape for one picture: without its first dimension, where that is the batch."""
        if live and shape:
            first, rest = divmod(shape[0], self.batch)
            if not rest:
                return tuple(shape[1:]) if first == 1 else (first, *shape[1:])
        return tuple(shape)

    def claim(self, values: Iterable[Value]) -> int:
        """Return the numbers of the parameters among the values that no layer had before."""
        return sum(self.unclaimed.pop(parameter, 0) for value in values for parameter in value.parameters)

    def note(
        self,
        kind: Kind,
        operation: str,
        operator: str,
        inputs: Sequence[Value],
        output: Tensor,
        *,
        bias: Value | None = None,
        macs: int = 0,
        window: Window = _NO_WINDOW,
        padded: tuple[int, int] = (0, 0),
        adaptive: bool = False,
        input_shape: Sequence[int] | None = None,
    ) -> Value:
        """Note a layer and return what is now known of its output.

        Args:
            kind: of the layer.
            operation: its name, where it is not all that its module does.
            operator: as the layer's.
            inputs: all that it reads but for the bias; its input's shape is the first's.
            output: what it gives; of several, the first.
            bias: of a convolution or linear layer.
            macs: for the whole batch.
            window: of a convolution or pool.
            padded: channels of zeros before and after.
            adaptive: as the layer's.
            input_shape: instead of the first input's.
        """
        path, module = self.stack[-1]
        if not module or module in WITH_IDLE_CHILDREN:
            path = f"{path}.{operation}" if path else operation
        sources, live = _read((*inputs, bias) if bias else inputs)
        biases = self.claim((bias,)) if bias else 0
        shape = input_shape
        if shape is None:
            shape = inputs[0].tensor.shape if inputs else ()
        position = len(self.layers)
        self.layers.append(
            Layer(
                path or operation,
                kind,
                self.picture(shape, live),
                self.picture(output.shape, live),
                sources,
                self.claim(inputs),
                biases,
                macs // self.batch if live else macs,
                window.kernel,
                window.stride,
                window.padding,
                window.groups,
                window.dilation,
                *padded,
                adaptive,
                module,
                operator,
            )
        )
        return self.set(output, (position,), live)

    def set(self, tensor: Tensor, sources: Sources, live: bool, parameters: tuple[int, ...] = ()) -> Value:
        """Say where a tensor's content comes from now, also to all that share its memory."""
        value = self.values.get(id(tensor))
        if value is None:
            value = self.values[id(tensor)] = Value(tensor, sources, live)
        else:
            value.sources, value.live, value.zeros, value.stride, value.whole = sources, live, False, 1, None
            if value.family is not None:
                tell_family(value)
        value.parameters = parameters
        return value

    def view(self, source: Tensor, view: Tensor) -> Value:
        """Say that a tensor shares the memory of another."""
        known = self.values.get(id(source))
        if known is None:
            known = self.values[id(source)] = Value(source)
        if view is source:
            return known
        value = self.values[id(view)] = Value(view, known.sources, known.live)
        value.parameters, value.zeros = known.parameters, known.zeros
        value.stride, value.whole = known.stride, known.whole
        if known.family is None:
            known.family = [known]
        known.family.append(value)
        value.family = known.family
        return value

    def moved(self, inputs: Sequence[Value], output: Tensor) -> Value:
        """Say that a tensor holds what its inputs hold, in other places."""
        if len(inputs) == 1:
            (only,) = inputs
            sources, parameters = only.sources, only.parameters
        else:
            sources = tuple(dict.fromkeys(source for value in inputs for source in value.sources))
            parameters = tuple(dict.fromkeys(each for value in inputs for each in value.parameters))
        value = self.set(output, sources, any(value.live for value in inputs), parameters)
        if len(inputs) == 1:
            value.zeros, value.stride, value.whole = only.zeros, only.stride, only.whole
        return value


def _class_name(module: nn.Module) -> str:
    """Return the class of a module, with where it is from if it only has the name of one of PyTorch's."""
    kind = type(module)
    name = kind.__name__
    return name if getattr(nn, name, kind) is kind else f"{kind.__module__}.{name}"


def _read(values: Sequence[Value]) -> tuple[Sources, bool]:
    """Return where values come from, and whether any depends on the picture."""
    if len(values) == 1:  # nearly always
        return values[0].sources, values[0].live
    return tuple(at for value in values for at in value.sources), any(value.live for value in values)

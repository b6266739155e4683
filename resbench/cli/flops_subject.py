"""What `resbench flops` is asked about: a network with its layers, described or observed."""

from dataclasses import dataclass, fields
from functools import cached_property

from resbench.architectures.description import Architecture
from resbench.architectures.layers import Layer, layers_of
from resbench.architectures.naming import parse_model
from resbench.architectures.plan import Kind
from resbench.cli.asked_cases import parse_input
from resbench.metrics.flops.conventions import Convention
from resbench.metrics.flops.ledger import Ledger, ledger_of
from resbench.models.layering import layered


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network as it is counted.

    Attributes:
        architecture: None where the network was observed and not described.
        classes: outputs of the head; None: an observed network's own.
        parameters: distinct trainable numbers.
        notes: what a reader of its counts must know.
    """

    name: str
    architecture: Architecture | None
    input_CHW: tuple[int, int, int]
    classes: int | None
    layers: tuple[Layer, ...]
    parameters: int
    notes: tuple[str, ...] = ()

    @cached_property
    def ledger(self) -> Ledger:
        """Its ledger."""
        return ledger_of(self.layers)

    @property
    def title(self) -> str:
        """The network, its input and its classes, in words."""
        size = "x".join(map(str, self.input_CHW))
        classes = "" if self.classes is None else f", {self.classes} classes"
        return f"{self.name}: input {size}{classes}, one picture"

    @cached_property
    def unknown(self) -> dict[str, list[str]]:
        """Operators that are not priced, with the names of their layers."""
        found: dict[str, list[str]] = {}
        for layer in self.layers:
            if layer.kind is Kind.UNKNOWN:
                found.setdefault(layer.operator or layer.name, []).append(layer.name)
        return found

    def as_counted_by(self, convention: Convention) -> "Subject | None":
        """Return the form of the network that the convention counts; None: it is not defined for this network."""
        if self.architecture is None:
            return None if convention.name == "paper2015" else self
        form = convention.form(self.architecture)
        if form == self.architecture:
            return self
        layers = layers_of(form, self.input_CHW, self.classes)
        return Subject(
            name=_form_name(self.architecture, form),
            architecture=form,
            input_CHW=self.input_CHW,
            classes=self.classes,
            layers=layers,
            parameters=sum(layer.parameters for layer in layers),
        )


def subject_of(model: str, input_size: str, num_classes: int | None) -> Subject:
    """Return the network; torch is imported for one that is not catalogued.

    Raises:
        UsageError: there is no such network, or it can't take the input.
        ResbenchError: a network from outside failed when it ran.
    """
    input_CHW = parse_input(input_size) if input_size else None
    if parse_model(model).is_outside:
        from resbench.cli.status import status

        with status() as say:
            say(f"running {model} on shapes")
            seen = layered(model, input_CHW, num_classes)
    else:
        seen = layered(model, input_CHW, num_classes)
    classes = seen.architecture.classes if seen.architecture and num_classes is None else num_classes
    return Subject(
        name=seen.name,
        architecture=seen.architecture,
        input_CHW=seen.input_CHW,
        classes=classes,
        layers=seen.layers,
        parameters=seen.parameters,
        notes=seen.notes,
    )


def _form_name(asked: Architecture, form: Architecture) -> str:
    """Return a name that stands for the form: `resnet50(stride_on_1x1=yes)`."""
    changed = [
        f"{field.name}={_text(getattr(form.body, field.name))}"
        for field in fields(asked.body)  # type: ignore[arg-type]
        if getattr(form.body, field.name) != getattr(asked.body, field.name)
    ]
    return f"{asked.name}({','.join(changed)})"


def _text(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)

"""What is evaluated: a network, its weights, and whether its head answers for the classes of the data."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from resbench.architectures.naming import parse_model
from resbench.datasets.labelled import Labelled
from resbench.errors import ResbenchError, UsageError
from resbench.models.backends.description import CONTIGUOUS
from resbench.models.outside import OpenedModel, open_model
from resbench.models.weights import Loaded, digest, fit, load_weights
from resbench.specs import Precision
from resbench.training.kept_weights import kept_weights
from resbench.training.protocols import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How weights are evaluated.

    Attributes:
        model: a catalogued name, or one of `resbench.models.outside.open_model`.
        weights: a file, a folder (see `training.kept_weights`) or a name of torchvision's; empty only for a user's own
            code, which may load its own.
        average: of a folder, the moving average of the weights or not; None: what the recipe tests.
        num_classes: outputs of the head; None: as many as the data has classes.
        whole_model: bf16 and fp16 of all tensors instead of autocast.
        batch_size: pictures in one call, all their views with them.
        limit: so many samples, spread evenly; None: all.
        precise_bn: batches of training pictures that the statistics of batch norms are taken from; 0: as stored.
        workers: processes that prepare pictures.
    """

    model: str
    weights: str
    protocol: Protocol
    average: bool | None = None
    num_classes: int | None = None
    device: str = "cpu"
    precision: Precision = Precision.FP32
    whole_model: bool = False
    memory_format: str = CONTIGUOUS
    batch_size: int = 32
    limit: int | None = None
    precise_bn: int = 0
    workers: int = 0


def weighted(asked: Evaluation, data: Labelled) -> tuple[OpenedModel, str, tuple[str, ...]]:
    """Return the network with its weights, what these are, and what was done to make them fit.

    Raises:
        UsageError: there is no such network, the weights don't fit it, or its classes aren't the data's.
    """
    own_code = _is_own_code(asked.model)
    if not asked.weights and not own_code:
        raise UsageError(
            f"{asked.model} without weights answers at random: give --weights FILE or, of torchvision's, a name"
        )
    _check_average(asked)
    classes = asked.num_classes or (None if own_code else len(data.classes))
    if asked.num_classes not in {None, len(data.classes)}:
        raise other_classes(asked.model, asked.num_classes or 0, data)
    opened = open_model(asked.model, classes=classes)
    if not asked.weights:
        return opened, "as its code made them", ()
    try:
        loaded = _loaded(opened.module, asked)
    except UsageError as error:
        found = None if asked.num_classes else _head_that_fits(asked)
        raise (
            error if found in {None, len(data.classes)} else other_classes(asked.model, found or 0, data)
        ) from error
    return opened, loaded.source, loaded.notes


def _check_average(asked: Evaluation) -> None:
    """Refuse a choice among weights where there is none.

    Raises:
        UsageError: no folder is named.
    """
    if asked.average is None or (asked.weights and Path(asked.weights).is_dir()):
        return
    what = f"--weights {asked.weights} is no folder" if asked.weights else "no --weights are given"
    raise UsageError(f"{what}: --ema and --no-ema choose among the weights of a run's folder or checkpoint")


def _loaded(module: nn.Module, asked: Evaluation) -> Loaded:
    folder = Path(asked.weights)
    if folder.is_dir():
        kept = kept_weights(folder, average=asked.average)
        fit(module, kept.tensors, source=str(folder), name=asked.model)
        return Loaded(f"{kept.said}, SHA-256 {digest(kept.file)}", len(kept.tensors), ())
    return load_weights(module, asked.weights, name=asked.model)


def _is_own_code(model: str) -> bool:
    base = parse_model(model).base
    return ":" in base and base.partition(":")[0] not in {"torchvision", "timm"}


def _head_that_fits(asked: Evaluation) -> int | None:
    """Return how many classes the network has by itself, where the weights fit it so; None where they don't."""
    with contextlib.suppress(ResbenchError):
        module = open_model(asked.model).module
        _loaded(module, asked)
        heads = [part.out_features for part in module.modules() if isinstance(part, nn.Linear)]
        return heads[-1] if heads else None
    return None


def other_classes(model: str, found: int, data: Labelled) -> UsageError:
    """Return the error of a head that answers for other classes than the data has."""
    return UsageError(
        f"{model} answers with one of {found:,} classes, and {data.label} has {len(data.classes):,} "
        f"({', '.join(data.classes[:3])}, ...): give weights for these, or all folders of the data they are for"
    )

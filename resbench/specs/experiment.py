"""One question: a model, the data or the input it is asked about, and how."""

from dataclasses import dataclass, field
from enum import StrEnum

from resbench.results import LATER, digest, plain
from resbench.specs.evaluating import Evaluating
from resbench.specs.recipe import Recipe

EXPERIMENT_VERSION = 2
"""Raised when what an experiment means changes, so that old answers are not taken for new ones."""


class Scale(StrEnum):
    """How much of a suite is run. Only `full` is compared with published figures."""

    SMOKE = "smoke"
    SHORT = "short"
    PART = "part"
    """A share that was asked for as a number; the recipe's name says which."""
    FULL = "full"


class Precision(StrEnum):
    """The arithmetic of a model: float32 throughout, or what a precision of fewer bits does to it."""

    FP32 = "fp32"
    TF32 = "tf32"
    """Tensors are float32; a GPU's matrix units round what they multiply to 10 bits of mantissa."""
    BF16 = "bf16"
    FP16 = "fp16"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIdentity:
    """Which samples exactly: the name a reader knows and a fingerprint that differs when any sample does.

    Attributes:
        kind: `voc_crops`, `cifar10`, `cifar100` or `imagenet`: which code reads it.
        label: what a report may call it: "VOC 07+12", "VOC2012 subset (train / val)", "resbench sample".
        official: whether it is the whole published data set with its published split.
        train_samples, test_samples: how many there are, before any limit of a recipe.
        majority: share of the test samples in their most frequent class: what guessing that class would score.
    """

    kind: str
    label: str
    official: bool
    fingerprint: str
    classes: int
    train_samples: int
    test_samples: int
    majority: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiling:
    """What is measured of a model that is not trained for it: batch and input of latency and costs.

    Attributes:
        num_classes: outputs of the head; None: as many as a network that is not ours has.
        backend: what runs it, by a name of `resbench profile --backend`: timed in fresh processes, its output held against
            eager PyTorch's. Empty: eager PyTorch, in the process that asks, which has its peak memory read, too.
    """

    batch_size: int
    num_classes: int | None
    input_CHW: tuple[int, int, int]
    backend: str = field(default="", metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One question. Exactly one of `recipe` (train and test it), `profiling` (measure it) and `evaluation` is set.

    Attributes:
        model: a catalogued name.
        device: `cpu`, `cuda` or `cuda:1`.
        machine: identity of the machine where the answer depends on it (profiling); else empty.
        evaluation: how weights that others trained are tested, on `data`.
        processes: over how many each training batch is split: batch norm sees the share of one, where the recipe says so.
    """

    model: str
    device: str
    precision: Precision
    seed: int
    scale: Scale
    recipe: Recipe | None = None
    data: DataIdentity | None = None
    profiling: Profiling | None = None
    machine: str = ""
    processes: int = field(default=1, metadata=LATER)
    evaluation: Evaluating | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        """Refuse a question that is none of these, or several."""
        asked = [one for one in (self.recipe, self.profiling, self.evaluation) if one is not None]
        if len(asked) != 1 or (self.profiling is None) != (self.data is not None):
            raise ValueError(
                "an experiment trains (recipe and data), profiles, or evaluates (weights and data)"
            )

    @property
    def key(self) -> str:
        """Content hash: the same question is never run twice."""
        return digest({"version": EXPERIMENT_VERSION, "experiment": plain(self)})[:16]

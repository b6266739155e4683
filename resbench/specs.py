"""What is asked: published figures and their sources, recipes, experiments, suites. Frozen data, no torch."""

from dataclasses import dataclass
from enum import StrEnum

from resbench.errors import UsageError
from resbench.results import Statistic, Unit, digest, plain

EXPERIMENT_VERSION = 1
"""Raised when what an experiment means changes, so that old answers are not taken for new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a figure or a definition was published; `where` is the table, figure or section."""

    title: str
    where: str
    url: str

    def __post_init__(self) -> None:
        """Refuse a source that does not say what it is."""
        if not (self.title and self.where and self.url):
            raise ValueError(f"a source needs title, place and address: {self!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One published figure. It can't be built without its source, statistic and protocol.

    Attributes:
        metric: the name our own measurement of it has (`resbench.results.Measurement.metric`).
        value: in `unit`: a share for an accuracy, bytes for a size.
        printed: the figure as its source prints it ("97.492 MB"), for the reader and for rounding.
        decimals: how many decimals `printed` has, in the display unit: the digits that can be compared.
        protocol: how the figure came about, in one line.
        n: how many runs it summarises; None where the source does not say.
        test_samples: how many test samples an accuracy was read from; None for other figures.
    """

    metric: str
    value: float
    unit: Unit
    printed: str
    decimals: int
    statistic: Statistic
    protocol: str
    source: Source
    n: int | None = None
    test_samples: int | None = None

    def __post_init__(self) -> None:
        """Refuse a figure without a protocol."""
        if not (self.metric and self.printed and self.protocol):
            raise ValueError(f"a published figure needs metric, printed form and protocol: {self!r}")


class Scale(StrEnum):
    """How much of a suite is run. Only `full` is compared with published figures."""

    SMOKE = "smoke"
    SHORT = "short"
    FULL = "full"


class Precision(StrEnum):
    """The arithmetic of a model: float32 throughout, or what a precision of fewer bits does to it."""

    FP32 = "fp32"
    TF32 = "tf32"
    """Tensors are float32; a GPU's matrix units round what they multiply to 10 bits of mantissa."""
    BF16 = "bf16"
    FP16 = "fp16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """How pictures become tensors, in training and in test. The steps run in the order of the fields.

    Attributes:
        resize: the shorter side is scaled to this many pixels (bilinear, antialiased as PIL does); None: not at all.
        pad: zeros on each side before a training crop (of the normalised picture for a per-pixel mean).
        crop: side of the square that enters the network, random in training.
        flip: random horizontal flip, p 0.5, in training.
        color_jitter: brightness, contrast, saturation and hue each jittered by this much in training; 0: off.
        erase: probability of RandomErasing (its other defaults are torchvision's), before normalising; 0: off.
        mean, std: of each channel, on the scale 0 to 1; both empty: the training set's per-pixel mean is subtracted.
        test_views: 1 (the whole picture, or its centre crop) or 10 (four corners, centre, and their flips).
    """

    resize: int | None
    pad: int
    crop: int
    flip: bool
    color_jitter: float
    erase: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    test_views: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Cross entropy, or its label-smoothed form in which each *other* class gets smoothing / (K - 1)."""

    smoothing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """`adam` (L2 weight decay, not decoupled) or `sgd`; weight decay applies to every parameter."""

    name: str
    lr: float
    weight_decay: float
    momentum: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How the learning rate runs, as a function of the step alone.

    Attributes:
        name: `cosine` (down to `final_lr`) or `steps` (times `gamma` at each milestone).
        unit: `epoch` or `iteration`: when the rate changes, and what the numbers below count.
        length: how long training is.
        warmup: length of the warm-up.
        warmup_lr: constant rate of the warm-up; None: linear from lr / warmup up to lr.
    """

    name: str
    unit: str
    length: int
    warmup: int = 0
    warmup_lr: float | None = None
    final_lr: float = 0.0
    milestones: tuple[int, ...] = ()
    gamma: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that decides a training run, but for the model, the data and the seed.

    Attributes:
        initialisation: `kaiming_normal_fan_out` or `kaiming_normal_fan_in`, of convolution weights.
        train_limit, test_limit: use only this many samples (spread evenly over the index); None: all.
    """

    name: str
    source: Source
    train_batch: int
    test_batch: int
    pictures: Pictures
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    initialisation: str
    train_limit: int | None = None
    test_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataIdentity:
    """Which samples exactly: the name a reader knows and a fingerprint that differs when any sample does.

    Attributes:
        kind: `voc_crops` or `cifar10`: which code reads it.
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
    """

    batch_size: int
    num_classes: int | None
    input_CHW: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One question. Exactly one of `recipe` (train and test it) and `profiling` (measure it) is set.

    Attributes:
        model: a catalogued name.
        device: `cpu`, `cuda` or `cuda:1`.
        machine: identity of the machine where the answer depends on it (profiling); else empty.
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

    def __post_init__(self) -> None:
        """Refuse a question that is neither or both."""
        if (self.recipe is None) == (self.profiling is None) or (self.recipe is None) != (self.data is None):
            raise ValueError("an experiment either trains (recipe and data) or profiles (profiling)")

    @property
    def key(self) -> str:
        """Content hash: the same question is never run twice."""
        return digest({"version": EXPERIMENT_VERSION, "experiment": plain(self)})[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One model of a suite, the name its table gives it, and what was published of it."""

    model: str
    label: str
    published: tuple[Published, ...]

    def figure(self, metric: str) -> Published | None:
        """Return the published figure of `metric`, or None."""
        return next((figure for figure in self.published if figure.metric == metric), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A question, the arms that answer it, and what was published.

    Attributes:
        name: as on the command line.
        title, question: for the head of the report.
        data: the data set's name for `--data` and `resbench data`: `voc0712`, `cifar10`.
        profiling: how each arm is profiled.
        flops_convention: the convention in which the published table counts.
        curves: file name, inside `resbench.suites`, of published learning curves (CSV), or empty.
    """

    name: str
    title: str
    question: str
    data: str
    recipe: Recipe
    arms: tuple[Arm, ...]
    profiling: Profiling
    flops_convention: str
    source: Source
    curves: str = ""

    def chosen(self, models: tuple[str, ...]) -> tuple[Arm, ...]:
        """Return the arms of `models`, in the suite's order; all where none is named.

        Raises:
            UsageError: a model is not an arm of this suite.
        """
        known = {arm.model: arm for arm in self.arms}
        for model in models:
            if model not in known:
                raise UsageError(
                    f"suite '{self.name}' has no model '{model}': choose from {', '.join(known)}"
                )
        return tuple(arm for arm in self.arms if not models or arm.model in models)

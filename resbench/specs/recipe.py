"""All that decides a training run but for the model, the data and the seed."""

from dataclasses import dataclass

from resbench.specs.published import Source


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

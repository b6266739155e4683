"""All that decides a training run but for the model, the data and the seed."""

from dataclasses import dataclass, field
from typing import Literal

from resbench.results import LATER
from resbench.specs.published import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """How pictures become tensors, in training and in test. The steps run in the order of the fields.

    Attributes:
        resize: the shorter side is scaled to this many pixels (bilinear, antialiased as PIL does); None: not at all.
        pad: zeros on each side before a training crop, in the space that `pad_space` names.
        crop: side of the square that enters the network, random in training.
        flip: random horizontal flip, p 0.5, in training.
        color_jitter: brightness, contrast, saturation and hue each jittered by this much in training; 0: off.
        erase: probability of RandomErasing (its other defaults are torchvision's), before normalising; 0: off.
        mean, std: of each channel, on the scale 0 to 1; both empty: the training set's per-pixel mean is subtracted.
            Raw values from 0 to 1 are mean 0 and std 1, from 0 to 255 mean 0 and std 1 / 255.
        test_views: 1 (the whole picture, or its centre crop) or 10 (four corners, centre, and their flips).
        pad_space: zeros are put around the network's `input`, normalised, or around the `picture` (black pixels).
        interpolation: how pictures are scaled.
        antialias: whether scaling down averages over all the pixels that it leaves out.
        random_resized: the training crop is a random part of the picture, scaled to `crop` (RandomResizedCrop); `resize`
            is for test pictures alone then.
        random_scale: least and greatest share of the picture's area in that part.
        random_ratio: least and greatest ratio of its width to its height.
        scale_range: the shorter side of a training picture is drawn from these, both ends included, in place of
            `resize`; None: it is not drawn.
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
    pad_space: Literal["input", "picture"] = field(default="input", metadata=LATER)
    interpolation: Literal["bilinear", "bicubic", "nearest"] = field(default="bilinear", metadata=LATER)
    antialias: bool = field(default=True, metadata=LATER)
    random_resized: bool = field(default=False, metadata=LATER)
    random_scale: tuple[float, float] = field(default=(0.08, 1.0), metadata=LATER)
    random_ratio: tuple[float, float] = field(default=(3 / 4, 4 / 3), metadata=LATER)
    scale_range: tuple[int, int] | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Cross entropy, or its label-smoothed form in which each *other* class gets smoothing / (K - 1)."""

    smoothing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """`adam` (L2 weight decay, not decoupled) or `sgd`.

    Attributes:
        decay: weight decay applies to `all` parameters, or to the `weights` of convolutions and linear layers alone:
            no bias, nothing of batch norm.
        nesterov: of `sgd`: the gradient is taken where the momentum leads.
    """

    name: str
    lr: float
    weight_decay: float
    momentum: float = 0.0
    decay: Literal["all", "weights"] = field(default="all", metadata=LATER)
    nesterov: bool = field(default=False, metadata=LATER)


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
        initialisation: `kaiming_normal_fan_out` or `kaiming_normal_fan_in`, of convolution weights; `torch`: none, each
            layer keeps PyTorch's default.
        train_limit, test_limit: use only this many samples (spread evenly over the index); None: all.
        validation: so many training samples are held out, the same for every seed, and tested each epoch: choices are
            made on these.
        testing: the test set is read after `every_epoch`, or once, at the `end`.
        batch_norm: over several processes, statistics of each one's share of the batch, or of the whole batch.
        ema: decay of the moving average of the weights, which is what is tested then; 0: none is kept.
        precise_bn: batch-norm statistics are taken anew from this many training batches before each test; 0: they are
            the running averages of training.
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
    validation: int = field(default=0, metadata=LATER)
    testing: Literal["every_epoch", "end"] = field(default="every_epoch", metadata=LATER)
    batch_norm: Literal["per_process", "synchronised"] = field(default="per_process", metadata=LATER)
    ema: float = field(default=0.0, metadata=LATER)
    precise_bn: int = field(default=0, metadata=LATER)

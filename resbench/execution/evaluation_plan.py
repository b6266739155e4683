"""From the arms of a suite that tests weights of others to its tests: on which pictures, and how."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from resbench.datasets.data import majority_share
from resbench.datasets.imagenet import CLASSES, VALIDATION
from resbench.datasets.labelled import KINDS, Labelled, open_labelled
from resbench.datasets.progress import Report
from resbench.errors import UsageError
from resbench.execution.scaling import Amount
from resbench.specs import Arm, DataIdentity, Evaluating, Experiment, Precision, Scale, Suite, Tested
from resbench.training.kept_weights import kept_weights
from resbench.training.protocols import Average, Protocol, Views, imagenet_protocol
from resbench.trial.published_protocol import published_protocol

_LIMITS: Final = {Scale.SMOKE: 96, Scale.SHORT: 2000}
"""Test pictures of the reduced scales."""

_FILES: Final = (".safetensors", ".pth", ".pt")


def open_tested(suite: Suite, root: Path | None, *, progress: Report) -> tuple[Labelled, DataIdentity]:
    """Return the pictures of a suite to test on, and what they are; training pictures are not needed.

    Raises:
        UsageError: there are none, or the folder can't be used.
    """
    if root is None:
        raise UsageError(
            f"{suite.name} tests weights of others, whose classes the drawn pictures have not: give --data DIR, the folder "
            "of the pictures"
        )
    kind = suite.data if suite.data in KINDS else "imagefolder"
    data = open_labelled(f"{kind}:{root}", progress=progress)
    return data, _identity(suite, data)


def _identity(suite: Suite, data: Labelled) -> DataIdentity:
    official = suite.data == "imagenet" and _is_imagenet(data)
    return DataIdentity(
        kind=suite.data,
        label="ImageNet, validation" if official else f"pictures of {len(data.classes):,} classes",
        official=official,
        fingerprint=data.fingerprint,
        classes=len(data.classes),
        train_samples=0 if data.train is None else len(data.train),
        test_samples=len(data),
        majority=majority_share(data.split.labels),
    )


def _is_imagenet(data: Labelled) -> bool:
    """Whether numbers are those of ImageNet's validation set; the contents of the pictures are not looked at."""
    each = set(Counter(data.split.labels).values())
    return (len(data.classes), len(data), each) == (CLASSES, VALIDATION, {VALIDATION // CLASSES})


def evaluations_of(
    arms: Sequence[Arm],
    identity: DataIdentity,
    *,
    amount: Amount,
    device: str,
    precision: Precision | None,
) -> tuple[Experiment, ...]:
    """Return a question for each arm and each way in which a figure published of it was tested.

    Raises:
        UsageError: a file of weights is missing, or a folder holds none.
    """
    limit = _limit(amount, identity)
    return tuple(
        Experiment(
            model=arm.model,
            device=device,
            precision=precision or arm.precision,
            seed=0,
            scale=amount.scale,
            data=identity,
            evaluation=evaluating,
        )
        for arm in arms
        for evaluating in _tests(arm, limit)
    )


def _limit(amount: Amount, identity: DataIdentity) -> int | None:
    if amount.scale is Scale.FULL:
        return None
    part = _LIMITS.get(amount.scale) or max(1, round(identity.test_samples * amount.share))
    return min(part, identity.test_samples)


def _tests(arm: Arm, limit: int | None) -> Iterator[Evaluating]:
    digest = _digest(arm)
    base = published_protocol(arm.model, arm.weights) or imagenet_protocol(224)
    usual = Tested(views="center", sides=(base.resize or 256,), crop=base.crop)
    published = dict.fromkeys(figure.tested for figure in arm.published if figure.tested is not None)
    for tested in published or {usual: None}:
        yield Evaluating(
            weights=arm.weights,
            digest=digest,
            tested=tested,
            mirrored=tested.views == "multi_scale",
            interpolation=base.interpolation,
            antialias=base.antialias,
            mean=base.mean,
            std=base.std,
            average=str(base.average),
            limit=limit,
        )


def _digest(arm: Arm) -> str:
    """Return what tells the weights of a file, or of the folder of a run, from others under its name; nothing for torchvision's."""
    path = Path(arm.weights).expanduser()
    if path.is_dir():
        path = kept_weights(path, average=None).file
    if not path.is_file():
        if path.suffix not in _FILES and "/" not in arm.weights:
            return ""
        raise UsageError(
            f"{arm.id} needs the weights {path}, and there is no such file: put them there, or leave the arm out with --models"
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def protocol_of(evaluating: Evaluating) -> Protocol:
    """Return how a test is made."""
    tested = evaluating.tested
    whole = tested.views == "multi_scale"
    protocol = Protocol(
        views=Views(tested.views),
        resize=None if whole else tested.sides[0],
        interpolation=evaluating.interpolation,
        antialias=evaluating.antialias,
        mean=evaluating.mean,
        std=evaluating.std,
        crop=tested.crop,
        mirrored=evaluating.mirrored,
        average=Average(evaluating.average),
    )
    return replace(protocol, scales=tested.sides) if whole else protocol

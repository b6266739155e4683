"""Latency and throughput of the ImageNet networks on this machine: models x batch x precision."""

from resbench.specs import Arm, Kind, Precision, Profiling, Suite
from resbench.suites.published.he2015 import paper

_MODELS = {"resnet18": "ResNet-18", "resnet50": "ResNet-50", "resnet152": "ResNet-152"}
_MORE = {"resnet34": "ResNet-34", "resnet101": "ResNet-101", "vgg16": "VGG-16", "densenet121": "DenseNet-121"}
_BATCHES = (1, 8)


def _arms(models: dict[str, str], precision: Precision) -> tuple[Arm, ...]:
    return tuple(
        Arm(
            model=model,
            name=f"{model}_{batch}_{precision}",
            label=f"{label}, batch {batch}, {precision}",
            precision=precision,
            profiling=Profiling(batch_size=batch, num_classes=1000, input_CHW=(3, 224, 224)),
        )
        for model, label in models.items()
        for batch in _BATCHES
    )


SUITE = Suite(
    name="latency",
    title="Latency and throughput of ImageNet networks",
    question=(
        "How long does a picture take, and how many a second are possible, on this machine? Nothing published can be compared "
        "with it. For other backends and ratios with intervals, see 'resbench profile'."
    ),
    source=paper("Table 1"),
    kind=Kind.TIMED,
    metric="latency",
    arms=_arms(_MODELS, Precision.FP32),
    extra=(*_arms(_MODELS, Precision.BF16), *_arms(_MORE, Precision.FP32)),
)

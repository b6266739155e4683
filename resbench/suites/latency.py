"""Latency and throughput of the ImageNet networks on this machine: models x batch x precision x backend."""

from collections.abc import Iterable

from resbench.specs import Arm, Kind, Precision, Profiling, Suite
from resbench.suites.published.he2015 import paper

_MODELS = {"resnet18": "ResNet-18", "resnet50": "ResNet-50", "resnet152": "ResNet-152"}
_MORE = {"resnet34": "ResNet-34", "resnet101": "ResNet-101", "vgg16": "VGG-16", "densenet121": "DenseNet-121"}
_BATCHES = (1, 8)
_BACKENDS = {
    "eager": "eager",
    "compile": "torch.compile",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}
_FROZEN = {"compile-frozen": "torch.compile, frozen"}


def _arms(
    models: dict[str, str], precision: Precision, backends: dict[str, str] = _BACKENDS
) -> Iterable[Arm]:
    for model, label in models.items():
        for batch in _BATCHES:
            for backend, said in backends.items():
                yield Arm(
                    model=model,
                    name=f"{model}_{batch}_{precision}_{backend}",
                    label=f"{label}, batch {batch}, {precision}, {said}",
                    precision=precision,
                    profiling=Profiling(
                        batch_size=batch, num_classes=1000, input_CHW=(3, 224, 224), backend=backend
                    ),
                )


SUITE = Suite(
    name="latency",
    title="Latency and throughput of ImageNet networks",
    question=(
        "How long does a picture take, how many a second are possible, and what do compilers and other runtimes bring, on this "
        "machine? Nothing published can be compared with it. A runtime that is not installed is named as such; for ratios with "
        "intervals, from rounds side by side, see 'resbench profile'."
    ),
    source=paper("Table 1"),
    kind=Kind.TIMED,
    metric="latency",
    arms=tuple(_arms(_MODELS, Precision.FP32)),
    extra=(
        *_arms(_MODELS, Precision.FP32, _FROZEN),
        # ONNX Runtime computes in float32 alone on a CPU.
        *_arms(
            _MODELS,
            Precision.BF16,
            {name: said for name, said in (_BACKENDS | _FROZEN).items() if name != "onnxruntime"},
        ),
        *_arms(_MORE, Precision.FP32),
    ),
)

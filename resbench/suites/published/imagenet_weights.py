"""What others print of their ImageNet networks: accuracy of one centre crop, parameters, multiply-adds, sizes of files."""

from dataclasses import dataclass, replace

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source, Tested
from resbench.suites.published.percentages import IMAGENET_VALIDATION, ONE_CROP, Table
from resbench.units import GIGA, MIB

_TORCHVISION = Source(
    title="torchvision 0.29.1",
    where="torchvision/models/resnet.py, the meta of each ResNet*_Weights",
    url="https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py",
)
_ONE_CROP = Table(
    metric="top1_accuracy",
    source=_TORCHVISION,
    protocol="ImageNet validation set, one centre crop of 224; one training",
    test_samples=IMAGENET_VALIDATION,
    n=1,
    tested=ONE_CROP,
)
_SECOND = replace(_ONE_CROP, tested=Tested(views="center", sides=(232,), crop=224))
"""torchvision's second weights are tested on pictures scaled to 232."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meta:
    """What torchvision's meta says of one set of weights, as printed."""

    parameters: int
    acc1: str
    acc5: str
    ops: str
    file: str
    table: Table = _ONE_CROP

    @property
    def accuracies(self) -> tuple[Published, ...]:
        return (self.table.figure(self.acc1), self.table.figure(self.acc5, metric="top5_accuracy"))

    @property
    def costs(self) -> tuple[Published, ...]:
        return (
            _counted("parameters", self.parameters, f"{self.parameters:,}", 6, "num_params"),
            _counted(
                "macs", float(self.ops) * GIGA, self.ops, 3, "_ops: called GFLOPS, equals multiply-adds / 1e9"
            ),
            replace(
                _counted(
                    "file_size", float(self.file) * MIB, f"{self.file} MB", 3, "_file_size, in 2**20 bytes"
                ),
                unit=Unit.BYTE,
            ),
        )


def _counted(metric: str, value: float, printed: str, decimals: int, protocol: str) -> Published:
    return Published(
        metric=metric,
        value=value,
        unit=Unit.ONE,
        printed=printed,
        decimals=decimals,
        statistic=Statistic.COMPUTED,
        protocol=protocol,
        source=_TORCHVISION,
    )


TORCHVISION = {
    ("resnet18", "V1"): _Meta(
        parameters=11_689_512, acc1="69.758", acc5="89.078", ops="1.814", file="44.661"
    ),
    ("resnet34", "V1"): _Meta(
        parameters=21_797_672, acc1="73.314", acc5="91.420", ops="3.664", file="83.275"
    ),
    ("resnet50", "V1"): _Meta(
        parameters=25_557_032, acc1="76.130", acc5="92.862", ops="4.089", file="97.781"
    ),
    ("resnet50", "V2"): _Meta(
        parameters=25_557_032, acc1="80.858", acc5="95.434", ops="4.089", file="97.790", table=_SECOND
    ),
    ("resnet101", "V1"): _Meta(
        parameters=44_549_160, acc1="77.374", acc5="93.546", ops="7.801", file="170.511"
    ),
    ("resnet101", "V2"): _Meta(
        parameters=44_549_160, acc1="81.886", acc5="95.780", ops="7.801", file="170.530", table=_SECOND
    ),
    ("resnet152", "V1"): _Meta(
        parameters=60_192_808, acc1="78.312", acc5="94.046", ops="11.514", file="230.434"
    ),
    ("resnet152", "V2"): _Meta(
        parameters=60_192_808, acc1="82.284", acc5="96.002", ops="11.514", file="230.474", table=_SECOND
    ),
}
"""By model and weights."""

_TIMM = replace(
    _ONE_CROP,
    source=Source(
        title="huggingface/pytorch-image-models, commit aa4b5850",
        where="results/results-imagenet.csv, the rows of tv_in1k",
        url="https://github.com/huggingface/pytorch-image-models",
    ),
    protocol="the same weights on the ImageNet validation set: 224 pixels, crop 0.875, bilinear",
)

TIMM = {
    model: (_TIMM.figure(acc1), _TIMM.figure(acc5, metric="top5_accuracy"))
    for model, acc1, acc5 in (
        ("resnet18", "69.752", "89.082"),
        ("resnet34", "73.298", "91.422"),
        ("resnet50", "76.156", "92.866"),
        ("resnet101", "77.404", "93.552"),
        ("resnet152", "78.330", "94.046"),
    )
}
"""By model: torchvision's first weights, measured by others."""

ORIGINAL_CAFFE = Table(
    source=Source(
        title="KaimingHe/deep-residual-networks",
        where="README, one-crop errors of the released models",
        url="https://github.com/KaimingHe/deep-residual-networks",
    ),
    protocol="error on the ImageNet validation set, one centre crop of 224; the paper's own Caffe weights",
    test_samples=IMAGENET_VALIDATION,
    n=1,
    tested=ONE_CROP,
)

FB_TORCH = Table(
    source=Source(
        title="facebookarchive/fb.resnet.torch",
        where="README, one-crop errors of the released models",
        url="https://github.com/facebookarchive/fb.resnet.torch",
    ),
    protocol="error on the ImageNet validation set, one centre crop of 224; stride on the 3x3",
    test_samples=IMAGENET_VALIDATION,
    n=1,
    tested=ONE_CROP,
)

PYCLS = Table(
    source=Source(
        title="facebookresearch/pycls, commit 5719de60",
        where="dev/model_error.json",
        url="https://github.com/facebookresearch/pycls",
    ),
    protocol=(
        "error on the ImageNet validation set, one centre crop of 224; 100 epochs, cosine schedule; of five trainings the one "
        "nearest to their mean"
    ),
    test_samples=IMAGENET_VALIDATION,
    n=1,
    tested=ONE_CROP,
)

ONE_CROP_ERRORS = {
    ("resnet50_v1", "original"): ORIGINAL_CAFFE.errors("24.7", "7.8"),
    ("resnet101_v1", "original"): ORIGINAL_CAFFE.errors("23.6", "7.1"),
    ("resnet152_v1", "original"): ORIGINAL_CAFFE.errors("23.0", "6.7"),
    ("resnet18", "fb"): FB_TORCH.errors("30.41", "10.76"),
    ("resnet34", "fb"): FB_TORCH.errors("26.73", "8.74"),
    ("resnet50", "fb"): FB_TORCH.errors("24.01", "7.02"),
    ("resnet101", "fb"): FB_TORCH.errors("22.44", "6.21"),
    ("resnet50", "pycls"): PYCLS.errors("23.190", "6.630"),
    ("resnet101", "pycls"): PYCLS.errors("21.414", "5.792"),
    ("resnet152", "pycls"): PYCLS.errors("20.870", "5.440"),
}
"""By model and who trained it."""

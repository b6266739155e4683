"""He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks. On CIFAR the paper prints medians of five runs.

Source of all: arXiv:1603.05027 (ECCV 2016). 'fail' stands for an error of more than 20 %.
"""

from dataclasses import replace

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source, Tested
from resbench.suites.published.percentages import CIFAR_TEST, IMAGENET_VALIDATION, ONE_CROP, Table

_TITLE = "He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (ECCV 2016)"


def paper(where: str) -> Source:
    """Return the place in the paper."""
    return Source(title=_TITLE, where=where, url="https://arxiv.org/abs/1603.05027")


def _table(number: int, data: str = "CIFAR-10", batch: int = 128) -> Table:
    return Table(
        source=paper(f"Table {number}"),
        protocol=(
            f"error on the {data} test set, one view of 32x32; 64,000 iterations of {batch} pictures, the first 400 at a "
            "rate of 0.01; median of five runs"
        ),
        test_samples=CIFAR_TEST,
        statistic=Statistic.MEDIAN,
        n=5,
        fails_beyond=0.2 if number == 1 else None,
    )


_TABLE_1, _TABLE_2, _TABLE_3 = _table(1), _table(2), _table(3)
_TABLE_3_100 = _table(3, "CIFAR-100")

SHORTCUTS = {
    "original": _TABLE_1.figure("6.61"),
    "plain": _TABLE_1.figure("fail"),
    "constant_scaling_full_branch": _TABLE_1.figure("fail"),
    "constant_scaling": _TABLE_1.figure("12.35"),
    "exclusive_gating_0": _TABLE_1.figure("fail"),
    "exclusive_gating_5": _TABLE_1.figure("fail"),
    "exclusive_gating": _TABLE_1.figure("8.70"),
    "exclusive_gating_7": _TABLE_1.figure("9.81"),
    "shortcut_only_gating_0": _TABLE_1.figure("12.86"),
    "shortcut_only_gating": _TABLE_1.figure("6.91"),
    "conv1x1": _TABLE_1.figure("12.22"),
    "dropout": _TABLE_1.figure("fail"),
}
"""By shortcut, at 110 layers; the number is the negative bias that gates start at, 6 where there is none."""

ORDERS = {
    (110, "original"): _TABLE_2.figure("6.61"),
    (164, "original"): _TABLE_2.figure("5.93"),
    (110, "bn_after_add"): _TABLE_2.figure("8.17"),
    (164, "bn_after_add"): _TABLE_2.figure("6.50"),
    (110, "relu_before_add"): _TABLE_2.figure("7.84"),
    (164, "relu_before_add"): _TABLE_2.figure("6.14"),
    (110, "relu_only_preact"): _TABLE_2.figure("6.71"),
    (164, "relu_only_preact"): _TABLE_2.figure("5.91"),
    (110, "preact"): _TABLE_2.figure("6.37"),
    (164, "preact"): _TABLE_2.figure("5.46"),
}
"""By depth and order, on CIFAR-10."""

_TABLE_4 = {
    name: replace(
        _table(4, data, batch),
        statistic=Statistic.MEAN,
        protocol=_table(4, data, batch).protocol.replace("median", "mean"),
    )
    for name, data, batch in (
        ("128", "CIFAR-10", 128),
        ("64", "CIFAR-10", 64),
        ("cifar100", "CIFAR-100", 128),
    )
}

DEEP = {
    "resnet110_1layer": (_TABLE_3.figure("9.90"),),
    "resnet110_1layer_preact": (_TABLE_3.figure("8.91"),),
    "resnet1001": (_TABLE_3.figure("7.61"),),
    "resnet1001_preact": (_TABLE_3.figure("4.92"), _TABLE_4["128"].figure("4.89", std="0.14")),
    "resnet1001_preact_64": (_table(4, batch=64).figure("4.62"), _TABLE_4["64"].figure("4.69", std="0.20")),
    "resnet164_cifar100": (_TABLE_3_100.figure("25.16"),),
    "resnet164_preact_cifar100": (_TABLE_3_100.figure("24.33"),),
    "resnet1001_cifar100": (_TABLE_3_100.figure("27.82"),),
    "resnet1001_preact_cifar100": (
        _TABLE_3_100.figure("22.71"),
        _TABLE_4["cifar100"].figure("22.68", std="0.22"),
    ),
}
"""What Tables 3 and 4 have beyond Table 2; the medians of Table 4 are those of Table 3 but for batches of 64."""


def _million(printed: str) -> Published:
    return Published(
        metric="parameters",
        value=float(printed) * 1e6,
        unit=Unit.ONE,
        printed=f"{printed}M",
        decimals=1,
        statistic=Statistic.COMPUTED,
        protocol="parameters, rounded; of 1001 layers without those of batch norm, as a count of both shows",
        source=paper("Table 4"),
    )


PARAMETERS = {164: _million("1.7"), 1001: _million("10.2")}
"""By depth."""

# The table prints sizes of crops alone: 224 is cut from 256 as in the paper of 2015, 320 is the whole shorter side.
_TABLE_5 = {
    side: Table(
        source=paper("Table 5"),
        protocol=f"error on the ImageNet validation set, one centre crop of {side}x{side}; trained on crops of 224; one training",
        test_samples=IMAGENET_VALIDATION,
        n=1,
        tested=tested,
    )
    for side, tested in ((224, ONE_CROP), (320, Tested(views="center", sides=(320,), crop=320)))
}
_ASPECT = replace(
    _TABLE_5[320],
    protocol=_TABLE_5[320].protocol.replace(
        "on crops of 224", "on crops of 224 of random scale and aspect ratio"
    ),
)

IMAGENET = {
    ("resnet101_v1", ""): _TABLE_5[224].errors("23.6", "7.1"),
    ("resnet101_bn_after_add", ""): _TABLE_5[224].errors("24.6", "7.5"),
    ("resnet152_v1", ""): (*_TABLE_5[224].errors("23.0", "6.7"), *_TABLE_5[320].errors("21.3", "5.5")),
    ("resnet152_preact", ""): _TABLE_5[320].errors("21.1", "5.5"),
    ("resnet200", ""): _TABLE_5[320].errors("21.8", "6.0"),
    ("resnet200_preact", ""): _TABLE_5[320].errors("20.7", "5.3"),
    ("resnet200_preact", "aspect"): _ASPECT.errors("20.1", "4.8"),
}
"""By model and augmentation; without one, pictures were scaled at random and cropped."""

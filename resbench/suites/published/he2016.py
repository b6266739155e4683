"""He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks. On CIFAR the paper prints medians of five runs.

Source of all: arXiv:1603.05027 (ECCV 2016). 'fail' stands for an error of more than 20 %.
"""

from dataclasses import replace

from resbench.results import Statistic, Unit
from resbench.specs import Published, Source
from resbench.suites.published.percentages import CIFAR_TEST, Table

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

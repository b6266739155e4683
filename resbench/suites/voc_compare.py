"""ResNet-18, -34 and -50 trained from scratch on VOC 07+12 object crops: do 50 layers beat 18 there?"""

from dataclasses import replace

from resbench.results import Statistic, Unit
from resbench.specs import Arm, Profiling, Published, Recipe, Source, Suite
from resbench.training.recipes import VOC_ZJ2020
from resbench.units import GIGA, MIB

_REPOSITORY = "https://github.com/deep-learning-algorithm/ResNet"
_TITLE = "deep-learning-algorithm/ResNet, commit f185d1d (2020-05-06)"
_COSTS = Source(title=_TITLE, where="README, 'Flops和参数数目' (FLOPs and parameters)", url=_REPOSITORY)
_ACCURACY = Source(title=_TITLE, where="the training log of ResNet-18, -34 and -50", url=_REPOSITORY)
_MORE = Source(title=_TITLE, where="the training logs of its further networks", url=_REPOSITORY)
_TEST_CROPS = 12_032

_GENTLE = replace(
    VOC_ZJ2020,
    name="voc_zj2020_gentle",
    optimizer=replace(VOC_ZJ2020.optimizer, lr=3e-4, weight_decay=3e-5),
)
_GENTLE_48 = replace(_GENTLE, name="voc_zj2020_gentle_48", train_batch=48)


def _arm(
    model: str,
    label: str,
    *,
    size_MiB: float,
    gflops: float,
    top1: str,
    top5: str,
    recipe: Recipe | None = None,
) -> Arm:
    source = _MORE if recipe else _ACCURACY
    return Arm(
        model=model,
        label=label,
        recipe=recipe,
        published=(
            Published(
                metric="size",
                value=size_MiB * MIB,
                unit=Unit.BYTE,
                printed=f"{size_MiB:.3f} MB",
                decimals=3,
                statistic=Statistic.COMPUTED,
                protocol="parameters x 4 bytes of the 1000-class network, in units of 2**20 bytes though printed MB",
                source=_COSTS,
            ),
            Published(
                metric="flops",
                value=gflops * GIGA,
                unit=Unit.ONE,
                printed=f"{gflops:.3f} GFlops",
                decimals=3,
                statistic=Statistic.COMPUTED,
                protocol="2 x the MACs that thop 0.0.31 counts for the 1000-class network at 3x224x224",
                source=_COSTS,
            ),
            _accuracy("top1_published", top1, source),
            _accuracy("top5_published", top5, source),
        ),
    )


def _accuracy(metric: str, percent: str, source: Source) -> Published:
    return Published(
        metric=metric,
        value=float(percent) / 100,
        unit=Unit.ONE,
        printed=f"{float(percent):.2f}%",
        decimals=2,
        statistic=Statistic.BEST,
        protocol="best test epoch of 100; each epoch the mean of its batches' shares; ten crops; one run",
        source=source,
        n=1,
        test_samples=_TEST_CROPS,
    )


SUITE = Suite(
    name="voc_compare",
    title="ResNet-18, ResNet-34 and ResNet-50 on VOC 07+12 object crops",
    question=(
        "Trained from scratch on 40,058 crops of single objects, do deeper residual networks name the object more "
        "often? Can the published table be reproduced: model size, GFLOPs, top-1 and top-5 accuracy?"
    ),
    data="voc0712",
    recipe=VOC_ZJ2020,
    arms=(
        _arm(
            "resnet18_biased", "ResNet-18", size_MiB=44.607, gflops=3.641, top1="89.981750", top5="99.286156"
        ),
        _arm(
            "resnet34_biased", "ResNet-34", size_MiB=83.180, gflops=7.348, top1="90.006668", top5="99.286171"
        ),
        _arm("resnet50", "ResNet-50", size_MiB=97.492, gflops=8.223, top1="89.371674", top5="99.385750"),
    ),
    extra=(
        _arm(
            "resnet34_voc_preact",
            "ResNet-34, pre-activation",
            size_MiB=83.177,
            gflops=7.349,
            top1="90.496353",
            top5="99.294495",
            recipe=_GENTLE_48,
        ),
        _arm(
            "resnet101",
            "ResNet-101",
            size_MiB=169.942,
            gflops=15.668,
            top1="90.662346",
            top5="99.352577",
            recipe=_GENTLE,
        ),
        _arm(
            "resnet101_voc_preact",
            "ResNet-101, pre-activation",
            size_MiB=169.926,
            gflops=15.668,
            top1="90.853233",
            top5="99.477089",
            recipe=_GENTLE,
        ),
        _arm(
            "densenet121",
            "DenseNet-121",
            size_MiB=30.437,
            gflops=5.731,
            top1="89.861382",
            top5="99.203133",
            recipe=_GENTLE_48,
        ),
    ),
    profiling=Profiling(batch_size=1, num_classes=1000, input_CHW=(3, 224, 224)),
    flops_convention="voc-table",
    source=Source(title=_TITLE, where="README, comparison of ResNet-18, -34 and -50", url=_REPOSITORY),
    curves="voc_compare_curves.csv",
)

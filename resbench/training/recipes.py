"""Training recipes as data, each with its source. No torch."""

from dataclasses import replace

from resbench.specs import Loss, Optimizer, Pictures, Recipe, Schedule, Source

VOC_ZJ2020 = Recipe(
    name="voc_zj2020",
    source=Source(
        title="deep-learning-algorithm/ResNet, commit f185d1d (2020-05-06)",
        where="the configuration of its ResNet-18/34/50 comparison on VOC 07+12",
        url="https://github.com/deep-learning-algorithm/ResNet",
    ),
    train_batch=96,
    test_batch=48,
    pictures=Pictures(
        resize=256,
        pad=0,
        crop=224,
        flip=True,
        color_jitter=0.1,
        erase=0.5,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        test_views=10,
    ),
    loss=Loss(smoothing=0.1),
    optimizer=Optimizer(name="adam", lr=1e-3, weight_decay=1e-4),
    schedule=Schedule(name="cosine", unit="epoch", length=100, warmup=5, final_lr=1e-4),
    initialisation="kaiming_normal_fan_out",
)

_HE2015_SOURCE = Source(
    title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
    where="section 4.2",
    url="https://arxiv.org/abs/1512.03385",
)

HE2015_CIFAR = Recipe(
    name="he2015_cifar",
    source=_HE2015_SOURCE,
    train_batch=128,
    test_batch=128,
    pictures=Pictures(
        resize=None,
        pad=4,
        crop=32,
        flip=True,
        color_jitter=0.0,
        erase=0.0,
        mean=(),
        std=(),
        test_views=1,
    ),
    loss=Loss(),
    optimizer=Optimizer(name="sgd", lr=0.1, weight_decay=1e-4, momentum=0.9),
    schedule=Schedule(name="steps", unit="iteration", length=64_000, milestones=(32_000, 48_000), gamma=0.1),
    initialisation="kaiming_normal_fan_in",
)

# For 110 layers the paper trains at 0.01 until the training error falls below 80 %, "about 400 iterations". We hold
# it for exactly 400: a schedule that depends on the step alone resumes exactly and reads the same in every report.
HE2015_CIFAR_WARM = replace(
    HE2015_CIFAR,
    name="he2015_cifar_warm",
    schedule=replace(HE2015_CIFAR.schedule, warmup=400, warmup_lr=0.01),
)

RECIPES = (VOC_ZJ2020, HE2015_CIFAR, HE2015_CIFAR_WARM)

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
    testing="end",
)

# For 110 layers the paper trains at 0.01 until the training error falls below 80 %, "about 400 iterations". We hold
# it for exactly 400: a schedule that depends on the step alone resumes exactly and reads the same in every report.
HE2015_CIFAR_WARM = replace(
    HE2015_CIFAR,
    name="he2015_cifar_warm",
    schedule=replace(HE2015_CIFAR.schedule, warmup=400, warmup_lr=0.01),
)

# "We warm up the training by using a smaller learning rate of 0.01 at the beginning 400 iterations and go back to 0.1
# after that": for all of its CIFAR networks. The rest is as in the paper of 2015.
HE2016_CIFAR = replace(
    HE2015_CIFAR_WARM,
    name="he2016_cifar",
    source=Source(
        title="He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks (ECCV 2016)",
        where="section 3.1 and the appendix on implementation, CIFAR",
        url="https://arxiv.org/abs/1603.05027",
    ),
)

# The note prints a loss and an accuracy for each of its 20 epochs, and neither learning rate, batch, augmentation nor
# schedule: those are in a file that is not part of it. What stands here is what another script has that calls the same
# training function on CIFAR-10 (with LeNet-5): SGD at 0.1, batch 128, weight decay 5e-4, pad-4 crop, flip, values from -1
# to 1. Its rate would halve after six epochs without a better loss, which the 20 epochs of the log never show.
SEED003_CIFAR = Recipe(
    name="seed003_cifar",
    source=Source(
        title="Pytorch Note31, Deep Residual Networks: ResNet-34 on CIFAR-10",
        where="the printed log of 20 epochs; the settings behind it are not stated",
        url="https://blog.csdn.net/weixin_45508265/article/details/117809512",
    ),
    train_batch=128,
    test_batch=128,
    pictures=Pictures(
        resize=None,
        pad=4,
        crop=32,
        flip=True,
        color_jitter=0.0,
        erase=0.0,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        test_views=1,
        pad_space="picture",
    ),
    loss=Loss(),
    optimizer=Optimizer(name="sgd", lr=0.1, weight_decay=5e-4, momentum=0.9),
    schedule=Schedule(name="steps", unit="epoch", length=20),
    initialisation="torch",
)

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Two things of the paper are not here. Its "standard color augmentation" (Krizhevsky et al. 2012: noise along the
# principal components of the colours) is left out. It subtracts a per-pixel mean, which needs pictures of one size:
# the channels' mean, with a deviation of 1 / 255, gives values on its scale. It divides the rate by 10 "when the error
# plateaus" and names no iterations: 150,000 and 300,000 are our reading of the falls of its figure 4, and a schedule that
# depends on the step alone. Its ten-crop test at 256 pixels is the one here; its best figures are multi-scale and fully
# convolutional (`resbench evaluate --views multi_scale`).
IMAGENET_HE2015 = Recipe(
    name="imagenet_he2015",
    source=Source(
        title="He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016)",
        where="section 3.4; the rate falls when the error plateaus: here at 150,000 and 300,000, our reading of figure 4",
        url="https://arxiv.org/abs/1512.03385",
    ),
    train_batch=256,
    test_batch=64,
    pictures=Pictures(
        resize=256,
        pad=0,
        crop=224,
        flip=True,
        color_jitter=0.0,
        erase=0.0,
        mean=_IMAGENET_MEAN,
        std=(1 / 255, 1 / 255, 1 / 255),
        test_views=10,
        scale_range=(256, 480),
    ),
    loss=Loss(),
    optimizer=Optimizer(name="sgd", lr=0.1, weight_decay=1e-4, momentum=0.9),
    schedule=Schedule(
        name="steps", unit="iteration", length=600_000, milestones=(150_000, 300_000), gamma=0.1
    ),
    initialisation="kaiming_normal_fan_in",
    testing="end",
)

IMAGENET_TORCHVISION_V1 = Recipe(
    name="imagenet_torchvision_v1",
    source=Source(
        title="torchvision, references/classification: the recipe of the V1 weights of its ResNets",
        where="README, section ResNet: 8 GPUs x 32 pictures, StepLR of 30 epochs; fan-out initialisation in resnet.py",
        url="https://github.com/pytorch/vision/tree/main/references/classification",
    ),
    train_batch=256,
    test_batch=256,
    pictures=Pictures(
        resize=256,
        pad=0,
        crop=224,
        flip=True,
        color_jitter=0.0,
        erase=0.0,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        test_views=1,
        random_resized=True,
    ),
    loss=Loss(),
    optimizer=Optimizer(name="sgd", lr=0.1, weight_decay=1e-4, momentum=0.9),
    schedule=Schedule(name="steps", unit="epoch", length=90, milestones=(30, 60), gamma=0.1),
    initialisation="kaiming_normal_fan_out",
)

RECIPES = (
    VOC_ZJ2020,
    HE2015_CIFAR,
    HE2015_CIFAR_WARM,
    HE2016_CIFAR,
    SEED003_CIFAR,
    IMAGENET_HE2015,
    IMAGENET_TORCHVISION_V1,
)

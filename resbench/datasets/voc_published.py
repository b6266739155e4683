"""What was published of PASCAL VOC: its classes and how many samples the VOC 07+12 protocol makes of it."""

from resbench.specs import Source

SOURCE = Source(
    title="PASCAL VOC 07+12 object classification, deep-learning-algorithm/ResNet",
    where="docs/dataset.md: 16,551 + 4,952 pictures, 40,058 + 12,032 objects that are not difficult",
    url="https://github.com/deep-learning-algorithm/ResNet/blob/f185d1d/docs/dataset.md",
)

COUNTS = {
    "aeroplane": (1171, 285),
    "bicycle": (1064, 337),
    "bird": (1605, 459),
    "boat": (1140, 263),
    "bottle": (1764, 469),
    "bus": (822, 213),
    "car": (3267, 1201),
    "cat": (1593, 358),
    "chair": (3152, 756),
    "cow": (847, 244),
    "diningtable": (824, 206),
    "dog": (2025, 489),
    "horse": (1072, 348),
    "motorbike": (1052, 325),
    "person": (13256, 4528),
    "pottedplant": (1487, 480),
    "sheep": (1070, 242),
    "sofa": (814, 239),
    "train": (925, 282),
    "tvmonitor": (1108, 308),
}
"""Of each class: objects that are not difficult in VOC2007 trainval + VOC2012 trainval, and in VOC2007 test."""

CLASSES = tuple(COUNTS)
"""In the order of their labels, which is that of the alphabet."""

PICTURES = {("2007", "trainval"): 5011, ("2007", "test"): 4952, ("2012", "trainval"): 11540}
"""Pictures in each list under `ImageSets/Main`."""
